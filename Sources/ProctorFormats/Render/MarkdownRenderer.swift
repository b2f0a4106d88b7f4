import FoundationEssentials
public import ProctorModel

/// A summary in GitHub's Markdown: `$GITHUB_STEP_SUMMARY`, comments, wikis.
public struct MarkdownRenderer: Renderer {
  public let name = "markdown"
  public let suffix = ".md"
  /// Bytes of a step's summary; GitHub refuses a larger one whole.
  static let sizeLimit = 1 << 20

  public init() {}

  public func render(
    _ report: Report, _ context: RenderContext
  ) throws(RenderError) -> Rendering {
    MarkdownSummary(report, context, limit: Self.sizeLimit).rendering
  }
}

/// The body of `buildkite-agent annotate`: the same Markdown within the same bytes; its style comes from the command line.
public struct BuildkiteRenderer: Renderer {
  public let name = "buildkite"
  public let suffix = ".md"
  /// Bytes of an annotation; the agent refuses a larger one.
  static let sizeLimit = 1 << 20

  public init() {}

  public func render(
    _ report: Report, _ context: RenderContext
  ) throws(RenderError) -> Rendering {
    MarkdownSummary(report, context, limit: Self.sizeLimit).rendering
  }
}

/// The verdict, then what is wrong, failures first and folded, then flaky tests and what each runner did.
///
/// Text of tests stands in `<code>` with its punctuation as entities, or in a fence that it cannot end: it is never
/// Markdown, HTML, a mention or a link.
private struct MarkdownSummary {
  private static let messageLimit = 8000
  private static let outputLimit = 4000
  private static let nameLimit = 300
  /// Bytes kept for what stands behind the failures.
  private static let reserve = 128 << 10
  private static let flakyShown = 50
  private static let adaptersShown = 50
  private static let notesShown = 10

  private let report: Report
  private let limit: Int
  private var text = ""
  private var left: Int
  private var notes: [String] = []

  init(_ report: Report, _ context: RenderContext, limit: Int) {
    self.report = report
    self.limit = limit
    left = limit - Self.reserve
    head(context)
    problems()
    failures()
    flaky()
    adapters()
    remarks()
  }

  var rendering: Rendering { Rendering(Data(text.utf8), notes: notes) }

  private mutating func head(_ context: RenderContext) {
    let counts = report.counts
    let mark = report.verdict.status == .passed ? "✅" : "❌"
    let title = report.verdict.title.split(separator: " ", maxSplits: 1)
    let reason = title.count > 1 ? " \(Self.code(String(title[1])))" : ""
    let word = report.verdict.status == .noTests || report.verdict.status == .error
    let heading = word ? Self.code(report.verdict.title) : "\(title[0])\(reason)"
    text += "## \(mark) \(Self.code(context.workspace)): \(heading)\n\n"
    if let message = report.verdict.message { text += Self.code(message) + "\n\n" }
    text += "| passed | failed | skipped | time |\n|---:|---:|---:|---:|\n"
    text +=
      "| \(counts.passed) | \(counts.failed) | \(counts.skipped) | \(humanTime(report.durationMS)) |\n\n"
    if let commit = context.commit { text += "Commit \(Self.code(commit))\n\n" }
    left -= text.utf8.count
  }

  private mutating func problems() {
    let problems = report.problems.filter { $0.kind != .verdict }
    section(problems, "Outside tests") { problem, _ in
      Self.folded(
        "\(Self.code(problem.title))\(Self.place(problem.location))",
        Self.fenced(problem.message.bounded(Self.messageLimit)))
    }
  }

  private mutating func failures() {
    section(report.failed, "Failed tests") { result, isFirst in
      let last = result.last
      var body = Self.fenced((last.failureText ?? "").bounded(Self.messageLimit))
      for (name, output) in [("stdout", last.stdout), ("stderr", last.stderr)] {
        guard let output = output?.visible else { continue }
        body += "\n\(name):\n\n" + Self.fenced(output.bounded(Self.outputLimit))
      }
      if result.attempts.count > 1 { body += "\n\(result.attempts.count) attempts\n" }
      let word = last.outcome == .failed ? "" : "\(last.outcome.rawValue): "
      return Self.folded(
        "\(word)\(Self.code(result.test.fullName))\(Self.place(result.place))", body)
    }
  }

  private mutating func flaky() {
    let flaky = report.flakyPasses
    guard !flaky.isEmpty else { return }
    text +=
      "### Flaky tests (\(flaky.count))\n\n| test | attempts | what went wrong |\n|---|---:|---|\n"
    for result in flaky.prefix(Self.flakyShown) {
      let wrong = result.attempts.last { $0.outcome.countsAsFailed }
      text +=
        "| \(Self.code(result.test.fullName.bounded(80))) | \(result.attempts.count) | \(Self.code((wrong?.failureLine ?? "").bounded(80))) |\n"
    }
    if flaky.count > Self.flakyShown { text += "\nand \(flaky.count - Self.flakyShown) more\n" }
    text += "\n"
  }

  private mutating func adapters() {
    guard !report.adapters.isEmpty else { return }
    text +=
      "### Runners\n\n| runner | passed | failed | skipped | time |\n|---|---:|---:|---:|---:|\n"
    for adapter in report.adapters.prefix(Self.adaptersShown) {
      let counts = adapter.counts
      text +=
        "| \(Self.code(adapter.project.title.bounded(100))) | \(counts.passed) | \(counts.failed) | \(counts.skipped) | \(humanTime(adapter.durationMS)) |\n"
    }
    if report.adapters.count > Self.adaptersShown {
      text += "\nand \(report.adapters.count - Self.adaptersShown) more\n"
    }
  }

  private mutating func remarks() {
    guard !report.notes.isEmpty else { return }
    text += "\n### Notes\n\n"
    for note in report.notes.prefix(Self.notesShown) { text += "- \(Self.code(note))\n" }
    if report.notes.count > Self.notesShown {
      text += "- and \(report.notes.count - Self.notesShown) more\n"
    }
  }

  /// Writes as many as there is room for, and says how many there are not.
  private mutating func section<Item>(
    _ items: [Item], _ title: String, _ body: (Item, Bool) -> String
  ) {
    guard !items.isEmpty else { return }
    text += "### \(title) (\(items.count))\n\n"
    for (index, item) in items.enumerated() {
      let block = body(item, index == 0)
      guard block.utf8.count <= left else {
        let words = "\(items.count - index) more are not shown: the summary may have \(limit) bytes"
        text += "\(words)\n\n"
        notes.append("\(title.lowercased()): \(words)")
        return
      }
      text += block
      left -= block.utf8.count
    }
    text += "\n"
  }

  // MARK: parts

  private static func folded(_ summary: String, _ body: String) -> String {
    "<details><summary>\(summary)</summary>\n\n\(body)\n</details>\n"
  }

  private static func place(_ place: SourceLocation?) -> String {
    place.map { " " + code($0.text) } ?? ""
  }

  /// A line of text in which no character means anything to Markdown or HTML, nor makes a link or a mention.
  private static func code(_ text: String) -> String {
    var result = "<code>"
    for scalar in text.bounded(nameLimit).harmless(multiline: false).unicodeScalars {
      let isPlain =
        scalar.value >= 0x80 || scalar.properties.isAlphabetic
        || scalar.properties.numericType != nil || " -=+;,/".unicodeScalars.contains(scalar)
        || scalar == "(" || scalar == ")" || scalar == "%"
      if isPlain {
        result.unicodeScalars.append(scalar)
      } else {
        result += "&#\(scalar.value);"
      }
    }
    return result + "</code>"
  }

  /// A block that ends where its text does: the fence is longer than any in it.
  private static func fenced(_ text: String) -> String {
    let shown = text.harmless(multiline: true)
    var (longest, run) = (0, 0)
    for scalar in shown.unicodeScalars {
      run = scalar == "`" ? run + 1 : 0
      longest = max(longest, run)
    }
    let fence = String(repeating: "`", count: max(3, longest + 1))
    return "\(fence)\n\(shown.trimmedEnd)\n\(fence)\n"
  }
}

import FoundationEssentials
public import ProctorModel

/// Annotations as GitHub's workflow commands, for standard output.
///
/// GitHub shows 10 errors and 10 warnings of a step and hides the rest in silence: the most useful come first, equal
/// causes are one, and the last says what is not shown.
public struct GitHubRenderer: Renderer {
  public let name = "github"
  public let suffix = ".txt"
  public let isLineOriented = true
  /// Errors, and warnings, that a step shows.
  static let limit = 10
  private static let messageLimit = 4000
  private static let titleLimit = 200

  public init() {}

  public func render(
    _ report: Report, _ context: RenderContext
  ) throws(RenderError) -> Rendering {
    let problems = Self.merged(report.problems)
    let groups = FailureGroup.all(of: report.tests)
    let errors =
      problems.map { Self.annotation($0, context) }
      + groups.map { Self.annotation($0, context) }
    let warnings = report.flakyPasses.map { Self.annotation(flaky: $0, context) }
    var lines = Self.withinLimit(errors, "error", "failures") { "\($0) more are not shown here" }
    lines += Self.withinLimit(warnings, "warning", "flaky tests") {
      "\($0) more are not shown here"
    }
    if report.verdict.status == .passed {
      let counts = report.counts
      lines.append(
        Annotation(
          title: "passed", message: "\(counts.passed) passed, \(counts.skipped) skipped", at: nil
        ).line("notice", context))
    }
    let cut = [(errors.count, "errors"), (warnings.count, "warnings")].filter {
      $0.0 > Self.limit
    }
    return Rendering(
      Data(lines.map { $0 + "\n" }.joined().utf8),
      notes: cut.map {
        "\($0.0 - Self.limit + 1) \($0.1) are told in one: GitHub shows \(Self.limit) of a step"
      })
  }

  struct Annotation {
    let title: String
    let message: String
    let at: SourceLocation?

    func line(_ command: String, _ context: RenderContext) -> String {
      var properties: [String] = []
      if let at, !at.file.hasPrefix("/") {
        properties.append("file=\(GitHubRenderer.property(context.repositoryPath(at.file)))")
        if let line = at.line { properties.append("line=\(line)") }
        if let column = at.column { properties.append("col=\(column)") }
      }
      properties.append(
        "title=\(GitHubRenderer.property(title.bounded(GitHubRenderer.titleLimit)))")
      let text = GitHubRenderer.data(message.bounded(GitHubRenderer.messageLimit))
      return "::\(command) \(properties.joined(separator: ","))::\(text)"
    }
  }

  /// The same problem of several places or tests is told once.
  private static func merged(_ problems: [RunProblem]) -> [[RunProblem]] {
    var (groups, places): ([[RunProblem]], [String: Int]) = ([], [:])
    for problem in problems {
      let cause =
        "\(problem.kind.rawValue)\n\(FailureGroup.neutral(problem.message.unixLines.first ?? ""))"
      if let index = places[cause] {
        groups[index].append(problem)
      } else {
        places[cause] = groups.count
        groups.append([problem])
      }
    }
    return groups
  }

  private static func annotation(
    _ group: [RunProblem], _ context: RenderContext
  ) -> String {
    let first = group[0]
    let others = more(group.dropFirst().map(\.title), "alike")
    return Annotation(
      title: first.title, message: first.message + others,
      at: first.location
    ).line("error", context)
  }

  private static func annotation(_ group: FailureGroup, _ context: RenderContext) -> String {
    let first = group.tests[0]
    let others = more(group.tests.dropFirst().map(\.test.fullName), "fail alike")
    return Annotation(
      title: "\(first.outcome.rawValue): \(first.test.fullName)",
      message: (first.last.failureText ?? "").bounded(messageLimit / 2) + others,
      at: first.place
    ).line("error", context)
  }

  private static func annotation(flaky test: TestResult, _ context: RenderContext) -> String {
    let wrong = test.attempts.last { $0.outcome.countsAsFailed }
    return Annotation(
      title: "flaky: \(test.test.fullName)",
      message: "passed, after an attempt that failed:\n\(wrong?.failureText ?? "")", at: test.place
    ).line("warning", context)
  }

  private static func more(_ names: [String], _ word: String) -> String {
    guard !names.isEmpty else { return "" }
    let shown = names.prefix(10).map { $0.bounded(200) }.joined(separator: ", ")
    let rest = names.count > 10 ? " and \(names.count - 10) more" : ""
    return "\n\n\(names.count) more \(word): \(shown)\(rest)"
  }

  /// As they are, or one fewer than are shown and one that tells of the rest.
  private static func withinLimit(
    _ lines: [String], _ command: String, _ what: String, _ words: (Int) -> String
  ) -> [String] {
    guard lines.count > limit else { return lines }
    let hidden = lines.count - limit + 1
    let last =
      "::\(command) title=\(property("more \(what)"))::\(data(words(hidden)))"
    return Array(lines.prefix(limit - 1)) + [last]
  }

  // The runner splits on `::`, `,` and `:`, and unescapes these in this order (actions/runner, ActionCommand.cs).

  private static func data(_ text: String) -> String {
    escaped(text.harmless(multiline: true), ["%", "\r", "\n"])
  }

  private static func property(_ text: String) -> String {
    escaped(text.harmless(multiline: false), ["%", "\r", "\n", ":", ","])
  }

  private static func escaped(_ text: String, _ special: Set<Unicode.Scalar>) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      if special.contains(scalar) {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        result += "%" + (digits.count < 2 ? "0" : "") + digits
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}

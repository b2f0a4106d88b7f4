public import ProctorModel

/// A run told to a model: what is wrong first, equal causes once, and where the rest can be read.
///
/// The text is the same for equal runs: no times, no paths of the machine. It stays within its tokens however many
/// tests there are.
public struct AgentReport: Sendable {
  /// What an answer takes at most when nothing else is wanted.
  public static let defaultTokens = 2000
  /// Names shown of tests that fail alike.
  private static let namesShown = 3

  private let report: Report
  /// Absolute; left out of messages.
  private let workspace: String
  /// By which the rest can be asked for.
  private let run: String
  private let since: RunDifference?

  public init(_ report: Report, run: String, since: RunDifference?, workspace: String) {
    self.report = report
    self.run = run
    self.since = since
    self.workspace = workspace
  }

  /// The whole answer.
  public func text(tokens: Int = defaultTokens) -> String {
    let groups = FailureGroup.all(of: report.tests)
    let causes = ErrorGroup.all(of: report.errors)
    let tail = notes()
    var budget =
      tokens - TokenEstimate.of(verdict) - tail.reduce(0) { $0 + TokenEstimate.of($1) + 1 }
    // What stands for all that does not fit.
    budget -= 120
    let errors = fit(causes.lazy.map(error), &budget, share: budget / 2)
    let failures = fit(groups.lazy.map(failure), &budget, share: budget)
    var blocks = [verdict] + errors + failures + tail
    let rest = omitted(
      errors: causes.dropFirst(errors.count).reduce(0) { $0 + $1.errors.count },
      groups: Array(groups.dropFirst(failures.count)))
    if let rest { blocks.append(rest) }
    return blocks.joined(separator: "\n") + "\n"
  }

  /// The first of the blocks, as many as there is room for.
  private func fit(_ blocks: some Sequence<String>, _ budget: inout Int, share: Int) -> [String] {
    var (shown, left): ([String], Int) = ([], share)
    for block in blocks {
      let cost = TokenEstimate.of(block) + 1
      guard cost <= left else {
        // The beginning of the first is better than nothing.
        if shown.isEmpty { shown.append(block.unixLines.prefix(2).joined(separator: "\n")) }
        break
      }
      left -= cost
      budget -= cost
      shown.append(block)
    }
    return shown
  }

  // MARK: parts

  /// What came of it, on one line.
  var verdict: String {
    let counts = report.counts
    let numbers =
      "\(counts.passed) passed, \(counts.failed) failed, \(counts.skipped) skipped"
      + TextSummary.rerunNumbers(report)
    let reason = report.verdict.reason.map { " (\($0.rawValue))" } ?? ""
    let message = report.verdict.message.map { ": \(line($0, most: 600))" } ?? ""
    switch report.verdict.status {
    case .passed: return "PASSED: \(numbers)"
    case .failed, .partialFailure: return "FAILED\(reason)\(message); \(numbers)"
    case .noTests:
      let near = report.suggestions.prefix(5).map { line($0, most: 160) }
      return "NO TESTS\(reason)\(message)"
        + (near.isEmpty ? "" : "\nnearest: \(near.joined(separator: ", "))")
    case .error: return "NO VERDICT\(reason)\(message); \(numbers)"
    }
  }

  func error(_ group: ErrorGroup) -> String {
    guard let error = group.errors.first else { return "" }
    let place = error.location.map { " at \(line($0.text, most: 200))" } ?? ""
    let code = error.code.map { " [\(line($0, most: 40))]" } ?? ""
    var lines = ["\(error.stage.rawValue.uppercased()) ERROR\(code)\(place)"]
    lines += essence(error.message).map { "  \($0)" }
    let others = group.errors.dropFirst()
    if !others.isEmpty {
      let places = others.prefix(Self.namesShown).compactMap(\.location).map {
        line($0.text, most: 160)
      }
      let more = others.count - places.count
      let rest = more > 0 ? [places.isEmpty ? "\(more) more times" : "and \(more) more"] : []
      lines.append(
        "  and the same \(places.isEmpty ? "" : "at ")\((places + rest).joined(separator: ", "))")
    }
    return lines.joined(separator: "\n")
  }

  func failure(_ group: FailureGroup) -> String {
    guard let first = group.tests.first else { return "" }
    let failure = first.last.failures.first
    let place = failure?.location ?? first.test.file.map { SourceLocation(file: $0) }
    let at = place.map { " at \(line($0.text, most: 200))" } ?? ""
    let lines = essence(failure?.message ?? "")
    let word = first.outcome == .failed ? "" : " (\(first.outcome.rawValue))"
    var text: [String]
    if group.tests.count > 1 {
      let names = group.tests.prefix(Self.namesShown).map {
        "  - \(line($0.test.id.text, most: 200))"
      }
      let more = group.tests.count - names.count
      text = ["\(group.tests.count) tests fail with the same error\(word)\(at):"]
      text += lines.map { "  \($0)" } + names + (more > 0 ? ["  - and \(more) more"] : [])
    } else {
      text = ["FAIL\(word) \(line(first.test.id.text, most: 300))\(at)"]
      text += (lines.isEmpty ? [line(first.last.rawStatus, most: 200)] : lines).map { "  \($0)" }
      text += frames(failure, besides: place)
    }
    return text.joined(separator: "\n")
  }

  private func frames(_ failure: Failure?, besides place: SourceLocation?) -> [String] {
    let others = (failure?.frames ?? []).filter { frame in
      // What has no path in the workspace is not the user's to mend.
      !frame.file.hasPrefix("/") && !frame.file.hasPrefix("<")
        && (frame.file != place?.file || frame.line != place?.line)
    }
    return others.prefix(3).map { frame in
      let place = SourceLocation(file: frame.file, line: frame.line).text
      return
        "  called from \(frame.function.map { "\(line($0, most: 80)) " } ?? "")\(line(place, most: 200))"
    }
  }

  /// What stands behind the failures: each a block.
  private func notes() -> [String] {
    var blocks: [String] = []
    func list(_ title: String, _ ids: [TestID], most: Int) {
      guard !ids.isEmpty else { return }
      let shown = ids.prefix(most).map { "  - \(line($0.text, most: 200))" }
      let more = ids.count - shown.count
      blocks.append(
        (["\(title) (\(ids.count)):"] + shown + (more > 0 ? ["  - and \(more) more"] : []))
          .joined(separator: "\n"))
    }
    list("NO RESULT", report.missing.map(\.id), most: 5)
    list("FLAKY: failed and passed on the same code", report.flaky.map(\.test.id), most: 5)
    list(
      "QUARANTINED: failed, and proctor-quarantine.toml keeps them out of the verdict",
      report.quarantined.map(\.test.id), most: 5)
    blocks += report.notes.prefix(5).map { "NOTE \(line($0, most: 300))" }
    blocks += report.sandbox.map { Self.denied($0, section: "tests") } ?? []
    list(
      "NEWLY SKIPPED since the last run of the same tests", since?.newlySkipped ?? [], most: 5)
    list("GONE since the last run of the same tests", since?.gone ?? [], most: 5)
    let touched = report.change?.touchingTests ?? []
    if !touched.isEmpty {
      blocks.append(
        "THE PATCH CHANGES TESTS: \(touched.prefix(5).map { line($0, most: 120) }.joined(separator: ", "))"
          + (touched.count > 5 ? " and \(touched.count - 5) more" : ""))
    }
    if report.sandbox?.backend == "none" {
      blocks.append("not isolated: ran bare on this machine")
    }
    return blocks
  }

  private func omitted(errors: Int, groups: [FailureGroup]) -> String? {
    let tests = groups.reduce(0) { $0 + $1.tests.count }
    let causes = groups.count == 1 ? "1 cause" : "\(groups.count) causes"
    let parts = [
      errors > 0 ? "\(errors) more errors (section errors)" : nil,
      tests > 0 ? "\(tests) more failing tests of \(causes) (section failures)" : nil,
    ].compactMap(\.self)
    let known = report.counts.failed > 0 || !report.errors.isEmpty
    guard !parts.isEmpty else {
      return known ? "Full output: get_run {\"run\": \"\(run)\", \"section\": \"log\"}" : nil
    }
    return "NOT SHOWN: \(parts.joined(separator: ", ")). Read on with get_run "
      + "{\"run\": \"\(run)\", \"section\": \"\(tests > 0 ? "failures" : "errors")\"}; "
      + "section log has all output."
  }

  // MARK: what was denied

  /// What the sandbox denied and the limits that were met, with what to do about it.
  /// - Parameter section: of `proctor.toml`.
  static func denied(_ receipt: SandboxReceipt, section: String) -> [String] {
    var blocks: [String] = []
    if !receipt.denied.isEmpty {
      let shown = receipt.denied.prefix(5)
      let rest = receipt.denied.dropFirst(5).reduce(receipt.deniedOmitted) { $0 + $1.count }
      let lines = shown.map { denial in
        let setting = denial.setting.map { "; [\(section)] \($0) in proctor.toml would allow it" }
        let times = denial.count > 1 ? " (\(denial.count) times)" : ""
        return
          "  - \(clean(denial.target, most: 160))\(times): \(denial.rule)\(setting ?? "")"
      }
      blocks.append(
        (["DENIED by the sandbox:"] + lines + (rest > 0 ? ["  - and \(rest) more"] : []) + [
          "  Whether that is allowed is for the user to decide: do not change a test, or other code, to avoid it."
        ]).joined(separator: "\n"))
    }
    if !receipt.reached.isEmpty {
      let lines = receipt.reached.prefix(5).map {
        "  - \($0.limit.rawValue): \(clean($0.evidence, most: 200))"
      }
      blocks.append(
        (["LIMITS met ([\(section)] in proctor.toml):"] + lines).joined(separator: "\n"))
    }
    return blocks
  }

  // MARK: lines

  private static let linesShown = 8

  /// The lines of a message that say what went wrong: the first, and those with what was expected and what came.
  private func essence(_ message: String) -> [String] {
    let all = message.unixLines.map { line($0, most: 240) }
      .filter { !$0.allSatisfy(\.isWhitespace) }
    guard all.count > Self.linesShown else { return all }
    let telling = all.dropFirst().filter(Self.isTelling)
    let chosen = telling.isEmpty ? Array(all.dropFirst()) : Array(telling)
    let shown = Array(all.prefix(1)) + chosen.prefix(Self.linesShown - 1)
    return shown + ["[... \(all.count - shown.count) lines ...]"]
  }

  private static let marks = [
    "expected", "actual", "received", "left:", "right:", "got", "want", "e  ", "+", "-", "assert",
  ]

  private static func isTelling(_ line: String) -> Bool {
    let text = line.drop(while: \.isWhitespace).prefix(12).lowercased()
    return marks.contains { text.hasPrefix($0) }
  }

  private func line(_ text: String, most: Int) -> String {
    Self.clean(workspace.isEmpty ? text : text.replacing("\(workspace)/", with: ""), most: most)
  }

  /// One line without control characters, cut in the middle of a scalar never.
  static func clean(_ text: String, most: Int) -> String {
    let surplus = text.unicodeScalars.count - most
    let kept = surplus > 0 ? String(text.unicodeScalars.prefix(most)) + "[...]" : text
    return kept.harmless(multiline: false)
  }
}

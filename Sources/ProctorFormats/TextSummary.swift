public import ProctorModel

/// Answers as text for people: failures first, the verdict last, where the eye is.
public enum TextSummary {
  /// Failures shown in full; further ones get a line each.
  private static let failuresInFull = 20
  private static let messageLimit = 4000
  private static let outputLines = 10
  private static let lineLimit = 500

  public static func render(_ report: Report, style: TextStyle) -> String {
    let failed = report.tests.filter { $0.outcome.countsAsFailed }
    var blocks = failed.prefix(failuresInFull).map { failure($0, style) }
    let rest = failed.dropFirst(failuresInFull)
    if !rest.isEmpty {
      blocks.append(
        "\(rest.count) more failures:\n"
          + rest.map { "  \(place($0)) \($0.test.fullName.harmless(multiline: false))" }
          .joined(separator: "\n"))
    }
    blocks += report.errors.map { error($0, style) }
    if !report.missing.isEmpty { blocks.append(missing(report.missing, style)) }
    blocks += report.adapters.compactMap { adapter in
      adapter.output.map {
        "The last words of \(adapter.project.title.harmless(multiline: false)):\n"
          + lastLines($0, outputLines).indented(by: 4)
      }
    }
    if let receipt = report.sandbox { blocks += sandbox(receipt, section: "tests", style) }
    if !report.writes.isEmpty { blocks.append(writes(report.writes, style)) }
    if let change = report.change { blocks.append(Self.change(change, style)) }
    blocks += reruns(report, style)
    blocks.append(adapters(report) + verdict(report, style))
    return blocks.joined(separator: "\n\n") + "\n"
  }

  public static func render(_ listing: Listing, style: TextStyle) -> String {
    var lines = listing.tests.map { $0.id.text.harmless(multiline: false) }
    lines += listing.errors.map { error($0, style) }
    if let message = listing.verdict.message { lines.append(message.harmless(multiline: true)) }
    lines.append("\(listing.tests.count) tests")
    return lines.joined(separator: "\n") + "\n"
  }

  public static func render(_ status: StatusAnswer, style: TextStyle) -> String {
    func row(_ available: Bool, _ name: String, _ detail: String) -> String {
      let mark = available ? style.mark("yes", .green) : style.mark("no ", .red)
      return "  \(mark)  \(name.padded(to: 22)) \(detail.harmless(multiline: false))"
    }
    var lines = ["proctor \(status.proctorVersion)", "", "Isolation"]
    lines += status.isolation.map { row($0.available, $0.name, $0.detail) }
    lines += ["", "This host, tried"]
    lines += status.host.map { row($0.available, $0.name, $0.detail) }
    lines += ["", "Runners in this workspace"]
    lines += status.runners.map { runner in
      let found =
        runner.problem ?? [runner.tool, runner.version].compactMap(\.self).joined(separator: " · ")
      return row(
        runner.problem == nil, "\(runner.adapter) at \(runner.root)",
        "\(runner.evidence) · \(found)")
    }
    if status.runners.isEmpty { lines.append("  none found") }
    let limits = status.configuration.tests
    lines += [
      "", "Configuration",
      "  proctor.toml \(status.configuration.file ? "read" : "absent, defaults"); isolation "
        + "\(status.configuration.isolation); tests: \(limits.wallSeconds.map { "\(Int($0)) s" } ?? "no time limit"), "
        + "\(limits.memoryMB.map { "\($0) MB" } ?? "no memory limit"), fetch \(status.configuration.fetch ? "on" : "off")",
    ]
    return lines.joined(separator: "\n") + "\n"
  }

  // MARK: parts

  private static func failure(_ result: TestResult, _ style: TextStyle) -> String {
    let name = result.test.fullName.harmless(multiline: false)
    let word = result.outcome == .failed ? "FAIL" : result.outcome.rawValue.uppercased()
    var lines = ["\(style.mark(word, .red)) \(style.mark(name, .bold))", "  \(place(result))"]
    let silent = Failure(message: result.last.rawStatus)
    for failure in result.last.failures.isEmpty ? [silent] : result.last.failures {
      if failure.location != result.last.failures.first?.location, let location = failure.location {
        lines.append("  \(location.text.harmless(multiline: false))")
      }
      let message = failure.message.isEmpty ? silent.message : failure.message
      lines.append(cut(message).harmless(multiline: true).indented(by: 4))
    }
    for (name, text) in [("stdout", result.last.stdout), ("stderr", result.last.stderr)] {
      guard let text = text?.nonEmpty, !text.text.allSatisfy(\.isWhitespace) else { continue }
      lines.append("    \(style.mark(name, .faint)):")
      lines.append(lastLines(text, outputLines).indented(by: 6))
    }
    return lines.joined(separator: "\n")
  }

  private static func place(_ result: TestResult) -> String {
    let location = result.last.failures.first?.location ?? result.test.definition
    return (location?.text ?? result.test.file ?? result.test.suite).harmless(multiline: false)
  }

  private static func error(_ error: RunError, _ style: TextStyle) -> String {
    let place = error.location.map { " \($0.text.harmless(multiline: false))" } ?? ""
    let code = error.code.map { "[\($0)] " } ?? ""
    let stage = "\(error.stage.rawValue.uppercased()) ERROR"
    return "\(style.mark(stage, .red))\(place)\n"
      + (code + cut(error.message)).harmless(multiline: true).indented(by: 4)
  }

  private static func missing(_ tests: [TestCase], _ style: TextStyle) -> String {
    let shown = tests.prefix(failuresInFull).map { "  \($0.fullName.harmless(multiline: false))" }
    let more = tests.count > shown.count ? ["  and \(tests.count - shown.count) more"] : []
    return (["\(style.mark("NO RESULT", .red)) for \(tests.count) tests:"] + shown + more)
      .joined(separator: "\n")
  }

  private static let writesShown = 5

  /// What was kept, a line each; what was not, in one line.
  private static func writes(_ writes: [WorkspaceWrite], _ style: TextStyle) -> String {
    func path(_ write: WorkspaceWrite) -> String { write.path.harmless(multiline: false) }
    let asked = writes.filter { $0.kept || $0.note != nil }
    var lines = asked.map { write in
      let note = write.note.map { ", not kept: \($0.harmless(multiline: false))" } ?? ""
      return
        "\(style.mark(write.kept ? "KEPT" : "WROTE", .faint)) \(path(write)) (\(write.change.rawValue)\(note))"
    }
    let others = writes.filter { !$0.kept && $0.note == nil }
    if !others.isEmpty {
      let names = others.prefix(writesShown).map(path).joined(separator: ", ")
      let rest = others.count > writesShown ? " and \(others.count - writesShown) more" : ""
      lines.append(
        "\(style.mark("WROTE", .faint)) to a copy of the workspace: \(names)\(rest) (--keep-writes keeps)"
      )
    }
    return lines.joined(separator: "\n")
  }

  private static let denialsShown = 10

  /// What the sandbox denied, and the limits that were met.
  /// - Parameter section: of `proctor.toml`, where what would allow it can be set.
  static func sandbox(
    _ receipt: SandboxReceipt, section: String, _ style: TextStyle
  ) -> [String] {
    var blocks: [String] = []
    if !receipt.denied.isEmpty {
      let all = receipt.denied.reduce(receipt.deniedOmitted) { $0 + $1.count }
      let shown = receipt.denied.prefix(denialsShown)
      let lines = shown.map { denial in
        let times = denial.count > 1 ? " (\(denial.count) times)" : ""
        let setting = denial.setting.map { "; [\(section)] \($0) would allow it" } ?? ""
        return "  \(denial.target.harmless(multiline: false))\(times): \(denial.rule)\(setting)"
      }
      let rest = all - shown.reduce(0) { $0 + $1.count }
      blocks.append(
        (["\(style.mark("DENIED", .yellow)) by the sandbox:"] + lines
          + (rest > 0 ? ["  and \(rest) more"] : [])).joined(separator: "\n"))
    }
    if !receipt.reached.isEmpty {
      let lines = receipt.reached.map {
        "  \($0.limit.rawValue): \($0.evidence.harmless(multiline: false))"
      }
      blocks.append(
        (["\(style.mark("LIMITS", .yellow)) met:"] + lines).joined(separator: "\n"))
    }
    return blocks
  }

  private static func adapters(_ report: Report) -> String {
    report.adapters.map { adapter in
      let counts = adapter.counts
      return
        "\(adapter.project.title.harmless(multiline: false).padded(to: 24)) \(counts.passed) passed, \(counts.failed) failed, "
        + "\(counts.skipped) skipped in \(humanTime(adapter.durationMS))\n"
    }.joined()
  }

  private static func verdict(_ report: Report, _ style: TextStyle) -> String {
    let counts = report.counts
    let numbers =
      "\(counts.passed) passed, \(counts.failed) failed, \(counts.skipped) skipped\(rerunNumbers(report))"
      + " in \(humanTime(report.durationMS))"
    let reason = report.verdict.reason.map { " (\($0.rawValue))" } ?? ""
    let message = report.verdict.message.map { ": \($0.harmless(multiline: false))" } ?? ""
    let bare = report.sandbox?.backend == "none" ? "\nnot isolated: ran bare on this machine" : ""
    let nearest =
      report.suggestions.isEmpty
      ? ""
      : "\nnearest: "
        + report.suggestions.map { $0.harmless(multiline: false) }.joined(separator: ", ")
    switch report.verdict.status {
    case .passed: return style.mark("PASSED", .green) + " \(numbers)\(bare)"
    case .failed, .partialFailure:
      return style.mark("FAILED", .red) + reason + message + "\n\(numbers)\(bare)"
    case .noTests: return style.mark("NO TESTS", .yellow) + reason + message + nearest + bare
    case .error: return style.mark("NO VERDICT", .red) + reason + message + "\n\(numbers)\(bare)"
    }
  }

  /// Counted in scalars: one character may be made of any number of them.
  private static func cut(_ message: String) -> String {
    let surplus = message.unicodeScalars.count - messageLimit
    guard surplus > 0 else { return message }
    return String(message.unicodeScalars.prefix(messageLimit))
      + "\n[... \(surplus) characters cut ...]"
  }

  private static func lastLines(_ text: CapturedText, _ count: Int) -> String {
    let lines = text.text.unixLines.drop { $0.isEmpty }
    let trimmed = lines.last?.isEmpty == true ? lines.dropLast() : lines
    let cut = trimmed.count > count ? "[... \(trimmed.count - count) lines before ...]\n" : ""
    return cut + trimmed.suffix(count).map(line).joined(separator: "\n")
  }

  private static func line(_ text: String) -> String {
    let surplus = text.unicodeScalars.count - lineLimit
    let kept = String(text.unicodeScalars.prefix(lineLimit)).harmless(multiline: true)
    return surplus > 0 ? "\(kept) [... \(surplus) characters cut ...]" : kept
  }
}

extension String {
  func padded(to width: Int) -> String {
    count >= width ? self : self + String(repeating: " ", count: width - count)
  }
}

import ProctorModel

// What people are told of tests that ran several times, and of those that the verdict leaves out.
extension TextSummary {
  private static let testsShown = 20

  /// Flaky and quarantined tests and notes, a block each; empty when there is nothing to say.
  static func reruns(_ report: Report, _ style: TextStyle) -> [String] {
    var blocks: [String] = []
    let flaky = report.flaky
    if !flaky.isEmpty, report.flakyPolicy != .pass {
      blocks.append(
        list(
          "\(style.mark("FLAKY", .yellow)) \(counted(flaky.count, "failed and passed")):",
          flaky.map(Self.flaky)))
    }
    let quarantined = report.quarantined
    if !quarantined.isEmpty {
      blocks.append(
        list(
          "\(style.mark("QUARANTINED", .yellow)) \(counted(quarantined.count, "failed and does not count", "failed and do not count")):",
          quarantined.map(Self.quarantined)))
    }
    if !report.notes.isEmpty {
      blocks.append(
        report.notes.map {
          "\(style.mark("NOTE", .faint)) \($0.harmless(multiline: false))"
        }.joined(separator: "\n"))
    }
    return blocks
  }

  /// Behind the numbers of a verdict: ` (2 flaky, 1 quarantined)`.
  static func rerunNumbers(_ report: Report) -> String {
    let shuffle = report.shuffle.map { shuffle in
      shuffle.projects.isEmpty ? nil : "shuffled with seed \(shuffle.seed)"
    }
    let parts = [
      report.flaky.isEmpty ? nil : "\(report.flaky.count) flaky",
      report.quarantined.isEmpty ? nil : "\(report.quarantined.count) quarantined",
      report.repetitions.map { "\($0) times" }, shuffle ?? nil,
    ].compactMap(\.self)
    return parts.isEmpty ? "" : " (\(parts.joined(separator: ", ")))"
  }

  private static func counted(_ count: Int, _ one: String, _ many: String? = nil) -> String {
    count == 1 ? "1 test \(one)" : "\(count) tests \(many ?? one)"
  }

  private static func list(_ title: String, _ lines: [String]) -> String {
    let more = lines.count - testsShown
    let rest = more > 0 ? ["  and \(more) more"] : []
    return ([title] + lines.prefix(testsShown) + rest).joined(separator: "\n")
  }

  private static func flaky(_ result: TestResult) -> String {
    let failed = result.attempts.filter { $0.outcome.countsAsFailed }
    let name = result.test.fullName.harmless(multiline: false)
    return "  \(name): \(failed.count) of \(result.attempts.count) times: \(said(failed.first))"
  }

  private static func quarantined(_ result: TestResult) -> String {
    guard let entry = result.quarantined?.entry else { return "" }
    let why = "\(entry.reason) (\(entry.owner), until \(entry.expires))"
    return
      "  \(result.test.fullName.harmless(multiline: false)): \(said(result.quarantined?.attempt))"
      + "\n    \(why.harmless(multiline: false))"
  }

  /// The first line of what went wrong.
  private static func said(_ attempt: Attempt?) -> String {
    let message = attempt?.firstMessage ?? ""
    let line = message.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
    return line.cut(200).harmless(multiline: false)
  }
}

import ProctorFormats
import ProctorModel

/// Answers about a history, for people.
public enum HistoryText {
  /// Executions that the line of outcomes shows.
  private static let lettersShown = 60

  // MARK: one test

  public static func tests(_ tests: [TestHistory]) -> String {
    tests.map(test).joined(separator: "\n")
  }

  private static func test(_ history: TestHistory) -> String {
    var lines = [history.test.id.text.harmless(multiline: false)]
    guard !history.attempts.isEmpty else { return lines[0] + "\nno executions\n" }
    let letters = history.attempts.prefix(lettersShown).reversed().map {
      letter($0.attempt.outcome)
    }
    lines.append("newest last: \(letters.joined())")
    if let trend = history.trend {
      lines.append("time: \(time(trend.recentMS)) lately, \(time(trend.earlierMS)) before")
    }
    if let flakiness = history.flakiness, flakiness.codes > 0 {
      lines.append("flaky: \(chance(flakiness)), \(codes(flakiness))")
    }
    let rows = history.attempts.map { recorded in
      [
        moment(recorded.run.date), code(recorded.run.code), recorded.run.code.branch ?? "",
        recorded.attempt.outcome.rawValue, "\(recorded.attempt.number)",
        recorded.attempt.durationMS.map(time) ?? "",
        [recorded.attempt.message, recorded.attempt.location?.text].compactMap(\.self)
          .joined(separator: " at "),
      ]
    }
    let heads = ["began", "code", "branch", "outcome", "attempt", "time", ""]
    let more = history.areMore ? "older ones: --limit\n" : ""
    return lines.joined(separator: "\n") + "\n\n" + table(heads, rows) + more
  }

  private static func letter(_ outcome: Outcome) -> String {
    switch outcome {
    case .passed: "."
    case .failed: "F"
    case .skipped: "s"
    case .errored: "E"
    case .timedOut: "T"
    case .crashed: "C"
    }
  }

  /// `1a2b3c4d`, with `+` for a tree with changes and `?` for one of which it is not known.
  private static func code(_ code: CodeOrigin) -> String {
    if code.isPatched { return "patched" }
    let mark =
      switch code.isClean {
      case true: ""
      case false: "+"
      case nil: "?"
      }
    return code.commit.map { $0.prefix(8) + mark } ?? ""
  }

  // MARK: lists

  public static func slowest(_ all: [TestDuration], limit: Int) -> String {
    guard !all.isEmpty else { return "no times are known\n" }
    let rows = all.prefix(limit).map {
      [time($0.medianMS), time($0.p95MS), percent($0.share), "\($0.samples)", $0.id.text]
    }
    let sum = all.reduce(0) { $0 + $1.medianMS }
    return table(["median", "p95", "share", "runs", "test"], rows)
      + "\(all.count) tests take \(time(sum)) together\n"
  }

  public static func flaky(_ all: [Flakiness], limit: Int) -> String {
    guard !all.isEmpty else { return "no test has passed and failed on the same code\n" }
    let rows = all.prefix(limit).map {
      [
        chance($0), codes($0), $0.lastSeen.map(moment) ?? "", $0.id.text, $0.message ?? "",
      ]
    }
    let more = all.count > limit ? "\(all.count - limit) more: --limit\n" : ""
    return table(["fails", "evidence", "last seen", "test", ""], rows) + more
  }

  /// `12 % (3 to 36 %) of 40`.
  private static func chance(_ flakiness: Flakiness) -> String {
    guard let probability = flakiness.probability, let interval = flakiness.interval else {
      return ""
    }
    let bounds = [interval.lower, interval.upper].map { "\(Int(($0 * 100).rounded()))" }
    return "\(percent(probability)) (\(bounds.joined(separator: " to ")) %) "
      + "of \(flakiness.passes + flakiness.failures)"
  }

  private static func codes(_ flakiness: Flakiness) -> String {
    flakiness.codes == 1 ? "both on 1 code" : "both on \(flakiness.codes) codes"
  }

  // MARK: parts

  private static func percent(_ share: Double) -> String {
    let tenths = Int((share * 1000).rounded())
    return tenths >= 100 ? "\((tenths + 5) / 10) %" : "\(tenths / 10).\(tenths % 10) %"
  }

  private static func time(_ milliseconds: Double) -> String {
    guard milliseconds < 10 else { return humanTime(milliseconds) }
    let hundredths = Int((milliseconds * 100).rounded())
    let rest = hundredths % 100
    return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest) ms"
  }

  /// To the second.
  private static func moment(_ date: Double) -> String {
    String(Timestamp.text(date).prefix(19)) + "Z"
  }

  private static func table(_ heads: [String], _ rows: [[String]]) -> String {
    let all = ([heads] + rows).map { $0.map { $0.harmless(multiline: false) } }
    let widths = heads.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
    return all.map { cells in
      let line = zip(cells, widths).map { $0.padded(to: $1) }.joined(separator: "  ")
      return String(line.reversed().drop { $0 == " " }.reversed()) + "\n"
    }.joined()
  }
}

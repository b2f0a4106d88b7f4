import ProctorModel

/// The outcome of every test of a run, for comparing runs.
struct RunOutcomes: Codable, Sendable {
  let ids: [String]
  /// A letter for each of `ids`: `p`assed, `f`ailed, `s`kipped, `e`rrored, `t`imed out, `c`rashed.
  let outcomes: String

  init(ids: [String], outcomes: String) {
    self.ids = ids
    self.outcomes = outcomes
  }

  init(_ report: Report) {
    ids = report.tests.map(\.test.id.text)
    outcomes = String(report.tests.map { $0.outcome.letter })
  }

  /// A report without `--details` tells of those that failed only.
  init(_ report: RecordedReport) {
    let tests =
      report.tests?.map { ($0.id, $0.outcome) } ?? report.failures.map { ($0.id, $0.outcome) }
    ids = tests.map(\.0)
    outcomes = String(tests.map { $0.1.letter })
  }

  func write(to buffer: inout JSONBuffer) {
    buffer.append(#"{"ids":"#)
    buffer.append(list: ids) { $0.append(string: $1) }
    buffer.append(#","outcomes":"#, outcomes)
    buffer.append("}")
  }

  /// nil when the two do not fit together.
  var letters: [String: Character]? {
    guard ids.count == outcomes.utf8.count else { return nil }
    return Dictionary(zip(ids, outcomes), uniquingKeysWith: { $1 })
  }
}

extension Outcome {
  fileprivate var letter: Character {
    switch self {
    case .passed: "p"
    case .failed: "f"
    case .skipped: "s"
    case .errored: "e"
    case .timedOut: "t"
    case .crashed: "c"
    }
  }
}

/// What became of the tests of a run in the runs before it.
public struct RunHistory: Encodable, Sendable {
  /// Runs that are compared at most.
  public static let limit = 20

  /// The oldest first; the last is the run itself.
  let runs: [String]
  /// A letter for each of `runs`, `-` where the test was not part of it. A test that passed in all of them is left out.
  let outcomes: [String: String]

  /// - Parameter past: the oldest first; the last is the run itself.
  init(_ past: [(run: String, outcomes: RunOutcomes)]) {
    let known = past.suffix(Self.limit).compactMap { part in
      part.outcomes.letters.map { (part.run, $0) }
    }
    runs = known.map(\.0)
    guard let last = known.last?.1 else {
      outcomes = [:]
      return
    }
    var outcomes: [String: String] = [:]
    let uneventful = String(repeating: "p", count: known.count)
    for id in last.keys {
      let letters = String(known.map { $0.1[id] ?? "-" })
      if letters != uneventful { outcomes[id] = letters }
    }
    self.outcomes = outcomes
  }
}

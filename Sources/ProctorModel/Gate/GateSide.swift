/// A test as one side of a gate has it.
public struct GateTest: Hashable, Sendable {
  public let id: TestID
  public let name: String
  public let fullName: String
  /// Relative to the workspace; nil when unknown.
  public let file: String?
  /// Where it starts, 1-based; nil when unknown.
  public let line: Int?
  public let outcome: Outcome
  /// Its attempts both failed and passed.
  public let isFlaky: Bool
  /// It failed, and a quarantine file keeps that out of the run's verdict.
  public let isQuarantined: Bool
  /// Milliseconds of the last attempt; nil when unknown.
  public let durationMS: Double?
  /// What went wrong first in the last attempt; nil for one that did not fail.
  public let error: String?
  public let place: SourceLocation?

  public init(
    id: TestID, name: String, fullName: String, file: String? = nil, line: Int? = nil,
    outcome: Outcome, isFlaky: Bool = false, isQuarantined: Bool = false,
    durationMS: Double? = nil, error: String? = nil, place: SourceLocation? = nil
  ) {
    self.id = id
    self.name = name
    self.fullName = fullName
    self.file = file
    self.line = line
    self.outcome = outcome
    self.isFlaky = isFlaky
    self.isQuarantined = isQuarantined
    self.durationMS = durationMS
    self.error = error
    self.place = place
  }

  /// The same with the file that holds it.
  public func located(in file: String) -> GateTest {
    GateTest(
      id: id, name: name, fullName: fullName, file: file, line: line, outcome: outcome,
      isFlaky: isFlaky, isQuarantined: isQuarantined, durationMS: durationMS, error: error,
      place: place)
  }

  /// The runner's word that stands for a failure which a quarantine file keeps out of the verdict.
  public static let quarantined = "quarantined"

  public init(_ result: TestResult) {
    let outcomes = result.attempts.map(\.outcome)
    let failure = result.outcome.countsAsFailed ? result.last.failures.first : nil
    self.init(
      id: result.test.id, name: result.test.name, fullName: result.test.fullName,
      file: result.test.file, line: result.test.definition?.line, outcome: result.outcome,
      isFlaky: outcomes.contains(.passed) && outcomes.contains(where: \.countsAsFailed),
      isQuarantined: result.outcome == .skipped && result.last.rawStatus == Self.quarantined,
      durationMS: result.last.durationMS,
      error: result.outcome.countsAsFailed
        ? failure?.message.isEmpty == false ? failure?.message : result.last.rawStatus : nil,
      place: failure?.location)
  }
}

/// What is known of all tests on one side of a gate.
public struct GateSide: Sendable {
  public enum Source: String, Sendable, Codable {
    /// The tests were run for this answer.
    case run
    /// A file that an earlier run wrote.
    case report
    /// The workspace's history.
    case history
  }

  public let source: Source
  public let verdict: Verdict
  public let counts: Counts
  public let tests: [GateTest]
  /// Listed, but without an outcome.
  public let missing: Set<TestID>
  /// Errors outside any test.
  public let errors: [RunError]
  /// Why it does not say of each test what became of it, as the end of a sentence; nil when it does.
  public let problem: String?
  /// What else its run said, in sentences: skipped files, for one, whose tests are missed.
  public private(set) var notes: [String] = []

  public init(
    source: Source, verdict: Verdict, counts: Counts, tests: [GateTest],
    missing: Set<TestID> = [], errors: [RunError] = [], problem: String? = nil
  ) {
    self.source = source
    self.verdict = verdict
    self.counts = counts
    self.tests = tests
    self.missing = missing
    self.errors = errors
    self.problem =
      problem
      ?? Self.problem(verdict, tests: tests, counts: counts)
  }

  /// - Parameter problem: what the report itself does not say.
  public init(_ report: Report, source: Source, problem: String? = nil) {
    self.init(
      source: source, verdict: report.verdict, counts: report.counts,
      tests: report.tests.map(GateTest.init), missing: Set(report.missing.map(\.id)),
      errors: report.errors,
      problem: problem
        ?? (report.unlisted == nil
          ? nil : "lists only the tests that failed: it was written without --details"))
    notes = report.notes
  }

  /// Nothing is known of it.
  public init(source: Source, unknown problem: String) {
    self.init(
      source: source, verdict: Verdict(status: .error), counts: Counts([]), tests: [],
      problem: problem)
  }

  private static func problem(
    _ verdict: Verdict, tests: [GateTest], counts: Counts
  ) -> String? {
    if verdict.status == .error {
      let why = verdict.message ?? verdict.reason?.rawValue ?? "nothing says why"
      return "has no verdict: \(why)"
    }
    if verdict.reason == .emptySelection { return "is of a selection that matched no test" }
    if tests.count != counts.total {
      return "counts \(counts.total) tests and lists \(tests.count)"
    }
    var seen: Set<TestID> = []
    if let twice = tests.first(where: { !seen.insert($0.id).inserted }) {
      return "lists the test \(twice.id) twice"
    }
    return nil
  }

  /// Why nothing can be compared with it, as `problem`: where code did not build or collect, tests that are there are
  /// not in its list.
  public var problemAsBase: String? {
    if let problem { return problem }
    if let error = errors.first(where: { $0.stage != .suite }) {
      return "did not build or collect everything: \(error.message.prefix(200))"
    }
    return missing.isEmpty ? nil : "has no outcome for \(missing.count) of its tests"
  }

  /// Whether its red verdict has a test or an error that explains it; a green one needs none.
  public var isExplained: Bool {
    switch verdict.status {
    case .passed, .noTests, .error: true
    case .partialFailure, .failed:
      !errors.isEmpty || tests.contains { $0.outcome.countsAsFailed || $0.isFlaky }
    }
  }
}

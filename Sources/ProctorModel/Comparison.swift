/// Candidates beside the workspace as it is, best first.
public struct Comparison: Sendable {
  /// The same tests on one state of the code.
  public struct Run: Sendable {
    public let verdict: Verdict
    public let counts: Counts
    /// What running the tests took, without building.
    public let testsMS: Double

    public init(_ report: Report) {
      verdict = report.verdict
      counts = report.counts
      testsMS = report.adapters.flatMap(\.commands).filter { $0.purpose == .run }
        .reduce(0) { $0 + $1.durationMS }
    }
  }

  /// A test that is not as it was.
  public struct Difference: Hashable, Sendable {
    public let id: TestID
    public let before: Outcome
    /// nil when the test is gone.
    public let after: Outcome?

    public init(id: TestID, before: Outcome, after: Outcome?) {
      self.id = id
      self.before = before
      self.after = after
    }
  }

  public struct Row: Sendable {
    public let name: String
    /// nil when it could not be laid out.
    public let change: CandidateChange?
    public let run: Run?
    /// Tests that passed before and do not now: they fail, are skipped, or are gone.
    public let regressions: [Difference]
    /// Tests that failed before and pass now.
    public let fixes: [Difference]
    /// In the order they were asked for.
    public let benchmarks: [Benchmark]
    /// Why it could not be run, in a sentence.
    public let problem: String?

    public init(
      name: String, change: CandidateChange?, run: Run?, regressions: [Difference] = [],
      fixes: [Difference] = [], benchmarks: [Benchmark] = [], problem: String? = nil
    ) {
      self.name = name
      self.change = change
      self.run = run
      self.regressions = regressions
      self.fixes = fixes
      self.benchmarks = benchmarks
      self.problem = problem
    }

    /// It passes, and nothing that passed before does not now.
    public var isAcceptable: Bool { run?.verdict.status == .passed && regressions.isEmpty }
    public var touchesTests: Bool { change?.touchingTests.isEmpty == false }
  }

  public let base: Run
  public let rows: [Row]
  /// The user interrupted it: candidates may be missing, and what there is decides nothing.
  public let isInterrupted: Bool
  public let sandbox: SandboxReceipt?
  public let durationMS: Double

  /// Differences that answers list of each kind.
  public static let listed = 100

  public init(
    base: Run, rows: [Row], isInterrupted: Bool = false, sandbox: SandboxReceipt?,
    durationMS: Double
  ) {
    self.base = base
    self.isInterrupted = isInterrupted
    self.rows = rows.enumerated().sorted { left, right in
      let (first, second) = (Self.rank(left.element), Self.rank(right.element))
      return first == second
        ? left.offset < right.offset : first.lexicographicallyPrecedes(second)
    }.map(\.element)
    self.sandbox = sandbox
    self.durationMS = durationMS
  }

  public var best: Row? {
    rows.first.flatMap { $0.isAcceptable && !isInterrupted ? $0 : nil }
  }

  /// Smaller is better: what the tests say, then whether they may still be believed, then the speed of benchmarks, then
  /// the size of the change. The time of tests is shown and does not rank: one run of a suite says too little.
  private static func rank(_ row: Row) -> [Double] {
    guard let run = row.run, let change = row.change else { return [3] }
    let verdict =
      switch run.verdict.status {
      case .passed: 0
      case .partialFailure, .failed, .noTests: 1
      case .error: 2
      }
    let tests = [
      verdict, row.regressions.count, run.counts.failed, -row.fixes.count, row.touchesTests ? 1 : 0,
    ]
    let size = [change.insertions + change.deletions, change.files.count]
    return tests.map(Double.init) + [row.speedRatio ?? 1] + size.map(Double.init)
  }
}

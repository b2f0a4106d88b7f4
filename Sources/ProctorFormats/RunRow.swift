public import ProctorModel

/// What a list of runs says of one: a row of `GET /runs`, and a point of the trends.
public struct RunRow: Codable, Hashable, Sendable {
  /// Scalars of a selection that are kept.
  private static let selectionLimit = 1000

  /// By which it is asked for.
  public let run: String
  /// `run_all_tests` or `run_test`.
  public let operation: String
  /// The filter or the test that was asked for; nil for everything there is.
  public let selection: String?
  /// A verdict's, or `running`.
  public let status: String
  public let reason: String?
  public let started_at: String?
  public let execution_time_ms: Double
  public let total_tests: Int
  public let passed: Int
  public let failed: Int
  public let skipped: Int
  /// Equal for runs on the same code; nil when that is not known.
  public let code_state: String?

  /// - Parameter asked: when it was asked for, seconds since 1970, for a run in which nothing began; nil for unknown.
  public init(
    _ report: Report, run: String, operation: String, selection: String?, asked: Double? = nil
  ) {
    let counts = report.counts
    self.run = run
    self.operation = operation
    self.selection = selection?.cut(Self.selectionLimit)
    status = report.verdict.status.rawValue
    reason = report.verdict.reason?.rawValue
    started_at = (report.beginning?.date ?? asked).map(Timestamp.text)
    execution_time_ms = report.durationMS.rounded3
    total_tests = counts.total
    passed = counts.passed
    failed = counts.failed
    skipped = counts.skipped
    code_state = report.beginning?.codeState
  }

  init(_ report: RecordedReport, run: String) {
    self.run = run
    operation = report.operation ?? "run_all_tests"
    selection = report.selection
    status = report.status.rawValue
    reason = report.reason?.rawValue
    started_at = report.started_at
    execution_time_ms = report.execution_time_ms
    total_tests = report.total_tests
    passed = report.passed
    failed = report.failed
    skipped = report.skipped
    code_state = report.code_state
  }

  /// The same by another name.
  public func named(_ run: String) -> RunRow {
    RunRow(self, run: run)
  }

  private init(_ other: RunRow, run: String) {
    self.run = run
    (operation, selection) = (other.operation, other.selection)
    (status, reason, started_at) = (other.status, other.reason, other.started_at)
    execution_time_ms = other.execution_time_ms
    (total_tests, passed) = (other.total_tests, other.passed)
    (failed, skipped, code_state) = (other.failed, other.skipped, other.code_state)
  }

  /// Of a run that goes on.
  /// - Parameter startedAt: seconds since 1970.
  public init(
    running run: String, operation: String, startedAt: Double, durationMS: Double, passed: Int,
    failed: Int, skipped: Int
  ) {
    self.run = run
    self.operation = operation
    (selection, reason, code_state) = (nil, nil, nil)
    status = "running"
    started_at = Timestamp.text(startedAt)
    execution_time_ms = durationMS.rounded3
    total_tests = passed + failed + skipped
    self.passed = passed
    self.failed = failed
    self.skipped = skipped
  }
}

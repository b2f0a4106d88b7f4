public import ProctorModel

/// A run as the history keeps it.
public struct HistoryRun: Hashable, Sendable {
  /// What it ran on and with.
  public struct Environment: Hashable, Sendable, Codable {
    /// `Debian GNU/Linux 13 (trixie)`; nil when the system does not say.
    public var os: String?
    /// `x86_64`.
    public var architecture: String?
    /// Whether a CI engine ran it.
    public var ci: Bool
    /// Each runner's version, where known; several of one runner behind one another.
    public var tools: [String: String]

    public init(os: String?, architecture: String?, ci: Bool, tools: [String: String]) {
      self.os = os
      self.architecture = architecture
      self.ci = ci
      self.tools = tools
    }
  }

  public struct Counts: Hashable, Sendable {
    public let passed: Int
    public let failed: Int
    public let skipped: Int
    public var total: Int { passed + failed + skipped }

    public init(passed: Int, failed: Int, skipped: Int) {
      self.passed = passed
      self.failed = failed
      self.skipped = skipped
    }
  }

  /// Unique on all machines; the name that `RunArchive` keeps it by, where it does.
  public let key: String
  /// When it began, seconds since 1970, to the millisecond.
  public let date: Double
  /// `run_all_tests` or `run_test`.
  public let operation: String
  /// What was asked for; nil for everything.
  public let selection: String?
  /// A verdict's status and reason.
  public let status: String
  public let reason: String?
  /// Wall-clock milliseconds.
  public let durationMS: Double
  public let counts: Counts
  /// Whether there were tests, each that was to run has an outcome, and nothing went wrong outside of tests.
  public let isComplete: Bool
  /// Whether all tests of the workspace were to run.
  public let isOfEverything: Bool
  public let code: CodeOrigin
  public let machine: String
  public let environment: Environment

  /// Whether its outcomes can be held against those of another one of the same code.
  public var isEvidence: Bool { code.identity != nil && status != Verdict.Status.error.rawValue }

  /// - Parameters:
  ///   - selection: what was asked for, a shard included; nil for everything.
  /// - Returns: nil for a run in which nothing began.
  public init?(
    _ report: Report, key: String, operation: String, selection: String?, code: CodeOrigin,
    machine: String, environment: Environment
  ) {
    guard let beginning = report.beginning else { return nil }
    let counts = report.counts
    self.init(
      key: key, date: (beginning.date * 1000).rounded() / 1000, operation: operation,
      selection: selection, status: report.verdict.status.rawValue,
      reason: report.verdict.reason?.rawValue, durationMS: report.durationMS,
      counts: Counts(passed: counts.passed, failed: counts.failed, skipped: counts.skipped),
      isComplete: report.missing.isEmpty && report.errors.isEmpty
        && [.passed, .partialFailure, .failed].contains(report.verdict.status),
      isOfEverything: selection == nil, code: code, machine: machine, environment: environment)
  }

  init(
    key: String, date: Double, operation: String, selection: String?, status: String,
    reason: String?, durationMS: Double, counts: Counts, isComplete: Bool, isOfEverything: Bool,
    code: CodeOrigin, machine: String, environment: Environment
  ) {
    self.key = key
    self.date = date
    self.operation = operation
    self.selection = selection
    self.status = status
    self.reason = reason
    self.durationMS = durationMS
    self.counts = counts
    self.isComplete = isComplete
    self.isOfEverything = isOfEverything
    self.code = code
    self.machine = machine
    self.environment = environment
  }
}

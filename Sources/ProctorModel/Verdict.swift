/// The one answer about a run.
public struct Verdict: Hashable, Sendable {
  public enum Status: String, Sendable, Codable, CaseIterable {
    /// At least one test ran, none failed, nothing is unaccounted for.
    case passed
    /// Some tests passed and some failed.
    case partialFailure = "partial_failure"
    /// No test passed, or the code did not build or collect.
    case failed
    /// The selection is empty.
    case noTests = "no_tests"
    /// No verdict can be given.
    case error
  }

  /// Why, in one word; a closed list.
  public enum Reason: String, Sendable, Codable, CaseIterable {
    // failed, partial_failure
    case testsFailed = "tests_failed"
    /// No test failed for good, and some failed before they passed.
    case flaky
    case buildFailed = "build_failed"
    case collectionFailed = "collection_failed"
    case suiteFailed = "suite_failed"
    case dependencyMissing = "dependency_missing"
    case configurationBroken = "configuration_broken"
    // no_tests
    case nothingDetected = "nothing_detected"
    case emptySelection = "empty_selection"
    case allSkipped = "all_skipped"
    // error
    case toolMissing = "tool_missing"
    case sandboxUnavailable = "sandbox_unavailable"
    case crashed
    case reportLost = "report_lost"
    case reportCorrupt = "report_corrupt"
    case testsMissing = "tests_missing"
    /// A test that is quarantined does not exist.
    case quarantineStale = "quarantine_stale"
    case exitMismatch = "exit_mismatch"
    case timedOut = "timed_out"
    case outOfMemory = "out_of_memory"
    case cpuLimit = "cpu_limit"
    case scratchLimit = "scratch_limit"
    case outputLimit = "output_limit"
    case interrupted
    /// A service had no room for it.
    case busy
    case storage
    case usage
    case workspace
  }

  public let status: Status
  /// nil when passed.
  public let reason: Reason?
  /// A sentence for people; nil when passed.
  public let message: String?

  public init(status: Status, reason: Reason? = nil, message: String? = nil) {
    self.status = status
    self.reason = reason
    self.message = message
  }
}

/// How one execution of a test ended.
public enum Outcome: String, Sendable, Codable, CaseIterable {
  case passed
  case failed
  /// Not run or not counted, at the runner's own word: skipped, ignored, todo, expected failure.
  case skipped
  /// It broke outside its own assertions: set-up, tear-down, a missing fixture.
  case errored
  case timedOut = "timed_out"
  case crashed

  /// Whether the test counts as failed in the totals.
  public var countsAsFailed: Bool {
    switch self {
    case .failed, .errored, .timedOut, .crashed: true
    case .passed, .skipped: false
    }
  }
}

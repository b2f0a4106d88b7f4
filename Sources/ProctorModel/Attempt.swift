/// One execution of a test.
public struct Attempt: Hashable, Sendable {
  public let outcome: Outcome
  /// The runner's own word for it: `xfail`, `ignored`, `todo`.
  public let rawStatus: String
  /// Milliseconds, finite and not negative; nil when the runner does not say, or what it says is no time.
  public let durationMS: Double?
  /// What went wrong, in the order it happened; empty unless the outcome counts as failed.
  public let failures: [Failure]
  /// Why it was skipped or expected to fail, in the author's words.
  public let note: String?
  public let stdout: CapturedText?
  public let stderr: CapturedText?
  /// Milliseconds between the run's beginning and its own; nil when the runner does not say that it begins.
  public var startedMS: Double?
  /// The runner's own name of the process that ran it: `gw0`; nil when there is but one or the runner does not say.
  public var worker: String?

  public init(
    outcome: Outcome, rawStatus: String, durationMS: Double? = nil, failures: [Failure] = [],
    note: String? = nil, stdout: CapturedText? = nil, stderr: CapturedText? = nil,
    startedMS: Double? = nil, worker: String? = nil
  ) {
    self.outcome = outcome
    self.rawStatus = rawStatus
    self.durationMS = durationMS.flatMap { $0.isFinite && $0 >= 0 ? $0 : nil }
    self.failures = failures
    self.note = note
    self.stdout = stdout
    self.stderr = stderr
    self.startedMS = startedMS
    self.worker = worker
  }
}

extension Attempt {
  /// Whether the runner itself counts it as failed; a test that only proctor caught has the raw status
  /// `passed`.
  public var isFailedByRunner: Bool { outcome.countsAsFailed && rawStatus != "passed" }
}

/// One thing that went wrong in a test: a failed assertion, an exception, a panic.
public struct Failure: Hashable, Sendable {
  public let message: String
  /// Where the assertion failed, in the user's own code; nil when unknown, never guessed.
  public let location: SourceLocation?
  /// The user's own frames, innermost first.
  public let frames: [Frame]
  /// How the place was found; nil for proctor's own runners, which say it.
  public let origin: LocationOrigin?

  public init(
    message: String, location: SourceLocation? = nil, frames: [Frame] = [],
    origin: LocationOrigin? = nil
  ) {
    self.message = message
    self.location = location
    self.frames = frames
    self.origin = origin
  }
}

/// One call on the way to a failure.
public struct Frame: Hashable, Sendable, Codable {
  public let function: String?
  public let file: String
  public let line: Int?

  public init(function: String?, file: String, line: Int?) {
    self.function = function
    self.file = file
    self.line = line
  }
}

public import FoundationEssentials

/// What became of one call.
public struct FunctionAnswer: Sendable {
  /// JSON text of the result; nil when there is none.
  public let result: Data?
  /// `debug` when the result is a text for people, `err` when a Rust function returned an `Err`.
  public let form: String?
  /// Whether a sequence without end was cut.
  public let isTruncated: Bool
  public let failure: FunctionFailure?
  /// What was asked for with `FunctionCall.timing`; nil when there is none.
  public let measurement: Measurement?
  /// The call alone when it came to its end, else the whole process.
  public let executionTimeMS: Double
  public let stdout: CapturedText
  public let stderr: CapturedText
  public let peakMemoryMB: Double?
  /// nil when nothing was run.
  public let sandbox: SandboxReceipt?
  /// Of the language's tools; nil when nothing was run, or they do not tell.
  public let toolVersion: String?

  public init(
    result: Data?, form: String? = nil, isTruncated: Bool = false, failure: FunctionFailure?,
    measurement: Measurement? = nil, executionTimeMS: Double, stdout: CapturedText,
    stderr: CapturedText,
    peakMemoryMB: Double? = nil, sandbox: SandboxReceipt?, toolVersion: String? = nil
  ) {
    self.result = result
    self.form = form
    self.isTruncated = isTruncated
    self.failure = failure
    self.measurement = measurement
    self.executionTimeMS = executionTimeMS
    self.stdout = stdout
    self.stderr = stderr
    self.peakMemoryMB = peakMemoryMB
    self.sandbox = sandbox
    self.toolVersion = toolVersion
  }

  /// Nothing was run.
  public init(_ failure: FunctionFailure) {
    self.init(
      result: nil, failure: failure, executionTimeMS: 0, stdout: CapturedText(text: ""),
      stderr: CapturedText(text: ""), sandbox: nil)
  }
}

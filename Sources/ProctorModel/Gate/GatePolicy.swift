/// `[gate]`: what keeps a change from being merged.
public struct GatePolicy: Hashable, Sendable {
  /// Tests that may be removed or skipped.
  public enum Allowed: Hashable, Sendable {
    case id(TestID)
    /// A regular expression, matched anywhere in full names.
    case pattern(String)

    /// As the file has it.
    public var text: String {
      switch self {
      case .id(let id): id.text
      case .pattern(let pattern): pattern
      }
    }
  }

  /// What a test means that both failed and passed on the same code.
  public enum Flaky: String, Sendable, Codable, CaseIterable {
    /// It blocks.
    case fail
    /// It blocks only where its last attempt failed.
    case warn
    /// It never blocks.
    case pass
  }

  public var blocksNewFailures = true
  public var blocksKnownFailures = false
  public var blocksRemoved = true
  public var blocksNewlySkipped = true
  /// By a count of assertions, which is a heuristic: off unless asked for.
  public var blocksWeakened = false
  public var blocksFewerTests = false
  public var allowRemoved: [Allowed] = []
  public var allowSkipped: [Allowed] = []
  public var flaky = Flaky.warn
  /// Tests that must pass or fail, not be skipped; nil for no such number.
  public var minTests: Int?
  /// Percent by which tests may take longer than in base; nil: that is not looked at.
  public var maxSlowdownPercent: Double?

  public init() {}
}

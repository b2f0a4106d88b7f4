public import ProctorModel

/// Everything that a gate decides by.
public struct GateInput: Sendable {
  public let head: GateSide
  public let base: GateSide
  public let policy: GatePolicy
  /// nil where there is no repository to see it in.
  public let change: GateChange?
  /// Tests that failed in head, and passed on the same code as the history has it; in a sentence.
  public let flakyEvidence: [TestID: String]

  public init(
    head: GateSide, base: GateSide, policy: GatePolicy, change: GateChange? = nil,
    flakyEvidence: [TestID: String] = [:]
  ) {
    self.head = head
    self.base = base
    self.policy = policy
    self.change = change
    self.flakyEvidence = flakyEvidence
  }
}

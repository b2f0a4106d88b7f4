/// A limit that a command met, with the evidence for it.
public struct ReachedLimit: Hashable, Sendable, Codable {
  public let limit: ResourceLimits.Name
  /// What was seen, in a sentence: `the kernel refused 12 processes`.
  public let evidence: String
  /// Whether the command was killed for it; otherwise calls failed inside.
  public let isFatal: Bool

  public init(_ limit: ResourceLimits.Name, evidence: String, isFatal: Bool) {
    self.limit = limit
    self.evidence = evidence
    self.isFatal = isFatal
  }

  private enum CodingKeys: String, CodingKey {
    case limit, evidence
    case isFatal = "fatal"
  }
}

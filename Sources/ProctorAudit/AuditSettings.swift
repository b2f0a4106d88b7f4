/// What the user wants of the audit trail.
public struct AuditSettings: Sendable, Hashable {
  /// Calls that cannot be recorded are refused.
  public var isRequired = false
  /// Older entries are removed.
  public var retentionDays = 90
  /// Megabytes (2^20 bytes) from which on the oldest entries are removed.
  public var maxMegabytes = 256

  public init() {}
}

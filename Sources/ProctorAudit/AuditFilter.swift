import FoundationEssentials

/// Which calls are wanted.
public struct AuditFilter: Sendable, Hashable {
  public static let limits = 1...10_000

  /// The newest so many.
  public var limit = 50
  public var door: AuditDoorKind?
  public var operation: String?
  /// How the call ended, in a word of its answer, or `lost` or `running`.
  public var status: String?
  /// Not before this moment: RFC 3339, in UTC.
  public private(set) var since: String?
  /// Absolute; nil for all.
  public var workspace: String?
  /// Only older calls: to go on after the last one of a list.
  public var before: Int64?

  public init() {}

  /// - Parameter text: `2026-11-22`, `2026-11-22T10:00:00Z`, `2h`, `7d`.
  /// - Returns: false when it is none of these.
  public mutating func setSince(_ text: String) -> Bool {
    guard let date = AuditClock.moment(text) else { return false }
    since = AuditClock.text(date)
    return true
  }
}

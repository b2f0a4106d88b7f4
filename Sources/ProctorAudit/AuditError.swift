/// The audit trail cannot be written or read.
public struct AuditError: Error, Hashable, Sendable {
  public let message: String
  /// What the user can do about it.
  public let resolution: String

  public init(_ message: String, resolution: String) {
    self.message = message
    self.resolution = resolution
  }
}

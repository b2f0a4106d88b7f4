public import FoundationEssentials

/// One call as a door takes it in.
public struct AuditCall: Sendable {
  /// The contract's name.
  public let operation: String
  /// Absolute; nil when the call has none.
  public let workspace: String?
  /// A JSON object; nil for none.
  public var arguments: Data?
  /// What the caller said it is for.
  public var reason: String?
  public var policy: AuditPolicy

  public init(
    _ operation: String, workspace: String?, arguments: Data? = nil, reason: String? = nil,
    policy: AuditPolicy
  ) {
    self.operation = operation
    self.workspace = workspace
    self.arguments = arguments
    self.reason = reason
    self.policy = policy
  }
}

/// Where calls come from.
public enum AuditDoorKind: String, Sendable, CaseIterable {
  case commandLine = "command_line"
  case mcp
  case http
}

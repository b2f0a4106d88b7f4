/// A file that tests wrote to the protected workspace.
public struct WorkspaceWrite: Hashable, Sendable, Codable {
  public enum Change: String, Sendable, Codable {
    case added, modified, deleted
  }

  /// Relative to the workspace.
  public let path: String
  public let change: Change
  /// Whether the workspace has it now.
  public let kept: Bool
  /// Why it was not kept although that was asked for.
  public let note: String?

  public init(path: String, change: Change, kept: Bool, note: String? = nil) {
    self.path = path
    self.change = change
    self.kept = kept
    self.note = note
  }
}

/// One runner found in a workspace: what runs, where, and why proctor believes so.
public struct Project: Hashable, Sendable, Codable {
  public let adapter: AdapterID
  /// The project's folder relative to the workspace root; `.` is the root itself.
  public let root: String
  /// What was found, in words: `Cargo.toml at crates/core`.
  public let evidence: String

  public init(adapter: AdapterID, root: String, evidence: String) {
    self.adapter = adapter
    self.root = root.isEmpty ? "." : root
    self.evidence = evidence
  }

  /// `cargo at crates/core`, for messages.
  public var title: String { root == "." ? "\(adapter)" : "\(adapter) at \(root)" }

  private enum CodingKeys: String, CodingKey { case adapter, root, evidence }
}

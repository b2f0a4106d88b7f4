/// One runner found in a workspace: what runs, where, and why proctor believes so.
public struct Project: Hashable, Sendable, Encodable {
  public let adapter: AdapterID
  /// The project's folder relative to the workspace root; `.` is the root itself.
  public let root: String
  /// What was found, in words: `Cargo.toml at crates/core`.
  public let evidence: String
  /// Folders below it that belong to other projects of the same adapter, relative to the workspace.
  public let excluded: [String]

  /// The evidence of a file that belongs to no project.
  public static let loneFile = "a file alone"

  public init(adapter: AdapterID, root: String, evidence: String, excluded: [String] = []) {
    self.adapter = adapter
    self.root = root.isEmpty ? "." : root
    self.evidence = evidence
    self.excluded = excluded
  }

  /// `cargo at crates/core`, for messages.
  public var title: String { root == "." ? "\(adapter)" : "\(adapter) at \(root)" }

  /// Its folder, absolute.
  public func directory(in workspace: String) -> String {
    root == "." ? workspace : "\(workspace)/\(root)"
  }

  private enum CodingKeys: String, CodingKey { case adapter, root, evidence }
}

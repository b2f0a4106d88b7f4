/// How a candidate (a patch, or a revision of the repository) differs from the workspace as it is.
public struct CandidateChange: Hashable, Sendable {
  public enum Kind: String, Sendable, Codable {
    case added, modified, deleted
  }

  public struct File: Hashable, Sendable {
    /// Relative to the workspace.
    public let path: String
    public let kind: Kind
    /// Lines; nil for what is no text.
    public let insertions: Int?
    public let deletions: Int?
    /// It is a test, or decides how tests run.
    public let touchesTests: Bool

    public init(
      path: String, kind: Kind, insertions: Int?, deletions: Int?, touchesTests: Bool
    ) {
      self.path = path
      self.kind = kind
      self.insertions = insertions
      self.deletions = deletions
      self.touchesTests = touchesTests
    }
  }

  /// By path.
  public let files: [File]
  /// Files that answers list.
  public static let filesListed = 500

  public init(files: [File]) { self.files = files }

  public func count(_ kind: Kind) -> Int { files.count { $0.kind == kind } }
  public var insertions: Int { files.reduce(0) { $0 + ($1.insertions ?? 0) } }
  public var deletions: Int { files.reduce(0) { $0 + ($1.deletions ?? 0) } }
  public var touchingTests: [String] { files.filter(\.touchesTests).map(\.path) }
}

public import FoundationEssentials

/// The files of a workspace that detection may look at: nothing ignored by git, nothing inside
/// dependency or build folders.
///
/// Paths are relative to the root, with `/`, sorted by their bytes. Names that are not UTF-8 are
/// left out: no runner's manifest is named so.
public struct WorkspaceTree: Sendable {
  /// The workspace root, absolute, symbolic links resolved.
  public let root: String
  public let files: [String]
  private let reader: @Sendable (String) -> Data?

  /// - Parameter reader: returns a file's bytes by its relative path, nil if it cannot be read.
  public init(root: String, files: [String], reader: @escaping @Sendable (String) -> Data?) {
    self.root = root
    self.files = files
    self.reader = reader
  }

  /// The bytes of a file of the workspace (also one that `files` leaves out), nil if unreadable.
  public func read(_ path: String) -> Data? { reader(path) }

  /// The text of a file, with invalid UTF-8 replaced; nil if unreadable.
  public func text(_ path: String) -> String? {
    reader(path).map { String(decoding: $0, as: UTF8.self) }
  }

  /// Files with this last path component, nearest to the root first.
  public func files(named name: String) -> [String] {
    let suffix = "/" + name
    return files.filter { $0 == name || $0.hasSuffix(suffix) }
      .sorted { ($0.depth, $0) < ($1.depth, $1) }
  }
}

extension String {
  /// How many folders stand above the last component of a relative path.
  fileprivate var depth: Int { utf8.reduce(0) { $1 == UInt8(ascii: "/") ? $0 + 1 : $0 } }
}

public import FoundationEssentials

/// What may stand in the workspace's place: a change of it that is not on disk.
public enum Candidate: Sendable {
  /// A diff, as `git diff` or `diff -u` write it.
  /// - Parameter name: for messages: its file, or `-`.
  case patch(name: String, Data)
  /// A revision of the git repository that the workspace is in.
  case revision(String)

  public var name: String {
    switch self {
    case .patch(let name, _): name
    case .revision(let name): name
    }
  }

  /// Candidates of one kind share build caches, one after the other.
  var cacheName: String {
    switch self {
    case .patch: "patch"
    case .revision: "revision"
    }
  }
}

extension Candidate {
  private static let sizeLimit = 256 << 20

  /// Reads a patch.
  /// - Parameter path: of a file, or `-` for the standard input.
  /// - Throws: `EngineError` with code `usage` when it cannot be read.
  public static func patch(at path: String) throws(EngineError) -> Candidate {
    let data = path == "-" ? standardInput() : FileSystem.read(path, limit: sizeLimit)
    guard let data, data.count <= sizeLimit else {
      let what = path == "-" ? "the patch on the standard input" : "the patch \(path)"
      throw EngineError(
        .usage, "\(what) cannot be read, or is larger than \(sizeLimit >> 20) MiB",
        resolution: "Give a file as git diff writes it, or - for the standard input.")
    }
    return .patch(name: path, data)
  }

  private static func standardInput() -> Data? {
    var data = Data()
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while data.count <= sizeLimit {
      let count = FileSystem.read(0, &buffer)
      guard count >= 0 else { return nil }
      if count == 0 { return data }
      data.append(contentsOf: buffer[..<count])
    }
    return nil
  }
}

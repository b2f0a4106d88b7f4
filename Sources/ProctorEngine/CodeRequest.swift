public import FoundationEssentials
import Glibc
import ProctorModel

/// A piece of code that somebody wants run, with all that belongs to it.
public struct CodeRequest: Sendable {
  /// One of a language's words: `python`, `py`.
  public var language: String
  public var source: Data
  /// The file that it is from, as the user names it; nil when it has none.
  public var path: String?
  /// Files that it finds in its working folder.
  public var files: [(name: String, content: Data)] = []
  /// An open descriptor whose bytes it gets on stdin; nil for nothing.
  public var input: Int32?

  /// Bytes of a piece.
  public static let sourceLimit = 4 << 20
  /// Bytes of one of the files, and of all of them.
  public static let fileLimit = 64 << 20
  public static let filesLimit = 128 << 20

  public init(language: String, source: Data, path: String? = nil) {
    self.language = language
    self.source = source
    self.path = path
  }

  /// Reads a file of the user's.
  /// - Parameter limit: bytes.
  public static func read(_ path: String, limit: Int = sourceLimit) throws(EngineError) -> Data {
    var status = stat()
    guard stat(path, &status) == 0 else {
      throw EngineError(
        .usage, "\(path) cannot be read: \(String(cString: strerror(errno)))",
        resolution: "Name a file that is there.")
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw EngineError(
        .usage, "\(path) is no regular file", resolution: "Name a file, not a folder or a device.")
    }
    guard status.st_size <= limit else {
      throw EngineError(
        .usage, "\(path) is larger than \(limit >> 20) MB", resolution: "Give a smaller file.")
    }
    guard access(path, R_OK) == 0, let data = FileSystem.read(path, limit: limit) else {
      throw EngineError(
        .usage, "\(path) cannot be read: \(String(cString: strerror(errno)))",
        resolution: "Check its permissions.")
    }
    return data
  }

  /// Takes in a file under its own name.
  public mutating func add(_ path: String) throws(EngineError) {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    guard !files.contains(where: { $0.name == name }) else {
      throw EngineError(
        .usage, "two files have the name \(name)",
        resolution: "They would lie in one folder: give one of them another name.")
    }
    files.append((name, try Self.read(path, limit: Self.fileLimit)))
    guard files.reduce(0, { $0 + $1.content.count }) <= Self.filesLimit else {
      throw EngineError(
        .usage, "the files are larger than \(Self.filesLimit >> 20) MB together",
        resolution: "Give fewer or smaller files.")
    }
  }
}

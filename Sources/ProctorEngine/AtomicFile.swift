public import FoundationEssentials
import Glibc
import ProctorModel

/// A file that appears whole or not at all. Folders that it is to stand in are made.
public enum AtomicFile {
  private static let prefix = ".proctor-"
  /// Seconds after which what a killed process left half written is removed.
  private static let abandoned = 3600

  /// By way of a new file beside it that takes its name when it is whole.
  /// - Throws: `EngineError` with code `storage`.
  public static func write(
    _ data: Data, to path: String, mode: UInt32 = 0o666
  ) throws(EngineError) {
    do {
      try write(to: path, mode: mode) { try $0(data) }
    } catch let error as EngineError {
      throw error
    } catch {
      throw failure(path)
    }
  }

  /// The same of what comes in pieces.
  /// - Parameter body: gets what takes a piece.
  /// - Throws: `EngineError` with code `storage`, or what `body` throws; the file is as it was then.
  public static func write<Result>(
    to path: String, mode: UInt32 = 0o666, _ body: ((Data) throws -> Void) throws -> Result
  ) throws -> Result {
    let parent = path.contains("/") ? path.parentFolder : "."
    let temporary = "\(parent)/\(prefix)\(getpid())-\(RunFolder.nonce().prefix(8))"
    let flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW
    var descriptor = open(temporary, flags, mode)
    if descriptor < 0, errno == ENOENT, path.hasPrefix("/") {
      try FileSystem.makeFolder(parent)
      descriptor = open(temporary, flags, mode)
    }
    guard descriptor >= 0 else { throw failure(path) }
    do {
      defer { close(descriptor) }
      let result = try body { data in
        guard FileSystem.write(data, to: descriptor) else { throw failure(path) }
      }
      guard rename(temporary, path) == 0 else { throw failure(path) }
      return result
    } catch {
      unlink(temporary)
      throw error
    }
  }

  /// By what `errno` says.
  public static func failure(_ path: String) -> EngineError {
    EngineError(
      .storage, "cannot write \(path): \(String(cString: strerror(errno)))",
      resolution: "Free some space, or name another place.")
  }

  /// Removes what killed processes left half written in a folder.
  static func sweep(_ folder: String) {
    for entry in FileSystem.entries(of: folder) where entry.name.hasPrefix(prefix) {
      var status = stat()
      let path = "\(folder)/\(entry.name)"
      if lstat(path, &status) == 0, time(nil) - status.st_mtim.tv_sec > abandoned { unlink(path) }
    }
  }
}

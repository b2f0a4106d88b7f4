public import FoundationEssentials
import Glibc

/// A file that a build of the workspace wrote, perhaps as something else than was meant.
public enum BuiltFile {
  /// - Parameter limit: bytes.
  /// - Returns: nil when it is no regular file itself, cannot be read, or is larger.
  public static func read(_ path: String, limit: Int = 64 << 20) -> Data? {
    let file = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    var result = Data()
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while result.count <= limit {
      let count = Glibc.read(file, &buffer, buffer.count)
      if count < 0, errno != EINTR { return nil }
      if count == 0 { return result }
      result.append(contentsOf: buffer[..<max(0, count)])
    }
    return nil
  }
}

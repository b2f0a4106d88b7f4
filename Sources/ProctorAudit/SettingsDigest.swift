import Crypto
import FoundationEssentials
import Glibc

/// Which settings a workspace had when a call began.
enum SettingsDigest {
  private static let limit = 1 << 20

  /// SHA-256 of its `proctor.toml`; nil when it has none that can be read.
  static func of(_ workspace: String) -> String? {
    // A named pipe must not hold the call up.
    let descriptor = open(
      "\(workspace)/proctor.toml", O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
      status.st_size <= limit
    else { return nil }
    var hasher = SHA256()
    var buffer = [UInt8](repeating: 0, count: 1 << 14)
    while true {
      let count = read(descriptor, &buffer, buffer.count)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { break }
      hasher.update(data: buffer[..<count])
    }
    return Data(hasher.finalize()).hexadecimal
  }
}

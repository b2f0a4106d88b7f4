import Crypto
import FoundationEssentials
import Glibc

/// What the user agreed to for as long as it stays as it is: an empty file for each, named by its digest, in the cache folder,
/// which nothing that runs in a sandbox can write.
struct ConfirmationMemory: Sendable, Hashable {
  /// Larger files and pieces are asked about each time.
  private static let contentLimit = 4 << 20
  /// Of a workspace; more are asked about each time.
  private static let most = 1000

  private let folder: String
  private let name: String

  /// - Parameters:
  ///   - parts: everything else that must stay the same.
  ///   - content: the code; nil when it cannot be read.
  /// - Returns: nil where nothing can be remembered.
  init?(_ engine: Engine, _ parts: [String], content: Data?) {
    guard let content, content.count <= Self.contentLimit,
      let cache = try? CacheFolder(environment: engine.options.environment)
    else { return nil }
    folder = cache.confirmed(of: engine.workspace)
    var hasher = SHA256()
    for part in [engine.workspace] + parts {
      // Its length before it: no two lists are written alike.
      hasher.update(data: Data("\(part.utf8.count) \(part)".utf8))
    }
    hasher.update(data: content)
    name = hasher.finalize().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  /// - Parameter path: absolute.
  static func content(of path: String) -> Data? {
    FileSystem.read(path, limit: contentLimit + 1)
  }

  var holds: Bool { access("\(folder)/\(name)", F_OK) == 0 }

  func keep() {
    guard (try? FileSystem.makeFolder(folder)) != nil,
      FileSystem.entries(of: folder).count < Self.most
    else { return }
    let descriptor = open("\(folder)/\(name)", O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    if descriptor >= 0 { close(descriptor) }
  }
}

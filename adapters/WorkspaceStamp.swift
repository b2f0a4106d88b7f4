import Glibc
import ProctorModel

/// What a workspace is, without reading its files: the names, sizes and times of change of all of them.
///
/// The time of change (`ctime`) is the kernel's: no program sets it to the past, whatever it does to the
/// time of modification.
enum WorkspaceStamp {
  private static let most = 50_000
  /// Files that changed just now may change again within the same tick of the kernel's clock.
  private static let freshNanoseconds: Int64 = 20_000_000

  /// - Parameters:
  ///   - folders: left out, absolute.
  ///   - words: what else it depends on.
  /// - Returns: nil when there are too many files, or one changed just now.
  static func of(_ workspace: String, without folders: [String], and words: [String]) -> String? {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    let end = nanoseconds(now) - freshNanoseconds
    var lines = words
    var pending = [workspace]
    while let folder = pending.popLast() {
      guard let stream = opendir(folder) else { continue }
      defer { closedir(stream) }
      while let entry = readdir(stream) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
          $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if [".", "..", ".git", ".build"].contains(name) { continue }
        let path = "\(folder)/\(name)"
        if folders.contains(path) { continue }
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        let changed = nanoseconds(status.st_ctim)
        guard changed < end, lines.count < most else { return nil }
        let isFolder = (status.st_mode & S_IFMT) == S_IFDIR
        if isFolder { pending.append(path) }
        // What is in a folder is told by itself.
        lines.append(
          isFolder
            ? path : "\(path)\0\(status.st_mode) \(status.st_size) \(status.st_ino) \(changed)")
      }
    }
    return "\(lines.count) \(Fingerprint.of(lines.sorted().joined(separator: "\n")))"
  }

  private static func nanoseconds(_ time: timespec) -> Int64 {
    Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}

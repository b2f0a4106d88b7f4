import Glibc
import ProctorModel

/// What a workspace is, without reading its files: the names, sizes and times of change of all of them.
///
/// The time of change (`ctime`) is the kernel's: no program sets it to the past, whatever it does to the
/// time of modification.
public struct WorkspaceStamp {
  private static let most = 50_000
  /// Files that changed just now may change again within the same tick of the kernel's clock.
  private static let freshNanoseconds: Int64 = 20_000_000

  /// Changes when a file does; nil when there are too many files, or one changed just now.
  public private(set) var text: String?
  /// Files that are younger than their dates say, in nanoseconds since 1970: put in place with an old date.
  private var backdated: [(modified: Int64, changed: Int64)] = []

  /// - Parameters:
  ///   - workspace: absolute; links to folders elsewhere are followed, as builds do.
  ///   - folders: left out, absolute.
  ///   - words: what else it depends on.
  public init(_ workspace: String, without folders: [String], and words: [String]) {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    let end = Self.nanoseconds(now) - Self.freshNanoseconds
    var lines = words
    var isTold = true
    var pending = [workspace]
    var seen: Set<[UInt64]> = []
    while let folder = pending.popLast() {
      guard let stream = opendir(folder) else { continue }
      defer { closedir(stream) }
      while let entry = readdir(stream) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
          $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if [".", "..", ".build"].contains(name) { continue }
        let path = "\(folder)/\(name)"
        if name == ".git" {
          // Builds may write the revision into what they make.
          lines += Self.revision(path)
          continue
        }
        if folders.contains(path) { continue }
        var status = stat()
        guard lstat(path, &status) == 0 else {
          isTold = false
          continue
        }
        if lines.count < Self.most {
          lines.append(Self.line(path, status))
        } else {
          isTold = false
        }
        isTold = isTold && (Self.isFolder(status) || Self.nanoseconds(status.st_ctim) < end)
        if status.st_mode & S_IFMT == S_IFLNK {
          guard stat(path, &status) == 0 else { continue }
          // What it leads to may change without it.
          lines.append(Self.line("target", status))
        }
        if Self.isFolder(status) {
          // What cargo built.
          if name == "target", access("\(path)/CACHEDIR.TAG", F_OK) == 0 { continue }
          if seen.insert([UInt64(status.st_dev), UInt64(status.st_ino)]).inserted {
            pending.append(path)
          }
        } else {
          let (modified, changed) = (status.st_mtim, status.st_ctim)
          backdated.append((Self.nanoseconds(modified), Self.nanoseconds(changed)))
        }
      }
    }
    if isTold { text = "\(lines.count) \(Fingerprint.of(lines.sorted().joined(separator: "\n")))" }
  }

  private static func revision(_ git: String) -> [String] {
    ["", "/HEAD", "/index", "/packed-refs", "/logs/HEAD"].map { identity(of: git + $0) }
  }

  /// What changes when a file does: of a folder only its name and place.
  public static func identity(of path: String) -> String {
    var status = stat()
    return stat(path, &status) == 0
      ? "\(line(path, status)) \(status.st_dev) \(status.st_ino)" : "\(path) absent"
  }

  /// Whether a file came after a moment, in nanoseconds since 1970, with a date before it: a compiler that goes by
  /// dates takes it for the one that was there.
  public func hasBackdated(since moment: Int64) -> Bool {
    backdated.contains { $0.changed > moment && $0.modified <= moment }
  }

  /// The same of one file.
  public static func isBackdated(_ path: String, since moment: Int64) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && nanoseconds(status.st_ctim) > moment
      && nanoseconds(status.st_mtim) <= moment
  }

  /// Whether a file, or a link or what it leads to, came or changed at a moment, in nanoseconds since 1970, or after it;
  /// also when there is none.
  /// - Parameter path: with a zero at the end.
  public static func hasChanged(_ path: [CChar], since moment: Int64) -> Bool {
    var status = stat()
    guard lstat(path, &status) == 0, nanoseconds(status.st_ctim) < moment else { return true }
    guard status.st_mode & S_IFMT == S_IFLNK else { return false }
    return stat(path, &status) != 0 || nanoseconds(status.st_ctim) >= moment
  }

  private static func isFolder(_ status: stat) -> Bool { status.st_mode & S_IFMT == S_IFDIR }

  /// What is in a folder is told by itself.
  private static func line(_ path: String, _ status: stat) -> String {
    isFolder(status)
      ? path
      : "\(path)\0\(status.st_mode) \(status.st_size) \(status.st_ino) \(nanoseconds(status.st_ctim))"
  }

  /// When a file was written last, in nanoseconds since 1970; nil when there is none.
  public static func date(of path: String) -> Int64? {
    var status = stat()
    return lstat(path, &status) == 0 ? nanoseconds(status.st_mtim) : nil
  }

  private static func nanoseconds(_ time: timespec) -> Int64 {
    Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}

import Glibc
import ProctorAdapters

/// Keeps an interpreter from taking bytecode for that of its source when it is that of another text.
///
/// Python goes by the source's size and the second of its date: two texts of one size that were written within a
/// second, or have been given one date, are the same to it. What changed since bytecode could be made from it, by the
/// kernel's own record, is compiled again.
struct StaleBytecode {
  /// Where bytecode is, by the absolute path of its source. Tests write here: no link is followed.
  let folder: String
  /// Sources below it are looked at, absolute.
  let workspace: String
  /// When the last command that made bytecode began, in nanoseconds since 1970.
  let since: Int64

  /// An interpreter of a run before that one may have read a source, and have written its bytecode only then.
  private static let slackNanoseconds: Int64 = 2_000_000_000
  /// Folders within folders that are gone through. Each is an open file.
  private static let deepest = 64
  private static let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC

  /// Removes the bytecode of sources that changed since, or that are gone; all of it where that cannot be told.
  func discard() {
    var place = open(folder, Self.flags)
    for step in workspace.split(separator: "/") where place >= 0 {
      let next = openat(place, String(step), Self.flags)
      let reason = errno
      close(place)
      errno = reason
      place = next
    }
    guard place >= 0 else {
      if errno != ENOENT { FileSystem.removeTree(folder) }
      return
    }
    defer { close(place) }
    if !discard(in: place, of: RawPath(""), depth: 0) { FileSystem.removeTree(folder) }
  }

  /// - Parameter sources: the folder's, in the workspace.
  /// - Returns: false when it is nothing that an interpreter made.
  private func discard(in place: Int32, of sources: RawPath, depth: Int) -> Bool {
    guard depth < Self.deepest else { return false }
    var checked: [[UInt8]: Bool] = [:]
    for name in FileSystem.rawNames(in: place) {
      var status = stat()
      guard fstatat(place, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
        // Another run's may come and go.
        if errno == ENOENT { continue }
        return false
      }
      let bytes = name.dropLast().map(UInt8.init(bitPattern:))
      switch status.st_mode & S_IFMT {
      case S_IFDIR:
        let inner = openat(place, name, Self.flags)
        guard inner >= 0 else { return false }
        defer { close(inner) }
        guard discard(in: inner, of: sources.appending(bytes), depth: depth + 1) else {
          return false
        }
      case S_IFREG:
        let source = Self.source(of: bytes)
        let isStale =
          checked[source]
          ?? WorkspaceStamp.hasChanged(
            sources.appending(source).below(workspace), since: since - Self.slackNanoseconds)
        checked[source] = isStale
        if isStale, unlinkat(place, name, 0) != 0, errno != ENOENT { return false }
      default: return false
      }
    }
    return true
  }

  /// `calc.cpython-311-pytest-7.2.1.pyc` is of `calc.py`. What has another name is of no source, and goes.
  private static func source(of name: [UInt8]) -> [UInt8] {
    let tags = [".cpython-", ".pypy"].compactMap { tag in
      name.indices.last { name[$0...].starts(with: tag.utf8) }
    }
    return name[..<(tags.max() ?? name.endIndex)] + Array(".py".utf8)
  }
}

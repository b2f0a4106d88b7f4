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
  /// In nanoseconds since 1970.
  let since: Int64

  /// Folders within folders that are gone through. Each is an open file.
  private static let deepest = 64
  private static let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC

  /// Removes the bytecode of sources that changed at that moment or after it, or that are gone.
  func discard() {
    var place = open(folder, Self.flags)
    for step in workspace.split(separator: "/") where place >= 0 {
      let next = openat(place, String(step), Self.flags)
      close(place)
      place = next
    }
    guard place >= 0 else { return }
    defer { close(place) }
    if !discard(in: place, of: RawPath(""), depth: 0) { FileSystem.removeTree(folder) }
  }

  /// - Parameter sources: the folder's, in the workspace.
  /// - Returns: false when it is deeper than any that an interpreter made.
  private func discard(in place: Int32, of sources: RawPath, depth: Int) -> Bool {
    guard depth < Self.deepest else { return false }
    var checked: [[UInt8]: Bool] = [:]
    for name in FileSystem.rawNames(in: place) {
      let bytes = name.dropLast().map(UInt8.init(bitPattern:))
      let inner = openat(place, name, Self.flags)
      guard inner < 0 else {
        defer { close(inner) }
        guard discard(in: inner, of: sources.appending(bytes), depth: depth + 1) else {
          return false
        }
        continue
      }
      let source = Self.source(of: bytes)
      let isStale =
        checked[source]
        ?? WorkspaceStamp.hasChanged(sources.appending(source).below(workspace), since: since)
      checked[source] = isStale
      if isStale { unlinkat(place, name, 0) }
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

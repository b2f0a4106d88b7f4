import Glibc

/// Removes a tree that cannot be gone through by paths: every folder in it is moved to the top, one after the other,
/// and emptied there.
struct TreeRemoval {
  private let path: String

  init(_ path: String) { self.path = path }

  func run() {
    chmod(path, 0o700)
    let top = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard top >= 0 else { return }
    defer { close(top) }
    var moved = 0
    var progress = true
    while progress {
      progress = false
      for name in FileSystem.rawNames(in: top) where Self.remove(name, in: top, &moved) {
        progress = true
      }
    }
    rmdir(path)
  }

  /// - Parameter moved: counts the folders that were moved to the top, for their names there.
  /// - Returns: whether the entry is gone.
  private static func remove(_ name: [CChar], in top: Int32, _ moved: inout Int) -> Bool {
    if unlinkat(top, name, 0) == 0 { return true }
    fchmodat(top, name, 0o700, 0)
    let folder = openat(top, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard folder >= 0 else { return false }
    defer { close(folder) }
    for inner in FileSystem.rawNames(in: folder) where unlinkat(folder, inner, 0) != 0 {
      // Without the right to write to it a folder cannot be moved.
      fchmodat(folder, inner, 0o700, 0)
      moved += 1
      renameat(folder, inner, top, "proctor-removed-\(moved)")
    }
    return unlinkat(top, name, AT_REMOVEDIR) == 0
  }
}

import FoundationEssentials
import Glibc
import ProctorModel

/// Keeps compilers from taking old products for new ones.
///
/// Cargo and the Swift compiler rebuild what is newer than its product. A file that was put in place
/// with an old date (`cp -p`, an archive, a restored backup) is not, and its tests would be those of
/// the last build. The kernel's own record of the change cannot be set back, which shows it.
struct StaleBuild {
  let tree: WorkspaceTree
  let project: Project
  /// The project's cache folder.
  let cache: String

  private var marker: String { "\(cache)/built" }

  /// Removes the products of earlier builds when they may be taken for those of changed sources, and
  /// remembers that a build begins now.
  /// - Parameter folders: what the build writes, absolute.
  func discard(_ folders: [String]) throws(EngineError) {
    var status = stat()
    if stat(marker, &status) == 0, isSuspicious(since: Moment(status.st_mtim)) {
      folders.forEach(FileSystem.removeTree)
    }
    unlink(marker)
    try FileSystem.write(Data(), to: marker)
  }

  private func isSuspicious(since build: Moment) -> Bool {
    let prefix = project.root == "." ? "" : project.root + "/"
    return tree.files.contains { file in
      guard file.hasPrefix(prefix) else { return false }
      var status = stat()
      guard lstat("\(tree.root)/\(file)", &status) == 0 else { return false }
      return Moment(status.st_ctim) > build && Moment(status.st_mtim) <= build
    }
  }

  private struct Moment: Comparable {
    let seconds: Int
    let nanoseconds: Int

    init(_ time: timespec) {
      seconds = time.tv_sec
      nanoseconds = time.tv_nsec
    }

    static func < (left: Self, right: Self) -> Bool {
      (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
    }
  }
}

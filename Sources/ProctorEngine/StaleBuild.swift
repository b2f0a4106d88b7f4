import FoundationEssentials
import Glibc
import ProctorAdapters
import ProctorModel

/// Keeps compilers from taking old products for new ones.
///
/// Cargo and the Swift compiler rebuild what is newer than its product. A file that was put in place
/// with an old date (`cp -p`, an archive, a restored backup) is not, and its tests would be those of
/// the last build. The kernel's own record of the change cannot be set back, which shows it.
struct StaleBuild {
  /// An empty file whose date says when the last build began, absolute, where builds cannot write.
  let marker: String

  /// Removes the products of earlier builds when they may be taken for those of changed sources, and
  /// remembers that a build begins now.
  /// - Parameters:
  ///   - folders: what the build writes, absolute.
  ///   - isSuspicious: whether a source came after a moment, in nanoseconds since 1970, with a date before it.
  func discard(
    _ folders: [String], when isSuspicious: (Int64) -> Bool
  ) throws(EngineError) {
    try renewing { last in
      if let last, isSuspicious(last) { folders.forEach(FileSystem.removeTree) }
    }
  }

  /// - Parameter look: gets when the last build began, in nanoseconds since 1970; nil when there was none. What changes
  ///   while it looks counts as changed after this build began.
  private func renewing(_ look: (Int64?) -> Void) throws(EngineError) {
    let next = "\(marker).\(RunFolder.nonce().prefix(8))"
    try FileSystem.makeFolder(marker.parentFolder)
    try FileSystem.write(Data(), to: next)
    look(WorkspaceStamp.date(of: marker))
    guard rename(next, marker) == 0 else {
      throw FileSystem.storage("cannot write \(marker): \(String(cString: strerror(errno)))")
    }
  }

  /// The same for what a project's tests or checks build, and for the bytecode of interpreters.
  static func discard(
    _ adapter: any Adapter, _ context: AdapterContext, in tree: @autoclosure () -> WorkspaceTree
  ) throws(EngineError) {
    let (folders, bytecode) = (adapter.buildFolders(context), adapter.bytecodeFolder(context))
    guard !folders.isEmpty || bytecode != nil else { return }
    let prefix = context.project.root == "." ? "" : context.project.root + "/"
    let build = StaleBuild(marker: "\(context.cache)/built")
    try build.renewing { last in
      if let bytecode {
        if let last {
          StaleBytecode(folder: bytecode, workspace: context.workspace, since: last).discard()
        } else {
          FileSystem.removeTree(bytecode)
        }
      }
      guard let last, !folders.isEmpty else { return }
      let tree = tree()
      let isSuspicious = tree.files.contains { file in
        file.hasPrefix(prefix)
          && WorkspaceStamp.isBackdated("\(tree.root)/\(file)", since: last)
      }
      if isSuspicious { folders.forEach(FileSystem.removeTree) }
    }
  }
}

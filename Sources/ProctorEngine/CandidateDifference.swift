import FoundationEssentials
import Glibc
import ProctorModel
import ProctorSandbox

/// Says how a candidate differs from the workspace, from the files themselves.
struct CandidateDifference {
  let layout: CandidateLayout
  /// Relative paths of what is not the same.
  let paths: [String]
  /// A folder of its own, absolute; not there yet.
  let scratch: String
  let adapters: [any Adapter]

  /// Files larger than this are not looked into.
  private static let readLimit = 16 << 20

  func change() async throws(EngineError) -> CandidateChange {
    let lines = try await counts()
    return CandidateChange(
      files: paths.compactMap { path in
        let (old, new) = ("\(layout.workspace)/\(path)", "\(layout.folder)/\(path)")
        let (isOld, isNew) = (Self.isThere(old), Self.isThere(new))
        guard isOld || isNew else { return nil }
        let file = ChangedFile(path: path, before: Self.read(old), after: Self.read(new))
        return CandidateChange.File(
          path: path, kind: !isOld ? .added : isNew ? .modified : .deleted,
          insertions: lines[path]?.insertions, deletions: lines[path]?.deletions,
          touchesTests: Self.isConfiguration(path) || adapters.contains { $0.touchesTests(file) })
      })
  }

  private static func isConfiguration(_ path: String) -> Bool {
    path == Configuration.fileName || path.hasPrefix(AdapterLibrary.workspaceFolder + "/")
  }

  /// Links are not followed.
  private static func isThere(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT != S_IFDIR
  }

  private static func read(_ path: String) -> Data? {
    var status = stat()
    guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    return FileSystem.read(path, limit: readLimit) ?? Data()
  }

  // MARK: lines

  private static let script = #"""
    export GIT_DIR=/nonexistent
    "$git" diff --no-index --numstat -z --no-renames --no-ext-diff --no-textconv old new
    status=$?
    [ "$status" = 1 ] || exit "$status"
    """#

  /// Lines that git counts as inserted and deleted; nothing for what is no text.
  private func counts() async throws(EngineError) -> [String: (insertions: Int, deletions: Int)] {
    guard !paths.isEmpty else { return [:] }
    for side in ["old", "new"] { try FileSystem.makeFolder("\(scratch)/\(side)") }
    for path in paths {
      for (side, root) in [("old", layout.workspace), ("new", layout.folder)] {
        guard let data = Self.read("\(root)/\(path)") else { continue }
        let target = "\(scratch)/\(side)/\(path)"
        try FileSystem.makeFolder(target.parentFolder)
        try FileSystem.write(data, to: target)
      }
    }
    let outcome = try await layout.git.run(Self.script, in: scratch, access: .readOnly)
    guard outcome.code == 0 else { throw GitTool.stopped(outcome, "comparing with the workspace") }
    var result: [String: (Int, Int)] = [:]
    // `INSERTED\tDELETED\t`, `old/PATH` and `new/PATH`, each with a zero byte; a side that is not there is /dev/null.
    let parts = String(decoding: outcome.stdout, as: UTF8.self)
      .split(separator: "\0", omittingEmptySubsequences: false)
    for index in stride(from: 0, to: parts.count - 2, by: 3) {
      let numbers = parts[index].split(separator: "\t").compactMap { Int($0) }
      let name = parts[index + 2] == "/dev/null" ? parts[index + 1] : parts[index + 2]
      if numbers.count == 2 { result[String(name.dropFirst(4))] = (numbers[0], numbers[1]) }
    }
    return result
  }
}

import FoundationEssentials
import Glibc
import ProctorModel
import ProctorSandbox

/// Says how a candidate differs from the workspace, from the files themselves.
struct CandidateDifference {
  let layout: CandidateLayout
  /// Of what is not the same.
  let paths: [RawPath]
  /// A folder of its own, absolute; not there yet.
  let scratch: String
  let adapters: [any Adapter]

  /// Files larger than this are not looked into.
  private static let readLimit = 16 << 20

  func change() async throws(EngineError) -> CandidateChange {
    let lines = try await counts()
    return CandidateChange(
      files: paths.enumerated().compactMap { index, path in
        let (old, new) = (layout.workspace, layout.folder)
        let (isOld, isNew) = (Self.isThere(path, old), Self.isThere(path, new))
        guard isOld || isNew else { return nil }
        let name = path.text
        let file = ChangedFile(
          path: name, before: Self.read(path, old), after: Self.read(path, new))
        return CandidateChange.File(
          path: name, kind: !isOld ? .added : isNew ? .modified : .deleted,
          insertions: lines[index]?.insertions, deletions: lines[index]?.deletions,
          touchesTests: Self.isConfiguration(name) || adapters.contains { $0.touchesTests(file) })
      })
  }

  private static func isConfiguration(_ path: String) -> Bool {
    path == Configuration.fileName || path.hasPrefix(AdapterLibrary.workspaceFolder + "/")
  }

  private static func isThere(_ path: RawPath, _ root: String) -> Bool {
    path.status(below: root).map { $0.st_mode & S_IFMT != S_IFDIR } ?? false
  }

  private static func read(_ path: RawPath, _ root: String) -> Data? {
    guard let status = path.status(below: root), status.st_mode & S_IFMT == S_IFREG else {
      return nil
    }
    guard let file = path.open(below: root) else { return Data() }
    defer { close(file) }
    return FileSystem.read(file, limit: readLimit) ?? Data()
  }

  // MARK: lines

  private static let script = #"""
    export GIT_DIR=/nonexistent
    "$git" diff --no-index --numstat -z --no-renames --no-ext-diff --no-textconv old new
    status=$?
    [ "$status" = 1 ] || exit "$status"
    """#

  /// Lines that git counts as inserted and deleted, by the path's index; nothing for what is no text.
  private func counts() async throws(EngineError) -> [Int: (insertions: Int, deletions: Int)] {
    guard !paths.isEmpty else { return [:] }
    for (side, root) in [("old", layout.workspace), ("new", layout.folder)] {
      try FileSystem.makeFolder("\(scratch)/\(side)")
      // Under names of proctor's own, whatever theirs are.
      for (index, path) in paths.enumerated() {
        guard let data = Self.read(path, root) else { continue }
        try FileSystem.write(data, to: "\(scratch)/\(side)/\(index)")
      }
    }
    let outcome = try await layout.git.run(Self.script, in: scratch, access: .readOnly)
    guard outcome.code == 0 else { throw GitTool.stopped(outcome, "comparing with the workspace") }
    var result: [Int: (Int, Int)] = [:]
    // `INSERTED\tDELETED\t`, `old/INDEX` and `new/INDEX`, each with a zero byte; a side that is not there is /dev/null.
    let parts = String(decoding: outcome.stdout, as: UTF8.self)
      .split(separator: "\0", omittingEmptySubsequences: false)
    for index in stride(from: 0, to: parts.count - 2, by: 3) {
      let numbers = parts[index].split(separator: "\t").compactMap { Int($0) }
      let name = parts[index + 2] == "/dev/null" ? parts[index + 1] : parts[index + 2]
      guard numbers.count == 2, let index = Int(name.dropFirst(4)) else { continue }
      result[index] = (numbers[0], numbers[1])
    }
    return result
  }
}

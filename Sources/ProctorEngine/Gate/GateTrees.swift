import FoundationEssentials
import Glibc
import ProctorModel

/// The files of both sides of a gate, and what differs between them.
struct GateTrees {
  /// Absolute folders.
  let base: String
  let head: String
  let adapters: [any Adapter]

  /// Larger files are told as changed, and not looked into.
  private static let readLimit = 16 << 20
  private static let quarantineFile = "proctor-quarantine.toml"

  /// By path. Files that git ignores are no part of it.
  func changedFiles() -> [ChangedFile] {
    let names = Set(WorkspaceWalker(root: base).tree().files)
      .union(WorkspaceWalker(root: head).tree().files)
    return names.sorted().compactMap { name in
      let (old, new) = (Self.content(name, base), Self.content(name, head))
      return old == new ? nil : ChangedFile(path: name, before: old?.data, after: new?.data)
    }
  }

  /// - Parameters:
  ///   - files: as `changedFiles` has them.
  ///   - isPolicyEdited: `[gate]` is not the same.
  func change(
    _ files: [ChangedFile], isPolicyEdited: Bool, from base: GateSide, to head: GateSide
  ) -> GateChange {
    GateChange(
      files: files.map(row), editsPolicy: isPolicyEdited,
      editsQuarantine: files.contains { $0.path == Self.quarantineFile },
      weakened: WeakenedTests(files: files, base: base, head: head).list())
  }

  private func row(_ file: ChangedFile) -> CandidateChange.File {
    let isSetting =
      file.path == Configuration.fileName || file.path == Self.quarantineFile
      || file.path.hasPrefix(AdapterLibrary.workspaceFolder + "/")
    return CandidateChange.File(
      path: file.path,
      kind: file.before == nil ? .added : file.after == nil ? .deleted : .modified,
      insertions: nil, deletions: nil,
      touchesTests: isSetting || adapters.contains { $0.touchesTests(file) })
  }

  /// What makes a file another one: its kind, whether it can be run, and its bytes or where it points.
  private struct Content: Equatable {
    let mode: mode_t
    let data: Data
  }

  private static func content(_ name: String, _ root: String) -> Content? {
    let path = RawPath(name)
    guard let status = path.status(below: root), status.st_mode & S_IFMT != S_IFDIR else {
      return nil
    }
    let mode = status.st_mode & (S_IFMT | 0o100)
    if let destination = path.destination(below: root) {
      return Content(mode: mode, data: Data(destination.map { UInt8(bitPattern: $0) }))
    }
    guard let file = path.open(below: root) else { return Content(mode: mode, data: Data()) }
    defer { close(file) }
    // What is too large to be compared counts as changed, with its size and date.
    let data =
      FileSystem.read(file, limit: readLimit)
      ?? Data("\(status.st_size) \(status.st_mtim.tv_sec) \(status.st_mtim.tv_nsec)".utf8)
    return Content(mode: mode, data: data)
  }
}

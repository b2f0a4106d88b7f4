import CSandbox
import FoundationEssentials
import Glibc
import ProctorModel

/// What tests wrote to a protected workspace: shown, and kept where that is asked for.
///
/// The files were made by anybody's code: nothing of them is followed, and no link of the workspace either.
struct WorkspaceWrites {
  /// What runs later, outside of any sandbox, is never kept.
  private static let protectedNames: Set<String> = [
    ".git", ".hg", ".svn", ".proctor", Configuration.fileName, ".envrc",
  ]
  /// Interpreters write these wherever they go.
  private static let noise: Set<String> = ["__pycache__", ".pytest_cache"]

  let workspace: String
  /// The folder that holds what was written, as an overlay's upper layer.
  let upper: String
  /// Patterns of what is kept, in the language of `.gitignore`; nil for everything.
  let patterns: [String]?

  /// Everything that differs, in order; kept as asked.
  func settle() -> [WorkspaceWrite] {
    let rules = patterns.map { IgnoreRules().adding($0.joined(separator: "\n"), in: "") }
    return changes(in: "").map { change in
      let isWanted = rules.map { Self.matches(change.path, $0) } ?? true
      guard isWanted else {
        return WorkspaceWrite(path: change.path, change: change.kind, kept: false)
      }
      let problem = keep(change)
      return WorkspaceWrite(
        path: change.path, change: change.kind, kept: problem == nil, note: problem)
    }
  }

  // MARK: looking

  private struct Change {
    let path: String
    let kind: WorkspaceWrite.Change
  }

  private func changes(in folder: String) -> [Change] {
    let place = folder.isEmpty ? upper : "\(upper)/\(folder)"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: place)) ?? []
    return names.sorted().flatMap { name -> [Change] in
      let path = folder.isEmpty ? name : "\(folder)/\(name)"
      guard let status = Self.status("\(upper)/\(path)"), !Self.noise.contains(name) else {
        return []
      }
      let original = Self.status("\(workspace)/\(path)")
      // A character device stands for what was removed.
      if Self.kind(status) == S_IFCHR {
        return original == nil ? [] : [Change(path: path, kind: .deleted)]
      }
      if Self.kind(status) == S_IFDIR { return changes(in: path) }
      if let original, isSame(path, status, original) { return [] }
      return [Change(path: path, kind: original == nil ? .added : .modified)]
    }
  }

  /// Whether only the owner was changed, for a container's user.
  private func isSame(_ path: String, _ new: stat, _ old: stat) -> Bool {
    if csb_has_attribute("\(upper)/\(path)", "trusted.overlay.metacopy") != 0 { return true }
    guard Self.kind(new) == Self.kind(old), new.st_mode == old.st_mode else { return false }
    if Self.kind(new) == S_IFLNK {
      let files = FileManager.default
      let targets = [upper, workspace].map {
        try? files.destinationOfSymbolicLink(atPath: "\($0)/\(path)")
      }
      return targets[0] == targets[1]
    }
    return new.st_size == 0 && old.st_size == 0
  }

  private static func status(_ path: String) -> stat? {
    var status = stat()
    return lstat(path, &status) == 0 ? status : nil
  }

  private static func kind(_ status: stat) -> mode_t { status.st_mode & S_IFMT }

  /// A pattern for a folder is for all that stands in it.
  private static func matches(_ path: String, _ rules: IgnoreRules) -> Bool {
    if rules.ignores(path, isFolder: false) { return true }
    let parts = path.split(separator: "/").dropLast()
    return parts.indices.contains { end in
      rules.ignores(parts[...end].joined(separator: "/"), isFolder: true)
    }
  }

  // MARK: keeping

  /// - Returns: why it was not kept; nil when it was.
  private func keep(_ change: Change) -> String? {
    let parts = change.path.split(separator: "/").map(String.init)
    if let part = parts.first(where: Self.protectedNames.contains) {
      return "\(part) is never changed by tests"
    }
    var folder = open(workspace, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    defer { if folder >= 0 { close(folder) } }
    for part in parts.dropLast() {
      if change.kind != .deleted { mkdirat(folder, part, 0o755) }
      let next = openat(folder, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      guard next >= 0 else { return "\(part) is a link or no folder in the workspace" }
      close(folder)
      folder = next
    }
    guard folder >= 0, let name = parts.last else { return Self.problem }
    return change.kind == .deleted
      ? remove(name, in: folder) : copy(change.path, to: name, in: folder)
  }

  private func remove(_ name: String, in folder: Int32) -> String? {
    if unlinkat(folder, name, 0) == 0 { return nil }
    guard errno == EISDIR else { return Self.problem }
    return unlinkat(folder, name, AT_REMOVEDIR) == 0 ? nil : "a folder that is not empty stays"
  }

  /// By way of a new file that takes the name when it is whole.
  private func copy(_ path: String, to name: String, in folder: Int32) -> String? {
    let source = open("\(upper)/\(path)", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    defer { if source >= 0 { close(source) } }
    var status = stat()
    guard source >= 0, fstat(source, &status) == 0, Self.kind(status) == S_IFREG else {
      return "only regular files are kept"
    }
    let temporary = ".proctor-keep-\(getpid())"
    let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
    let target = openat(folder, temporary, flags, status.st_mode & 0o777)
    guard target >= 0 else { return Self.problem }
    defer { close(target) }
    var left = Int(status.st_size)
    while left > 0 {
      let count = sendfile(target, source, nil, left)
      guard count > 0 else {
        let problem = Self.problem
        unlinkat(folder, temporary, 0)
        return problem
      }
      left -= count
    }
    fchmod(target, status.st_mode & 0o777)
    if renameat(folder, temporary, folder, name) == 0 { return nil }
    let problem = Self.problem
    unlinkat(folder, temporary, 0)
    return problem
  }

  private static var problem: String { String(cString: strerror(errno)) }
}

import FoundationEssentials
import Glibc
import ProctorModel
import ProctorSandbox

/// Makes the copy of a workspace that a candidate is.
struct CandidateLayout {
  struct Laid {
    let copy: WorkspaceCopy
    /// Of each file of the copy, what it is; nil for one whose contents are new.
    let identities: [String: String?]
    /// Relative paths of what is not as in the workspace, in order.
    let changed: [String]
  }

  let workspace: String
  /// For the copy, absolute; not there yet.
  let folder: String
  let git: GitTool

  func lay(_ candidate: Candidate) async throws(EngineError) -> Laid {
    switch candidate {
    case .patch(let name, let data): try await apply(data, name)
    case .revision(let name): try await checkOut(name)
    }
  }

  // MARK: a patch

  private static let application = #"""
    export GIT_DIR=/nonexistent
    exec "$git" -c core.autocrlf=false apply --whitespace=nowarn "-p$2" "$1"
    """#

  private func apply(_ data: Data, _ name: String) async throws(EngineError) -> Laid {
    let patch = PatchText(data)
    let inner = (try? GitRepository.around(workspace))?.inner ?? ""
    let strip = patch.strip(inner: inner) { FileSystem.exists("\(workspace)/\($0)") }
    if let refusal = patch.refusal(strip: strip) {
      throw EngineError(
        .usage, "\(refusal) (\(name))",
        resolution:
          "Make the diff from the workspace's root, or name the repository's root as workspace.")
    }
    var copy = WorkspaceCopy(
      of: workspace, in: folder, wanted: patch.names.map { PatchText.stripped($0, strip) })
    try copy.fill()
    let before = Self.scan(folder)
    let place = "\(git.scratch)/patch"
    try FileSystem.makeFolder(place)
    // Saved by an editor of another system, its line ends are no part of it.
    let plain = Data(
      data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        .map { $0.last == UInt8(ascii: "\r") ? $0.dropLast() : $0 }.joined(separator: [
          UInt8(ascii: "\n")
        ]))
    var outcome: GitTool.Outcome?
    for text in patch.isWindows ? [data, plain] : [data] {
      try FileSystem.write(text, to: "\(place)/candidate.patch")
      let tried = try await git.run(
        Self.application, ["\(place)/candidate.patch", String(strip)], in: workspace, from: folder,
        access: .writable, mounts: [.readOnly(place)])
      outcome = outcome?.code == 0 ? outcome : tried
      if tried.code == 0 { break }
    }
    guard let outcome, let code = outcome.code else {
      throw outcome.map { GitTool.stopped($0, "applying \(name)") } ?? Self.nothing(name)
    }
    guard code == 0 else {
      throw EngineError(
        .usage, "the patch \(name) does not apply: \(patch.explain(outcome.stderr))",
        resolution: "Make it anew from the workspace as it is; nothing was changed.")
    }
    let after = Self.scan(folder)
    let changed = Set(before.keys).union(after.keys).filter { before[$0] != after[$0] }.sorted()
    if let hidden = changed.first(where: { path in copy.shown.contains { path.hasPrefix($0 + "/") }
    }) {
      throw EngineError(
        .usage, "the patch \(name) changes \(hidden), in a folder of dependencies",
        resolution: "Leave that file out of the patch.")
    }
    try copy.fillMark()
    let identities = after.reduce(into: [String: String?]()) { result, item in
      result[item.key] = .some(
        before[item.key] == item.value ? copy.originals[item.key]?.text : nil)
    }
    return Laid(copy: copy, identities: identities, changed: changed)
  }

  private static func nothing(_ name: String) -> EngineError {
    EngineError(.usage, "the patch \(name) is empty", resolution: "Give a diff.")
  }

  /// Files and links below a folder, with what changes when they do.
  private static func scan(_ folder: String) -> [String: WorkspaceCopy.Identity] {
    var result: [String: WorkspaceCopy.Identity] = [:]
    var pending = [""]
    while let parent = pending.popLast() {
      for name in (try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(parent)"))
        ?? []
      {
        let path = parent.isEmpty ? name : "\(parent)/\(name)"
        var status = stat()
        guard lstat("\(folder)/\(path)", &status) == 0 else { continue }
        if status.st_mode & S_IFMT == S_IFDIR {
          pending.append(path)
        } else {
          result[path] = WorkspaceCopy.Identity(status)
        }
      }
    }
    return result
  }

  // MARK: a revision

  /// Only the objects of the repository are used, by a git folder of proctor's own: its settings, filters, hooks and
  /// attributes of export have no say.
  private static let checkout = #"""
    set -e
    export GIT_DIR="$1"
    commit=$("$git" rev-parse --verify --quiet --end-of-options "$3^{commit}") || exit 3
    if [ -n "$4" ]; then
      tree=$("$git" rev-parse --verify --quiet --end-of-options "$commit:$4") || exit 4
    else
      tree="$commit^{tree}"
    fi
    tree=$("$git" rev-parse --verify --quiet --end-of-options "$tree")
    format=$("$git" rev-parse --show-object-format)
    export GIT_DIR=/tmp/git
    "$git" init --quiet --bare --template= --object-format="$format" /tmp/git >&2
    export GIT_OBJECT_DIRECTORY="$2/objects" GIT_INDEX_FILE=/tmp/index GIT_WORK_TREE="$PWD"
    "$git" read-tree "$tree"
    "$git" -c core.symlinks=true checkout-index --all --quiet
    "$git" ls-files --stage -z
    """#

  private func checkOut(_ name: String) async throws(EngineError) -> Laid {
    let repository = try GitRepository.around(workspace)
    var copy = WorkspaceCopy(of: workspace, in: folder)
    try FileSystem.makeFolder(folder)
    if repository.inner.isEmpty, repository.folder.hasPrefix(workspace + "/") {
      try FileSystem.makeFolder("\(folder)/.git")
    }
    let outcome = try await git.run(
      Self.checkout, [repository.folder, repository.common, name, repository.inner], in: workspace,
      from: folder, access: .writable, mounts: repository.mounts)
    guard let code = outcome.code else { throw GitTool.stopped(outcome, "laying out \(name)") }
    guard code == 0 else {
      let words = outcome.stderr.split(separator: "\n").first.map { ": \($0)" } ?? ""
      let why =
        code == 3
        ? "\(name) is neither a patch file nor a revision of the repository \(repository.top)"
        : code == 4
          ? "\(repository.inner) is not there in the revision \(name)"
          : "the revision \(name) cannot be laid out\(words)"
      throw EngineError(
        .usage, why,
        resolution: "See git log for the names of revisions; they must be in this clone.")
    }
    try copy.fillPlaces()
    try copy.fillMark()
    var identities: [String: String?] = [:]
    // `MODE OBJECT STAGE\tPATH`
    for entry in String(decoding: outcome.stdout, as: UTF8.self).split(separator: "\0") {
      let parts = entry.split(separator: "\t", maxSplits: 1)
      guard parts.count == 2 else { continue }
      identities[String(parts[1])] = .some(
        parts[0].split(separator: " ").prefix(2).joined(separator: " "))
    }
    return Laid(copy: copy, identities: identities, changed: try differences(Set(identities.keys)))
  }

  /// What is not the same in the workspace: by contents, for dates say nothing of a revision. Files of the workspace
  /// that git ignores are no part of it.
  private func differences(_ tracked: Set<String>) throws(EngineError) -> [String] {
    let present = Set(WorkspaceWalker(root: workspace).tree().files)
    return tracked.union(present).filter { path in
      !Self.isSame("\(workspace)/\(path)", "\(folder)/\(path)")
    }.sorted()
  }

  private static func isSame(_ left: String, _ right: String) -> Bool {
    var (first, second) = (stat(), stat())
    guard lstat(left, &first) == 0, lstat(right, &second) == 0 else {
      return !(lstat(left, &first) == 0 || lstat(right, &second) == 0)
    }
    let kind = first.st_mode & S_IFMT
    guard kind == second.st_mode & S_IFMT, first.st_mode & 0o100 == second.st_mode & 0o100 else {
      return false
    }
    if kind == S_IFLNK {
      let files = FileManager.default
      return (try? files.destinationOfSymbolicLink(atPath: left))
        == (try? files.destinationOfSymbolicLink(atPath: right))
    }
    guard kind == S_IFREG else { return true }
    return first.st_size == second.st_size
      && FileSystem.read(left, limit: .max) == FileSystem.read(right, limit: .max)
  }
}

import FoundationEssentials
import Glibc
import ProctorModel
import ProctorSandbox

/// Makes the copy of a workspace that a candidate is.
struct CandidateLayout {
  struct Laid {
    let copy: WorkspaceCopy
    /// Of each file of the copy, what it is; nil for one whose contents are new.
    let identities: [RawPath: String?]
    /// What is not as in the workspace, in order.
    let changed: [RawPath]
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
        .usage, "\(refusal.message) (\(name))", resolution: refusal.resolution)
    }
    var copy = WorkspaceCopy(
      of: workspace, in: folder, wanted: patch.names.map { PatchText.stripped($0, strip) })
    try copy.fill()
    let before = try Self.scan(folder)
    let place = "\(git.scratch)/patch"
    try FileSystem.makeFolder(place)
    var outcome: GitTool.Outcome?
    for isPlain in patch.isWindows ? [false, true] : [false] {
      try FileSystem.write(
        isPlain ? Self.plain(data) : data, to: "\(place)/candidate.patch")
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
    let after = try Self.scan(folder)
    let changed = Set(before.keys).union(after.keys).filter { before[$0] != after[$0] }.sorted()
    if let hidden = changed.first(where: { path in
      copy.shown.contains { path.text.hasPrefix($0 + "/") }
    }) {
      throw EngineError(
        .usage, "the patch \(name) changes \(hidden.text), in a folder of dependencies",
        resolution: "Leave that file out of the patch.")
    }
    try copy.fillMark()
    let identities = after.reduce(into: [RawPath: String?]()) { result, item in
      result[item.key] = .some(
        before[item.key] == item.value ? copy.originals[item.key]?.text : nil)
    }
    return Laid(copy: copy, identities: identities, changed: changed)
  }

  /// Saved by an editor of another system, its line ends are no part of it.
  private static func plain(_ data: Data) -> Data {
    let newLine = UInt8(ascii: "\n")
    return Data(
      data.split(separator: newLine, omittingEmptySubsequences: false)
        .map { $0.last == UInt8(ascii: "\r") ? $0.dropLast() : $0 }.joined(separator: [newLine]))
  }

  private static func nothing(_ name: String) -> EngineError {
    EngineError(.usage, "the patch \(name) is empty", resolution: "Give a diff.")
  }

  /// Files and links below a folder, with what changes when they do.
  private static func scan(
    _ folder: String
  ) throws(EngineError) -> [RawPath: WorkspaceCopy.Identity] {
    var result: [RawPath: WorkspaceCopy.Identity] = [:]
    var pending = [RawPath("")]
    while let parent = pending.popLast() {
      guard let names = FileSystem.names(in: parent.below(folder)) else {
        throw FileSystem.storage(
          "the copy cannot be read (\(parent.text)): \(String(cString: strerror(errno)))")
      }
      for name in names {
        let path = parent.appending(name)
        var status = stat()
        guard lstat(path.below(folder), &status) == 0 else { continue }
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
    var identities: [RawPath: String?] = [:]
    // `MODE OBJECT STAGE\tPATH`
    for entry in outcome.stdout.split(separator: 0) {
      let parts = entry.split(separator: UInt8(ascii: "\t"), maxSplits: 1)
      guard parts.count == 2 else { continue }
      identities[RawPath(parts[1])] = .some(
        String(decoding: parts[0], as: UTF8.self).split(separator: " ").prefix(2)
          .joined(separator: " "))
    }
    return Laid(copy: copy, identities: identities, changed: differences(Set(identities.keys)))
  }

  /// What is not the same in the workspace: by contents, for dates say nothing of a revision. Files of the workspace
  /// that git ignores are no part of it.
  private func differences(_ tracked: Set<RawPath>) -> [RawPath] {
    let present = Set(WorkspaceWalker(root: workspace).tree().files.map { RawPath($0) })
    return tracked.union(present).filter { !isSame($0) }.sorted()
  }

  private func isSame(_ path: RawPath) -> Bool {
    let (first, second) = (path.status(below: workspace), path.status(below: folder))
    guard let first, let second else { return (first == nil) == (second == nil) }
    let kind = first.st_mode & S_IFMT
    guard kind == second.st_mode & S_IFMT, first.st_mode & 0o100 == second.st_mode & 0o100 else {
      return false
    }
    if kind == S_IFLNK {
      return path.destination(below: workspace) == path.destination(below: folder)
    }
    guard kind == S_IFREG else { return true }
    return first.st_size == second.st_size && hasSameContents(path)
  }

  private static let chunk = 1 << 16

  /// False, too, when either cannot be read.
  private func hasSameContents(_ path: RawPath) -> Bool {
    guard let left = path.open(below: workspace) else { return false }
    defer { close(left) }
    guard let right = path.open(below: folder) else { return false }
    defer { close(right) }
    var buffers = (
      [UInt8](repeating: 0, count: Self.chunk), [UInt8](repeating: 0, count: Self.chunk)
    )
    while true {
      // Of regular files a read is short at their end only.
      let first = FileSystem.read(left, &buffers.0)
      let second = FileSystem.read(right, &buffers.1)
      guard first >= 0, first == second, buffers.0[..<first] == buffers.1[..<second] else {
        return false
      }
      if first == 0 { return true }
    }
  }
}

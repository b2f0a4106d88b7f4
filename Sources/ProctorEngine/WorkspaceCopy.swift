import FoundationEssentials
import Glibc
import ProctorModel

/// A private copy of a workspace, file by file, which stands in the workspace's place inside the sandbox.
///
/// Files keep their dates, modes and links; where the file system can, they share their contents. What a build can
/// make again is left out. Folders of dependencies and those that git ignores are not copied: the workspace's own
/// are shown in their places, copy-on-write.
struct WorkspaceCopy {
  /// What tells that a file is the one that was there before.
  struct Identity: Hashable {
    let inode: UInt64
    let size: Int
    let modified: Instant
    let changed: Instant

    init(_ status: stat) {
      inode = UInt64(status.st_ino)
      size = Int(status.st_size)
      modified = Instant(status.st_mtim)
      changed = Instant(status.st_ctim)
    }

    var text: String { "\(inode) \(size) \(modified.text) \(changed.text)" }
  }

  /// A moment of a file's dates.
  struct Instant: Hashable {
    var seconds: Int
    var nanoseconds: Int

    init(_ time: timespec) { (seconds, nanoseconds) = (time.tv_sec, time.tv_nsec) }
    init(seconds: Int, nanoseconds: Int) {
      (self.seconds, self.nanoseconds) = (seconds, nanoseconds)
    }

    var text: String { "\(seconds).\(nanoseconds)" }
    var time: timespec { timespec(tv_sec: seconds, tv_nsec: nanoseconds) }
  }

  let workspace: String
  /// Absolute; made by `fill`.
  let folder: String
  /// Files that are going to change: they are copied wherever they stand.
  var wanted: [String] = []

  /// Folders of the workspace that are shown in their places, relative.
  private(set) var shown: [String] = []
  /// The original of each copied file.
  private(set) var originals: [RawPath: Identity] = [:]

  private static let mark = RawPath(".git")
  private static let shownFolders: Set<String> = [
    "node_modules", ".git", ".hg", ".svn", ".venv", "venv", ".tox", ".nox", ".eggs", ".cache",
    "bower_components", ".yarn", ".pnpm-store",
  ]
  /// Made again, in the cache folder.
  private static let omittedFolders: Set<String> = [
    "__pycache__", ".pytest_cache", ".mypy_cache", ".build",
  ]

  init(of workspace: String, in folder: String, wanted: [String] = []) {
    self.workspace = workspace
    self.folder = folder
    self.wanted = wanted
  }

  /// Copies everything.
  mutating func fill() throws(EngineError) {
    try FileSystem.makeFolder(folder)
    try walk(RawPath(""), IgnoreRules(), copies: true)
  }

  /// Copies the workspace's `.git` where that is no folder, as in a further work tree. `fill` leaves it out: git would
  /// follow it while it works on the copy.
  func fillMark() throws(EngineError) {
    var status = stat()
    guard lstat(Self.mark.below(workspace), &status) == 0 else { return }
    // What git left in the copy may be anybody's: neither end is reached through a link.
    switch status.st_mode & S_IFMT {
    case S_IFREG: try copyFile(Self.mark, status)
    case S_IFLNK: try copyLink(Self.mark)
    default: break
    }
  }

  /// Only finds what is shown, and makes the places for it as far as their parents are there.
  mutating func fillPlaces() throws(EngineError) {
    try walk(RawPath(""), IgnoreRules(), copies: false)
    let root = FileSystem.realPath(folder) ?? folder
    shown = shown.filter { path in
      let place = "\(root)/\(path)"
      // A link of the revision may stand where the workspace has a folder, and lead anywhere.
      guard FileSystem.realPath(place.parentFolder) == place.parentFolder else { return false }
      // What the revision itself brings is not hidden.
      guard FileSystem.isFolder(place) else { return mkdir(place, 0o755) == 0 }
      return FileSystem.entries(of: place).isEmpty
    }
  }

  // MARK: the way through

  private mutating func walk(
    _ path: RawPath, _ inherited: IgnoreRules, copies: Bool
  ) throws(EngineError) {
    let rules = Self.rules(in: path, of: workspace).map { inherited.adding($0, in: path.text) }
    guard let names = FileSystem.names(in: path.below(workspace)) else {
      return try Self.passOver(path)
    }
    for name in names {
      let item = path.appending(name)
      var status = stat()
      guard lstat(item.below(workspace), &status) == 0 else {
        try Self.passOver(item)
        continue
      }
      switch status.st_mode & S_IFMT {
      case S_IFDIR: try enter(item, rules ?? inherited, status, copies: copies)
      case S_IFREG where copies && item != Self.mark:
        try copyFile(item, status)
        originals[item] = Identity(status)
      case S_IFLNK where copies && item != Self.mark:
        try copyLink(item)
        originals[item] = Identity(status)
      default: break  // pipes, sockets and devices are no sources
      }
    }
  }

  private static func rules(in folder: RawPath, of workspace: String) -> String? {
    folder.exactText
      .flatMap { FileSystem.read("\(workspace)/\($0)/.gitignore", limit: 1 << 20) }
      .map { String(decoding: $0, as: UTF8.self) }
  }

  private mutating func enter(
    _ path: RawPath, _ rules: IgnoreRules, _ status: stat, copies: Bool
  ) throws(EngineError) {
    let name = path.name
    if Self.omittedFolders.contains(name) || isBuildFolder(path, name) { return }
    // A mount has a name of text.
    let isShown = path.exactText.map { isForeign($0, name) || isIgnored($0, rules) } ?? false
    if isShown { shown.append(path.text) }
    if copies { try makeFolder(path, status) }
    if !isShown { try walk(path, rules, copies: copies) }
  }

  private func isForeign(_ path: String, _ name: String) -> Bool {
    Self.shownFolders.contains(name) || FileSystem.exists("\(workspace)/\(path)/pyvenv.cfg")
  }

  private func isIgnored(_ path: String, _ rules: IgnoreRules) -> Bool {
    rules.ignores(path, isFolder: true) && !wanted.contains { $0.hasPrefix(path + "/") }
  }

  private func isBuildFolder(_ path: RawPath, _ name: String) -> Bool {
    guard name == "target", let path = path.exactText else { return false }
    let parent = "\(workspace)/\(path)".parentFolder
    return FileSystem.exists("\(workspace)/\(path)/CACHEDIR.TAG")
      || ["Cargo.toml", "pom.xml"].contains { FileSystem.exists("\(parent)/\($0)") }
  }

  // MARK: one file

  /// Nothing else may stand in its place already.
  private func makeFolder(_ path: RawPath, _ status: stat) throws(EngineError) {
    let target = path.below(folder)
    guard mkdir(target, 0o700) == 0 else { throw Self.refused(path) }
    let made = open(target, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard made >= 0 else { throw Self.refused(path) }
    defer { close(made) }
    fchmod(made, (status.st_mode & 0o777) | 0o700)
  }

  private func copyFile(_ path: RawPath, _ status: stat) throws(EngineError) {
    let input = open(path.below(workspace), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard input >= 0 else { return try Self.passOver(path) }
    defer { close(input) }
    let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
    let output = open(path.below(folder), flags, status.st_mode & 0o777 | 0o600)
    guard output >= 0 else { throw Self.refused(path) }
    defer { close(output) }
    if !FileSystem.shareContents(of: input, with: output) {
      var left = Int(status.st_size)
      while left > 0 {
        let count = sendfile(output, input, nil, left)
        guard count >= 0 else { throw Self.refused(path) }
        if count == 0 { break }
        left -= count
      }
    }
    fchmod(output, status.st_mode & 0o777)
    var times = [status.st_atim, status.st_mtim]
    futimens(output, &times)
  }

  private func copyLink(_ path: RawPath) throws(EngineError) {
    var text = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    guard readlink(path.below(workspace), &text, Int(PATH_MAX)) >= 0 else {
      return try Self.passOver(path)
    }
    guard symlink(text, path.below(folder)) == 0 else { throw Self.refused(path) }
  }

  /// What cannot be read cannot be read by tests either. Whatever else went wrong, a copy without it would be another
  /// workspace.
  private static func passOver(_ path: RawPath) throws(EngineError) {
    guard [EACCES, EPERM, ENOENT, ELOOP].contains(errno) else { throw refused(path) }
  }

  private static func refused(_ path: RawPath) -> EngineError {
    FileSystem.storage(
      "the workspace cannot be copied (\(path.text)): \(String(cString: strerror(errno)))")
  }
}

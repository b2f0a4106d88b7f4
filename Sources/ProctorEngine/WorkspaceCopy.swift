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
  private(set) var originals: [String: Identity] = [:]

  private static let mark = ".git"
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
    try walk("", IgnoreRules(), copies: true)
  }

  /// Copies the workspace's `.git` where that is no folder, as in a further work tree. `fill` leaves it out: git would
  /// follow it while it works on the copy.
  func fillMark() throws(EngineError) {
    let (source, target) = ("\(workspace)/\(Self.mark)", "\(folder)/\(Self.mark)")
    var status = stat()
    guard lstat(source, &status) == 0 else { return }
    // What git left in the copy may be anybody's: neither end is reached through a link.
    switch status.st_mode & S_IFMT {
    case S_IFREG:
      try copyFile(Array(source.utf8CString), Array(target.utf8CString), status, Self.mark)
    case S_IFLNK:
      try copyLink(Array(source.utf8CString), Array(target.utf8CString), Self.mark)
    default: break
    }
  }

  /// Only finds what is shown, and makes the places for it as far as their parents are there.
  mutating func fillPlaces() throws(EngineError) {
    try walk("", IgnoreRules(), copies: false)
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
    _ path: String, _ inherited: IgnoreRules, copies: Bool
  ) throws(EngineError) {
    let prefix = path.isEmpty ? "" : path + "/"
    let rules =
      FileSystem.read("\(workspace)/\(prefix).gitignore", limit: 1 << 20)
      .map { inherited.adding(String(decoding: $0, as: UTF8.self), in: path) } ?? inherited
    for name in Self.names(in: "\(workspace)/\(path)") {
      let relative =
        prefix + String(decoding: name.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
      let source = Self.join("\(workspace)/\(path)", name)
      let target = Self.join("\(folder)/\(path)", name)
      var status = stat()
      guard lstat(source, &status) == 0 else { continue }
      switch status.st_mode & S_IFMT {
      case S_IFDIR:
        try enter(relative, rules, status, copies: copies)
      case S_IFREG where copies && relative != Self.mark:
        try copyFile(source, target, status, relative)
        originals[relative] = Identity(status)
      case S_IFLNK where copies && relative != Self.mark:
        try copyLink(source, target, relative)
        originals[relative] = Identity(status)
      default: break  // pipes, sockets and devices are no sources
      }
    }
  }

  private mutating func enter(
    _ path: String, _ rules: IgnoreRules, _ status: stat, copies: Bool
  ) throws(EngineError) {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    if Self.omittedFolders.contains(name) || isBuildFolder(path, name) { return }
    let isWanted = wanted.contains { $0.hasPrefix(path + "/") }
    let isForeign = Self.shownFolders.contains(name) || isVirtualEnvironment(path)
    if isForeign || (rules.ignores(path, isFolder: true) && !isWanted) {
      shown.append(path)
      if copies { try FileSystem.makeFolder("\(folder)/\(path)") }
      return
    }
    if copies {
      try FileSystem.makeFolder("\(folder)/\(path)")
      chmod("\(folder)/\(path)", (status.st_mode & 0o777) | 0o700)
    }
    try walk(path, rules, copies: copies)
  }

  private func isBuildFolder(_ path: String, _ name: String) -> Bool {
    guard name == "target" else { return false }
    let parent = "\(workspace)/\(path)".parentFolder
    return FileSystem.exists("\(workspace)/\(path)/CACHEDIR.TAG")
      || ["Cargo.toml", "pom.xml"].contains { FileSystem.exists("\(parent)/\($0)") }
  }

  private func isVirtualEnvironment(_ path: String) -> Bool {
    FileSystem.exists("\(workspace)/\(path)/pyvenv.cfg")
  }

  /// Names as bytes, with their end: not all are text.
  private static func names(in folder: String) -> [[CChar]] {
    guard let stream = opendir(folder) else { return [] }
    defer { closedir(stream) }
    var result: [[CChar]] = []
    while let item = readdir(stream) {
      let name = withUnsafePointer(to: &item.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) {
          Array(UnsafeBufferPointer(start: $0, count: strlen($0) + 1))
        }
      }
      let dot = CChar(bitPattern: UInt8(ascii: "."))
      if name != [dot, 0], name != [dot, dot, 0] { result.append(name) }
    }
    return result.sorted { $0.lexicographicallyPrecedes($1) }
  }

  private static func join(_ folder: String, _ name: [CChar]) -> [CChar] {
    folder.utf8.map { CChar(bitPattern: $0) } + [CChar(bitPattern: UInt8(ascii: "/"))] + name
  }

  // MARK: one file

  private func copyFile(
    _ source: [CChar], _ target: [CChar], _ status: stat, _ path: String
  ) throws(EngineError) {
    let input = open(source, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    // What cannot be read cannot be read by tests either.
    guard input >= 0 else { return }
    defer { close(input) }
    let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
    let output = open(target, flags, status.st_mode & 0o777 | 0o600)
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

  private func copyLink(
    _ source: [CChar], _ target: [CChar], _ path: String
  ) throws(EngineError) {
    var text = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    guard readlink(source, &text, Int(PATH_MAX)) >= 0 else { return }
    guard symlink(text, target) == 0 else { throw Self.refused(path) }
  }

  private static func refused(_ path: String) -> EngineError {
    FileSystem.storage(
      "the workspace cannot be copied (\(path)): \(String(cString: strerror(errno)))")
  }
}

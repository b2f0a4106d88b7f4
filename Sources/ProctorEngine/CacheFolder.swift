import FoundationEssentials
import Glibc
import ProctorModel

/// The only place outside the workspace that proctor writes to.
///
///     ROOT/shared/                      compiled guest code, remembered tool queries
///     ROOT/workspaces/NAME-HASH/        build caches of one workspace, kept from run to run
///       candidates/KIND-N/              the same for copies of it that patches or revisions changed
///     ROOT/reports/NAME-HASH/           the last runs of one workspace, to be looked at
///     ROOT/history/NAME-HASH/           what became of each test of one workspace, run by run
///     ROOT/confirmed/NAME-HASH/         what the user agreed to for as long as it stays as it is
///     ROOT/runs/PID-NONCE/              one run's scratch, removed at its end or at the next start
struct CacheFolder: Sendable {
  let root: String

  /// `PROCTOR_CACHE_DIR`, else `XDG_CACHE_HOME/proctor`, else `~/.cache/proctor`.
  init(environment: [String: String]) throws(EngineError) {
    func absolute(_ name: String) -> String? {
      environment[name].flatMap { $0.hasPrefix("/") ? $0 : nil }
    }
    let chosen =
      absolute("PROCTOR_CACHE_DIR") ?? absolute("XDG_CACHE_HOME").map { $0 + "/proctor" }
      ?? absolute("HOME").map { $0 + "/.cache/proctor" }
    guard let chosen else {
      throw FileSystem.storage("there is no cache folder: HOME is not set")
    }
    try FileSystem.makeFolder(chosen)
    root = FileSystem.realPath(chosen) ?? chosen
  }

  /// Apart for each image: what one system builds, another cannot use.
  func image(_ name: String) throws(EngineError) -> CacheFolder {
    let folder = "\(root)/images/\(Self.plain(name))-\(Fingerprint.of(name))"
    try FileSystem.makeFolder(folder)
    return CacheFolder(root: folder)
  }

  private init(root: String) { self.root = root }

  var shared: String { "\(root)/shared" }

  /// The cache of one project of a workspace.
  /// - Parameter workspace: the folder of the workspace's caches.
  func project(_ project: Project, in workspace: String) -> String {
    let root =
      project.root == "." ? "root" : "\(Self.plain(project.root))-\(Fingerprint.of(project.root))"
    return "\(workspace)/\(project.adapter)/\(root)"
  }

  /// The caches of all projects of a workspace.
  func workspace(_ path: String) -> String { "\(root)/workspaces/\(Self.named(path))" }

  /// The kept runs of a workspace.
  func archive(of path: String) -> String { "\(root)/reports/\(Self.named(path))" }

  /// What became of each test of a workspace.
  func history(of path: String) -> String { "\(root)/history/\(Self.named(path))" }

  /// What the user agreed to in a workspace for as long as it stays as it is.
  func confirmed(of path: String) -> String { "\(root)/confirmed/\(Self.named(path))" }

  /// Removes the folders of those workspaces that were changed longest ago.
  /// - Parameters:
  ///   - folder: of one workspace.
  ///   - most: folders that stay.
  static func makeRoom(beside folder: String, most: Int) {
    let all = folder.parentFolder
    let folders = FileSystem.entries(of: all).filter(\.isFolder).map { "\(all)/\($0.name)" }
    guard folders.count > most else { return }
    let byAge = folders.map { (path: $0, date: FileSystem.changed($0)) }
      .sorted { $0.date < $1.date }
    for other in byAge.prefix(folders.count - most) { FileSystem.removeTree(other.path) }
  }

  private static func named(_ path: String) -> String {
    let name = path.split(separator: "/").last.map(String.init) ?? "root"
    return "\(plain(name))-\(Fingerprint.of(path))"
  }

  /// Names for people to recognise; uniqueness is the hash's work.
  private static func plain(_ name: String) -> String {
    String(
      name.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") ? $0 : "-" }
        .suffix(40))
  }
}

/// One run's scratch folder, locked while its process lives.
struct RunFolder: ~Copyable {
  let path: String
  /// nil below a folder that is locked itself.
  private let lock: Int32?

  /// One below another, which outlives it; it is made when something is put into it.
  init(below folder: String) {
    path = "\(folder)/\(Self.nonce().prefix(12))"
    lock = nil
  }

  init(in cache: CacheFolder) throws(EngineError) {
    let runs = "\(cache.root)/runs"
    try FileSystem.makeFolder(runs)
    // One at a time between a folder and its lock: whoever is killed there leaves a folder without one.
    let gate = open("\(cache.root)/runs.lock", O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
    defer { if gate >= 0 { close(gate) } }
    guard gate >= 0, flock(gate, LOCK_EX) == 0 else {
      throw FileSystem.storage("cannot write \(cache.root)/runs.lock")
    }
    Self.sweep(runs)
    let folder = "\(runs)/\(getpid())-\(Self.nonce().prefix(12))"
    try FileSystem.makeFolder(folder)
    chmod(folder, 0o700)
    let descriptor = open("\(folder)/lock", O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
    guard descriptor >= 0, flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      throw FileSystem.storage("cannot write \(folder)/lock")
    }
    path = folder
    lock = descriptor
  }

  deinit {
    FileSystem.removeTree(path)
    if let lock { close(lock) }
  }

  /// Removes what runs left behind whose process is gone (killed by SIGKILL).
  private static func sweep(_ runs: String) {
    for entry in FileSystem.entries(of: runs) where entry.isFolder {
      let folder = "\(runs)/\(entry.name)"
      let lock = open("\(folder)/lock", O_RDWR | O_CLOEXEC)
      if lock < 0 || flock(lock, LOCK_EX | LOCK_NB) == 0 { FileSystem.removeTree(folder) }
      if lock >= 0 { close(lock) }
    }
  }

  /// 128 random bits as 32 hexadecimal digits.
  static func nonce() -> String {
    var generator = SystemRandomNumberGenerator()
    return (0..<2).map { _ in
      let digits = String(generator.next() as UInt64, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }
}

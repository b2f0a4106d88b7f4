import FoundationEssentials
import Glibc
import ProctorModel
import ProctorSandbox

/// The machine proctor runs on.
struct LocalHost: Host {
  /// Programs in it run in the sandbox only, never for an answer.
  let workspace: String
  let environment: [String: String]
  /// Folder of remembered query answers.
  let memory: String

  private static let secondsAllowed = 10.0

  func executable(named name: String) -> String? {
    let path = environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
    return path.split(separator: ":").lazy.filter { $0.hasPrefix("/") }
      .map { "\($0)/\(name)" }.first(where: isExecutable)
  }

  func isExecutable(_ path: String) -> Bool {
    access(path, X_OK) == 0 && !FileSystem.isFolder(path)
  }

  func exists(_ path: String) -> Bool { FileSystem.exists(path) }

  func realPath(_ path: String) -> String? { FileSystem.realPath(path) }

  func read(_ path: String) -> String? {
    FileSystem.read(path, limit: 16 << 20).map { String(decoding: $0, as: UTF8.self) }
  }

  func names(in folder: String) -> [String] { FileSystem.entries(of: folder).map(\.name) }

  func query(
    _ argv: [String], directory: String, environment extra: [String: String], watching: [String]
  ) -> String? {
    guard let tool = argv.first,
      let path = tool.hasPrefix("/") ? tool : executable(named: tool)
    else { return nil }
    let places = [path, FileSystem.realPath(path) ?? path]
    guard !places.contains(where: { $0.hasPrefix(workspace + "/") }) else { return nil }
    let watched = [path, FileSystem.realPath(path) ?? path] + watching
    let key = Fingerprint.of(
      ([directory] + argv + extra.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        + [environment["PATH"] ?? ""] + watched.map(Self.stamp))
        .joined(separator: "\u{0}"))
    let remembered = "\(memory)/\(key)"
    if let answer = read(remembered) { return answer }
    // A folder that only a patch adds is not there yet.
    var existing = directory
    while existing.count > 1, !FileSystem.isFolder(existing) { existing = existing.parentFolder }
    let command = HostCommand(
      [path] + argv.dropFirst(), environment: environment.merging(extra) { $1 },
      directory: existing.isEmpty ? "/" : existing, seconds: Self.secondsAllowed)
    let outcome = command.run()
    guard outcome.isSuccess else { return nil }
    let answer = outcome.stdout
    // A cache that cannot be written costs time, nothing else.
    try? FileSystem.makeFolder(memory)
    try? Data(answer.utf8).write(to: URL(filePath: remembered), options: .atomic)
    return answer
  }

  /// What changes when a file changes.
  private static func stamp(_ path: String) -> String {
    var status = stat()
    guard stat(path, &status) == 0 else { return "\(path) absent" }
    let time = status.st_mtim
    return "\(path) \(status.st_ino) \(status.st_size) \(time.tv_sec).\(time.tv_nsec)"
  }
}

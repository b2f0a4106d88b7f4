import FoundationEssentials
import Glibc
import ProctorModel

/// What the attacks are aimed at: a secret, a process, listeners, a queue. Gone when it is over.
final class Range {
  let folder: String
  let token: String
  let victim: pid_t
  let abstractName: String
  private let port: Int
  private let queueKey: Int32
  private let queue: Int32
  private var listeners: [Int32] = []
  private static let descriptor: Int32 = 200

  var workspace: String { "\(folder)/workspace" }
  private var outside: String { "\(folder)/outside" }
  private var secret: String { "\(outside)/secret" }
  private var socketPath: String { "\(outside)/s" }

  /// - Parameter folder: an existing private folder.
  /// - Throws: when the host does not even give a socket.
  init(folder: String) throws {
    self.folder = folder
    token = Self.random(24)
    abstractName = "proctor-" + Self.random(6)
    for name in ["outside", "workspace", "area", "scratch"] {
      try FileManager.default.createDirectory(
        atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
    }
    try token.write(toFile: "\(folder)/outside/secret", atomically: false, encoding: .utf8)
    setenv("PROCTOR_SELFTEST_TOKEN", token, 1)
    victim = try Self.start(
      ["/bin/sh", "-c", "cd \"$0\" && exec sleep 1000", "\(folder)/workspace"], output: nil)
    queueKey = Int32.random(in: 1...Int32.max)
    queue = msgget(queueKey, 0o600 | Int32(IPC_CREAT))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let server = try Self.listen(AF_INET, &address)
    listeners.append(server)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    _ = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(server, $0, &length) }
    }
    port = Int(UInt16(bigEndian: address.sin_port))
    for name in [Array(socketPath.utf8), [0] + Array(abstractName.utf8)] {
      guard name.count < 108 else { continue }
      var unix = sockaddr_un()
      unix.sun_family = sa_family_t(AF_UNIX)
      withUnsafeMutableBytes(of: &unix.sun_path) { $0.copyBytes(from: name) }
      let size = name.first == 0 ? 2 + name.count : MemoryLayout<sockaddr_un>.size
      listeners.append(try Self.listen(AF_UNIX, &unix, size: size))
    }
    let opened = open(secret, O_RDONLY | O_CLOEXEC)
    dup2(opened, Self.descriptor)
    close(opened)
    restore()
  }

  deinit {
    kill(victim, SIGKILL)
    var status: Int32 = 0
    waitpid(victim, &status, 0)
    msgctl(queue, Int32(IPC_RMID), nil)
    listeners.forEach { close($0) }
    close(Self.descriptor)
    unsetenv("PROCTOR_SELFTEST_TOKEN")
  }

  /// The workspace as every attack finds it.
  func restore() {
    let files = FileManager.default
    for name in ["workspace/.git", "workspace/conftest.py", "outside/written", "scratch"] {
      try? files.removeItem(atPath: "\(folder)/\(name)")
    }
    try? files.createDirectory(atPath: "\(folder)/scratch", withIntermediateDirectories: true)
    try? "original".write(toFile: "\(workspace)/file", atomically: false, encoding: .utf8)
  }

  var isWorkspaceChanged: Bool {
    (try? String(contentsOfFile: "\(workspace)/file", encoding: .utf8)) != "original"
  }

  /// The command line of an attack.
  /// - Parameter area: a folder for many and large files.
  func arguments(_ program: String, _ attack: Attack, area: String) -> [String] {
    [
      program, Probe.argument, attack.name, secret, token, outside, workspace, area,
      String(victim), String(port), socketPath, abstractName, String(queueKey),
      String(Self.descriptor),
    ]
  }

  /// Processes that carry the name which `stay_behind` gives itself.
  var survivors: [pid_t] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return names.compactMap { pid_t($0) }.filter { pid in
      // `123 (name) S ...`: what is dead and waits for its parent does not count.
      let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
      return stat?.contains("(\(abstractName)) ") == true && stat?.contains(") Z ") == false
    }
  }

  // MARK: without a sandbox

  struct Failure: Error { let message: String }

  /// Starts a program with everything that a child inherits.
  /// - Parameter output: where stdout and stderr go; nil for nowhere.
  static func start(_ arguments: [String], output: Int32?) throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    for descriptor in [Int32(1), 2] {
      if let output {
        posix_spawn_file_actions_adddup2(&actions, output, descriptor)
      } else {
        posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_WRONLY, 0)
      }
    }
    var pid = pid_t()
    let pointers = arguments.map { strdup($0) } + [nil]
    defer { pointers.forEach { free($0) } }
    let error = posix_spawn(&pid, arguments[0], &actions, nil, pointers, environ)
    guard error == 0 else { throw Failure(message: String(cString: strerror(error))) }
    return pid
  }

  private static func listen<Address>(
    _ family: Int32, _ address: inout Address, size: Int = MemoryLayout<Address>.size
  ) throws -> Int32 {
    let descriptor = socket(family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    let bound = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(size))
      }
    }
    guard descriptor >= 0, bound == 0, Glibc.listen(descriptor, 64) == 0 else {
      throw Failure(message: "cannot listen: \(String(cString: strerror(errno)))")
    }
    return descriptor
  }

  private static func random(_ length: Int) -> String {
    String((0..<length).map { _ in "0123456789abcdef".randomElement() ?? "0" })
  }
}

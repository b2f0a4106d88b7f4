import CSandbox
import Glibc
import ProctorModel

/// Sees the calls that the notifier shows: counts them against the policy, and says what was denied.
///
/// What it reads from the command's memory may change behind its back: it is good for counting and for
/// telling, and the walls stand without it. Used by the supervising thread only.
final class CallWatch {
  private let policy: SandboxPolicy
  private let command: SandboxCommand
  private let socket: Int32
  private var listener: Int32 = -1
  private var names: [Int32: String] = [:]
  private var fileKinds: [Int32: FileCall.Kind] = [:]
  private var files = 0
  private var requests = 0
  private(set) var denials = Denials()
  private(set) var reached: [ReachedLimit] = []

  static func wish(for policy: SandboxPolicy) -> CallFilter.Wish {
    CallFilter.Wish(
      connections: policy.network == .none, requests: policy.limits.networkRequests != nil,
      files: policy.limits.fileOperations != nil)
  }

  /// - Parameter socket: where the notifier's listener will come from.
  init(policy: SandboxPolicy, command: SandboxCommand, socket: Int32) {
    self.policy = policy
    self.command = command
    self.socket = socket
  }

  deinit { if listener >= 0 { close(listener) } }

  /// What to wait for.
  var descriptor: Int32 { listener >= 0 ? listener : socket }

  /// Called when there is something to read; false when no listener came.
  func ready() -> Bool {
    guard listener >= 0 else {
      listener = csb_receive_listener(socket)
      return listener >= 0
    }
    var call = csb_notification()
    // Whoever asked may be dead by now.
    guard csb_notification_receive(listener, &call) == 0 else { return true }
    let error = decide(call)
    csb_notification_answer(listener, call.id, error)
    return true
  }

  // MARK: deciding

  /// - Returns: 0 to let the call go on, or the errno it fails with.
  private func decide(_ call: csb_notification) -> Int32 {
    let name = name(call.call)
    let memory = Memory(pid: call.pid)
    let arguments = call.arguments
    switch name {
    case "connect": return network(memory.address(arguments.1, length: arguments.2), memory)
    case "sendto": return network(memory.address(arguments.4, length: arguments.5), memory)
    case "sendmsg", "sendmmsg": return network(memory.messageAddress(arguments.1), memory)
    default: return file(FileCall(kind(call.call, name), call, memory), memory)
    }
  }

  private func name(_ call: Int32) -> String {
    if let name = names[call] { return name }
    let name = CallFilter.name(of: call)
    names[call] = name
    return name
  }

  private func kind(_ call: Int32, _ name: String) -> FileCall.Kind {
    if let kind = fileKinds[call] { return kind }
    let kind = FileCall.Kind(name)
    fileKinds[call] = kind
    return kind
  }

  private func network(_ address: SocketAddress?, _ memory: Memory) -> Int32 {
    switch address {
    case nil, .other: return 0
    case .unix(let path):
      if !path.isEmpty, Paths.exists(path), !memory.sees(path) {
        denials.add(
          Denial(
            kind: .unixSocket, target: path, rule: "default-deny files", setting: nil))
      }
      return 0
    case .internet(let text, let isLocal):
      if let limit = policy.limits.networkRequests {
        requests += 1
        if requests > limit {
          deny(.networkRequests, limit, Denial.Kind.network, text)
          return EACCES
        }
      }
      if policy.network == .none, !isLocal {
        let isName = text == "\(SystemView.noNameServer):53"
        denials.add(
          Denial(
            kind: .network, target: isName ? "name server (DNS)" : text, rule: "no network",
            setting: "allow_network_access"))
      }
      return 0
    }
  }

  private func file(_ call: FileCall, _ memory: Memory) -> Int32 {
    guard let limit = policy.limits.fileOperations, !isFree(call) else { return 0 }
    if !call.isWriting, let path = call.path, !memory.sees(path) {
      // Loaders and interpreters look in many places. What this machine has there is worth telling.
      if Paths.exists(path) {
        denials.add(
          Denial(kind: .file, target: path, rule: "default-deny files", setting: "read"))
      }
      return 0
    }
    files += 1
    guard files > limit else { return 0 }
    deny(.fileOperations, limit, Denial.Kind.file, call.path ?? call.kind.name)
    return EACCES
  }

  private func deny(
    _ name: ResourceLimits.Name, _ limit: Int, _ kind: Denial.Kind, _ target: String
  ) {
    let setting = "max_\(name.rawValue)"
    denials.add(
      Denial(kind: kind, target: target, rule: "\(setting) = \(limit)", setting: setting))
    let words = "\(target) was one more than the \(limit) allowed"
    if !reached.contains(where: { $0.limit == name }) {
      reached.append(ReachedLimit(name, evidence: words, isFatal: false))
    }
  }

  // MARK: what is not counted

  private static let devices: Set<String> = [
    "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty",
    "/dev/stdin", "/dev/stdout", "/dev/stderr",
  ]
  private static let systemFolders = [
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/proc", "/dev", "/sys",
  ]

  private func isFree(_ call: FileCall) -> Bool {
    guard let path = call.path else { return false }
    // Most calls by far are an interpreter's that looks for its modules.
    if !call.isWriting, path == "/" || readFolders.contains(where: { $0.holds(path) }) {
      return true
    }
    if Self.devices.contains(path) { return true }
    // The report channel.
    if command.visible.contains(where: { Paths.isBelow(path, $0) }) { return true }
    if policy.scratchFolders.contains(where: { Paths.isBelow(path, $0) }) { return true }
    // A process's own memory and names are no files.
    return path.hasPrefix("/proc/self/") || path.hasPrefix("/proc/thread-self/")
  }

  private struct Folder {
    let path: String
    let beginning: String

    init(_ path: String) { (self.path, beginning) = (path, path == "/" ? path : path + "/") }

    /// Whether a path is the folder or stands in it.
    func holds(_ path: String) -> Bool { path.hasPrefix(beginning) || path == self.path }
  }

  private lazy var readFolders: [Folder] =
    (Self.systemFolders + policy.freeReads
    + policy.mounts.compactMap { if case .readOnly(let path) = $0 { path } else { nil } })
    .map(Folder.init)
}

/// A call about a file.
private struct FileCall {
  /// What kind of call it is.
  struct Kind {
    let name: String
    /// Where the path and the folder it is relative to stand among the arguments.
    let place: (path: Int, folder: Int?)

    init(_ name: String) { (self.name, place) = (name, places[name] ?? (0, nil)) }
  }

  let kind: Kind
  /// Absolute and without dots; nil when it could not be read.
  let path: String?
  let isWriting: Bool

  private static let places: [String: (path: Int, folder: Int?)] = [
    "open": (0, nil), "openat": (1, 0), "openat2": (1, 0), "creat": (0, nil), "mkdir": (0, nil),
    "mkdirat": (1, 0), "rmdir": (0, nil), "unlink": (0, nil), "unlinkat": (1, 0),
    "rename": (0, nil), "renameat": (1, 0), "renameat2": (1, 0), "link": (0, nil),
    "linkat": (1, 0), "symlink": (1, nil), "symlinkat": (2, 1), "truncate": (0, nil),
    "truncate64": (0, nil), "chmod": (0, nil), "fchmodat": (1, 0), "chown": (0, nil),
    "lchown": (0, nil), "fchownat": (1, 0), "mknod": (0, nil), "mknodat": (1, 0),
    "utimensat": (1, 0), "setxattr": (0, nil), "lsetxattr": (0, nil),
  ]

  init(_ kind: Kind, _ call: csb_notification, _ memory: Memory) {
    self.kind = kind
    let arguments = [
      call.arguments.0, call.arguments.1, call.arguments.2, call.arguments.3, call.arguments.4,
      call.arguments.5,
    ]
    path = memory.path(
      arguments[kind.place.path], folder: kind.place.folder.map { arguments[$0] })
    let flags: UInt64? =
      switch kind.name {
      case "open": arguments[1]
      case "openat": arguments[2]
      case "openat2": memory.number(arguments[2])
      default: nil
      }
    let writing = UInt64(O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)
    isWriting = flags.map { $0 & writing != 0 } ?? true
  }
}

private enum SocketAddress {
  case internet(String, isLocal: Bool)
  case unix(String)
  case other
}

/// The memory of a process that waits in a call.
private struct Memory {
  let pid: pid_t

  private func bytes(_ address: UInt64, _ length: Int) -> [UInt8]? {
    guard address != 0, length > 0 else { return nil }
    var buffer = [UInt8](repeating: 0, count: length)
    let count = csb_read_memory(pid, address, &buffer, length)
    return count > 0 ? Array(buffer[..<count]) : nil
  }

  func number(_ address: UInt64) -> UInt64? {
    bytes(address, 8).flatMap { $0.count == 8 ? little($0, 0, 8) : nil }
  }

  /// A text that ends with a zero; read page by page, since the next page may not be there.
  private func text(_ address: UInt64) -> String? {
    var result: [UInt8] = []
    var at = address
    while result.count < 4096 {
      let step = Int(4096 - at % 4096)
      guard let part = bytes(at, step) else { return nil }
      if let end = part.firstIndex(of: 0) {
        return String(decoding: result + part[..<end], as: UTF8.self)
      }
      result += part
      at += UInt64(step)
    }
    return nil
  }

  func path(_ address: UInt64, folder: UInt64?) -> String? {
    guard let text = text(address) else { return nil }
    if text.hasPrefix("/") { return Self.plain(text) }
    let number = folder.map { Int32(truncatingIfNeeded: $0) } ?? AT_FDCWD
    let link = number == AT_FDCWD ? "/proc/\(pid)/cwd" : "/proc/\(pid)/fd/\(number)"
    return Paths.link(link).map { Self.plain($0 + "/" + text) }
  }

  private static func plain(_ path: String) -> String {
    // As nearly all are.
    if !path.holds("/."), !path.holds("//"), !path.hasSuffix("/") { return path }
    var parts: [Substring] = []
    for part in path.split(separator: "/") where part != "." {
      if part == ".." { _ = parts.popLast() } else { parts.append(part) }
    }
    return "/" + parts.joined(separator: "/")
  }

  /// Whether the process itself can find a path.
  func sees(_ path: String) -> Bool { Paths.exists("/proc/\(pid)/root\(path)") }

  func messageAddress(_ message: UInt64) -> SocketAddress? {
    guard let head = bytes(message, 16), head.count == 16 else { return nil }
    return address(little(head, 0, 8), length: little(head, 8, 4))
  }

  func address(_ address: UInt64, length: UInt64) -> SocketAddress? {
    guard let raw = bytes(address, Int(min(length, 128))), raw.count >= 2 else { return nil }
    switch Int32(little(raw, 0, 2)) {
    case AF_UNIX: return .unix(String(decoding: raw[2...].prefix { $0 != 0 }, as: UTF8.self))
    case AF_INET where raw.count >= 8:
      let parts = raw[4..<8].map(String.init).joined(separator: ".")
      let isLocal = raw[4] == 127 || raw[4..<8].allSatisfy { $0 == 0 }
      return .internet("\(parts):\(big(raw, 2))", isLocal: isLocal)
    case AF_INET6 where raw.count >= 24: return version6(Array(raw[8..<24]), port: big(raw, 2))
    default: return .other
    }
  }

  private func version6(_ raw: [UInt8], port: Int) -> SocketAddress {
    let mapped = raw[..<10].allSatisfy { $0 == 0 } && raw[10] == 255 && raw[11] == 255
    let isLocal =
      raw[..<15].allSatisfy { $0 == 0 } && raw[15] <= 1 || (mapped && raw[12] == 127)
    var text = [CChar](repeating: 0, count: 64)
    _ = raw.withUnsafeBytes { inet_ntop(AF_INET6, $0.baseAddress, &text, 64) }
    let words = String(
      decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    return .internet("[\(words)]:\(port)", isLocal: isLocal)
  }

  private func little(_ raw: [UInt8], _ offset: Int, _ count: Int) -> UInt64 {
    raw[offset..<offset + count].reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  private func big(_ raw: [UInt8], _ offset: Int) -> Int {
    Int(raw[offset]) << 8 | Int(raw[offset + 1])
  }
}

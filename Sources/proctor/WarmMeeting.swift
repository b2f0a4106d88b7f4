import CSandbox
import FoundationEssentials
import Glibc
import ProctorEngine
import ProctorModel

/// The socket at which callers and their helper meet.
///
/// Its name stands for all that makes a call by the helper the same as one by the caller itself: the program, the
/// user, the rights, the limits and the view of the machine. Who differs in any of them has another helper.
struct WarmMeeting {
  let folder: String
  let name: String

  /// nil when there is no cache folder to meet in.
  init?(_ environment: [String: String]) {
    guard let folder = try? WarmCalls.meetingFolder(environment) else { return nil }
    self.folder = folder
    name = Fingerprint.of(Self.identity.joined(separator: "\n"))
  }

  init(folder: String, name: String) { (self.folder, self.name) = (folder, name) }

  private static var identity: [String] {
    var lines = ["uid \(getuid()) \(geteuid()) \(getgid()) \(getegid())"]
    for path in ["/proc/self/exe", "/"] {
      var status = stat()
      guard stat(path, &status) == 0 else { continue }
      lines.append(
        "\(path) \(status.st_dev) \(status.st_ino) \(path == "/" ? 0 : status.st_ctim.tv_nsec)")
    }
    for kind in ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup"] {
      lines.append(
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/\(kind)")) ?? "")
    }
    let told = ["Groups:", "CapEff:", "CapBnd:", "NoNewPrivs:", "Seccomp:", "Cpus_allowed:"]
    lines += text("/proc/self/status").split(separator: "\n").map(String.init)
      .filter { line in told.contains { line.hasPrefix($0) } }
    lines += [text("/proc/self/cgroup"), text("/proc/self/limits")]
    return lines
  }

  private static func text(_ path: String) -> String {
    FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }

  // MARK: sockets

  /// Who is met there: nobody, when it is another user.
  func connect() -> Int32? {
    at { address, length -> Int32? in
      let socket = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
      guard socket >= 0 else { return nil }
      guard Glibc.connect(socket, address, length) == 0, Self.isOwn(socket) else {
        close(socket)
        return nil
      }
      return socket
    }
  }

  /// Waits for callers; nil when another helper does.
  func listen() -> (socket: Int32, lock: Int32)? {
    let lock = open("\(folder)/\(name).lock", O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
    guard lock >= 0, flock(lock, LOCK_EX | LOCK_NB) == 0 else {
      if lock >= 0 { close(lock) }
      return nil
    }
    unlink("\(folder)/\(name)")
    let socket = at { address, length -> Int32? in
      let socket = Glibc.socket(
        AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
      guard socket >= 0 else { return nil }
      guard bind(socket, address, length) == 0, Glibc.listen(socket, 64) == 0 else {
        close(socket)
        return nil
      }
      return socket
    }
    guard let socket else {
      close(lock)
      return nil
    }
    return (socket, lock)
  }

  func forget() { unlink("\(folder)/\(name)") }

  /// Whether the other end is of this user.
  static func isOwn(_ socket: Int32) -> Bool {
    csb_peer_user(socket) == Int(geteuid())
  }

  /// A socket's path is short, a cache folder's may be long: it is named by its descriptor.
  private func at<Result>(
    _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result?
  ) -> Result? {
    let place = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard place >= 0 else { return nil }
    defer { close(place) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let path = Array("/proc/self/fd/\(place)/\(name)".utf8)
    guard path.count < MemoryLayout.size(ofValue: address.sun_path) else { return nil }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
  }
}

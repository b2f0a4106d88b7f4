import CSandbox
import FoundationEssentials
import Glibc
import ProctorEngine
import ProctorModel

/// The socket at which callers and their helper meet.
///
/// Its name stands for all that makes a call by the helper the same as one by the caller itself: the program, the
/// user, the rights, the limits and the view of the machine. Who differs in any of them has another helper, and is
/// refused by this one: code in a sandbox is of the same user, and may see the socket.
struct WarmMeeting {
  let folder: String
  let name: String

  /// nil when there is no cache folder to meet in, or what this process may do cannot be told from outside.
  init?(_ environment: [String: String]) {
    guard let view = ProcessView.own, let folder = try? WarmCalls.meetingFolder(environment)
    else { return nil }
    var program = stat()
    guard stat("/proc/self/exe", &program) == 0 else { return nil }
    self.folder = folder
    name = Fingerprint.of(
      "\(program.st_dev) \(program.st_ino) \(program.st_size) \(program.st_ctim.tv_sec) "
        + "\(program.st_ctim.tv_nsec)\n" + view.lines.joined(separator: "\n"))
  }

  init(folder: String, name: String) { (self.folder, self.name) = (folder, name) }

  private var path: String { "\(folder)/\(name)" }

  // MARK: sockets

  /// Who is met there: nobody, when it is another user.
  func connect() -> Int32? {
    at { address, length -> Int32? in
      let socket = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
      guard socket >= 0 else { return nil }
      var (user, process) = (uid_t(), pid_t())
      guard Glibc.connect(socket, address, length) == 0, csb_peer(socket, &user, &process) == 0,
        user == geteuid()
      else {
        close(socket)
        return nil
      }
      return socket
    }
  }

  /// The place at which a helper listens, its own as long as nobody else has taken it.
  struct Place {
    let socket: Int32
    let lock: Int32
    let device: dev_t
    let inode: ino_t
  }

  /// Waits for callers; nil when another helper does.
  func listen() -> Place? {
    let lock = open("\(path).lock", O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
    guard lock >= 0, flock(lock, LOCK_EX | LOCK_NB) == 0 else {
      if lock >= 0 { close(lock) }
      return nil
    }
    unlink(path)
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
    var status = stat()
    guard let socket, lstat(path, &status) == 0 else {
      close(lock)
      return nil
    }
    return Place(socket: socket, lock: lock, device: status.st_dev, inode: status.st_ino)
  }

  /// Whether callers still come to it: the cache folder may have been removed.
  func isFound(_ place: Place) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_dev == place.device
      && status.st_ino == place.inode
  }

  func leave(_ place: Place) {
    if isFound(place) { unlink(path) }
    close(place.socket)
    close(place.lock)
  }

  /// Whether the other end may do, and sees, what this process does.
  static func isEqual(_ socket: Int32) -> Bool {
    var (user, process) = (uid_t(), pid_t())
    guard csb_peer(socket, &user, &process) == 0, user == geteuid(), let own = ProcessView.own
    else { return false }
    return ProcessView("\(process)") == own
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

/// What a process may do, is given and sees, as the kernel tells it.
struct ProcessView: Equatable {
  let lines: [String]

  static let own = ProcessView("self")

  private static let namespaces = ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time"]
  private static let told = [
    "Umask:", "Uid:", "Gid:", "Groups:", "CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "Seccomp",
    "Cpus_allowed:",
  ]

  /// - Parameter process: its number, or `self`.
  /// - Returns: nil when it cannot be told: of processes that gave up rights for good, as those in sandboxes, nobody
  ///   knows how many.
  init?(_ process: String) {
    var lines: [String] = []
    for kind in Self.namespaces {
      let link = "/proc/\(process)/ns/\(kind)"
      guard let name = Self.target(of: link) else {
        // Older kernels have fewer kinds.
        if access("/proc/self/ns/\(kind)", F_OK) == 0 { return nil }
        continue
      }
      lines.append(name)
    }
    var root = stat()
    guard stat("/proc/\(process)/root", &root) == 0,
      let status = Self.text(process, "status"), status.contains("NoNewPrivs:\t0"),
      let groups = Self.text(process, "cgroup"), let limits = Self.text(process, "limits"),
      let memory = Self.text(process, "oom_score_adj"), let counts = Self.text(process, "stat")
    else { return nil }
    lines.append("\(root.st_dev) \(root.st_ino)")
    lines += status.split(separator: "\n").map(String.init).filter { line in
      Self.told.contains { line.hasPrefix($0) }
    }
    // Its niceness, real-time priority and policy; its name may hold anything.
    let fields = counts.components(separatedBy: ") ").last?.split(separator: " ") ?? []
    guard fields.count > 38 else { return nil }
    self.lines = lines + [groups, limits, memory] + [16, 37, 38].map { String(fields[$0]) }
  }

  private static func target(of link: String) -> String? {
    var name = [CChar](repeating: 0, count: 256)
    // One that fills all of it was cut.
    let count = readlink(link, &name, name.count)
    guard (1..<name.count).contains(count) else { return nil }
    return String(decoding: name[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// Each call waits for these, so that they are read without ceremony; nil too for one that is too long to be true.
  private static func text(_ process: String, _ name: String) -> String? {
    let file = open("/proc/\(process)/\(name)", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 1 << 16) { buffer in
      guard let start = buffer.baseAddress else { return nil }
      var length = 0
      while length < buffer.count {
        let count = read(file, start.advanced(by: length), buffer.count - length)
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else {
          return count == 0 ? String(decoding: buffer[..<length], as: UTF8.self) : nil
        }
        length += count
      }
      return nil
    }
  }
}

import Glibc

/// Which process began a call, so that another one can tell whether it still lives.
struct ProcessIdentity: Sendable, Hashable {
  let pid: Int
  /// Clock ticks between the machine's start and the process's: a number that is used again has another.
  let start: UInt64
  /// Of this start of the machine.
  let boot: String
  /// Numbers of processes mean something only there.
  let namespace: String
  let machine: String

  static let own = ProcessIdentity(
    pid: Int(getpid()), start: startOf("self") ?? 0,
    boot: text("/proc/sys/kernel/random/boot_id").map { String($0.prefix { $0 != "\n" }) } ?? "-",
    namespace: target(of: "/proc/self/ns/pid") ?? "-", machine: hostName)

  var text: String { "\(pid) \(start) \(boot) \(namespace) \(machine)" }

  init(pid: Int, start: UInt64, boot: String, namespace: String, machine: String) {
    self.pid = pid
    self.start = start
    self.boot = boot
    self.namespace = namespace
    self.machine = machine
  }

  /// nil for what `text` has not written.
  init?(_ text: String) {
    let words = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
    guard words.count == 5, let pid = Int(words[0]), let start = UInt64(words[1]) else {
      return nil
    }
    self.init(pid: pid, start: start, boot: words[2], namespace: words[3], machine: words[4])
  }

  /// Whether it is certain that the process is no more. Of other machines that share the folder, and of containers
  /// that do, nothing is certain from here.
  var isGone: Bool {
    let own = Self.own
    guard machine == own.machine else { return false }
    guard boot == own.boot else { return true }
    guard namespace == own.namespace else { return false }
    return Self.startOf("\(pid)") != start
  }

  /// nil when there is no such process.
  private static func startOf(_ process: String) -> UInt64? {
    // Its name, in parentheses, may hold anything.
    let fields = text("/proc/\(process)/stat")?.split(separator: ")").last?.split(separator: " ")
    guard let fields, fields.count > 19 else { return nil }
    return UInt64(fields[19])
  }

  private static var hostName: String {
    var name = utsname()
    guard uname(&name) == 0 else { return "-" }
    let text = withUnsafeBytes(of: &name.nodename) {
      String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
    }
    return text.isEmpty ? "-" : text.replacing(" ", with: "-")
  }

  private static func text(_ path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = read(descriptor, &buffer, buffer.count)
    return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
  }

  private static func target(of link: String) -> String? {
    var buffer = [CChar](repeating: 0, count: 256)
    let count = readlink(link, &buffer, buffer.count)
    guard count > 0 else { return nil }
    return String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}

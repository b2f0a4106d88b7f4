import FoundationEssentials
import Glibc
import ProctorModel

/// What of the host's system every command sees: programs, libraries, and a little of /etc.
struct SystemView {
  /// What runtimes and linkers need of the host's /etc; none of it is secret.
  private static let folders = [
    "alternatives", "ssl", "ca-certificates", "ld.so.conf.d", "perl", "nodejs", "fonts", "maven",
    "java-8-openjdk", "java-11-openjdk", "java-17-openjdk", "java-21-openjdk", "python3",
    "python3.9", "python3.10", "python3.11", "python3.12", "python3.13",
  ]
  private static let files = [
    "ld.so.cache", "ld.so.conf", "localtime", "mime.types", "protocols", "services", "os-release",
  ]
  private static let topNames = ["bin", "sbin", "lib", "lib32", "lib64", "libx32"]
  static let hostName = "sandbox"

  let policy: SandboxPolicy
  /// Host folders, read-only, at the same paths.
  let binds: [String]
  /// Top folders that are links, as distributions have merged them into /usr.
  let links: [(path: String, text: String)]

  init(policy: SandboxPolicy) {
    self.policy = policy
    links = Self.topNames.compactMap { name in Paths.link("/\(name)").map { ("/\(name)", $0) } }
    let linked = Set(links.map(\.path))
    let tops = Self.topNames.map { "/\($0)" }.filter { !linked.contains($0) && Paths.exists($0) }
    binds = ["/usr"] + tops + Self.folders.map { "/etc/\($0)" }.filter(Paths.exists)
  }

  /// Parts of /proc that are about the machine: they can be read, as without a sandbox. Root without
  /// capabilities could still write there, being the owner.
  var sealed: [String] {
    ["sys", "sysrq-trigger", "irq", "bus", "fs"].map { "/proc/\($0)" }.filter(Paths.exists)
  }

  /// Parts of /proc that tell of the kernel's memory and keys.
  var masked: [String] {
    ["kcore", "keys", "kmsg", "kallsyms", "timer_list"].map { "/proc/\($0)" }.filter(Paths.exists)
  }

  /// Files of /etc: the host's own or made up.
  var texts: [(path: String, bytes: [UInt8])] {
    var names = Self.files
    // Often a link into /run, which is not there inside.
    if policy.network == .host { names.append("resolv.conf") }
    let copied = names.compactMap { name -> (String, [UInt8])? in
      Paths.bytes("/etc/\(name)").map { ("/etc/\(name)", $0) }
    }
    return copied + madeUp.map { ($0, Array($1.utf8)) }
  }

  private var madeUp: [(String, String)] {
    let (user, group) = (getuid(), getgid())
    let name = user == 0 ? "root" : "user"
    let root = user == 0 ? "" : "root:x:0:0:root:/nonexistent:/usr/sbin/nologin\n"
    var result = [
      ("/etc/passwd", "\(root)\(name):x:\(user):\(group):\(name):\(policy.home):/bin/sh\n"),
      (
        "/etc/group",
        (group == 0 ? "" : "root:x:0:\n") + "\(group == 0 ? "root" : name):x:\(group):\n"
      ),
      ("/etc/hostname", "\(Self.hostName)\n"),
      ("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n127.0.1.1 \(Self.hostName)\n"),
      ("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"),
    ]
    if policy.network == .none {
      // An address for documentation, to which there is no way: asking for a name fails at once, and the
      // supervisor sees that somebody asked.
      result.append(("/etc/resolv.conf", "nameserver \(Self.noNameServer)\noptions attempts:1\n"))
    }
    return result
  }

  static let noNameServer = "192.0.2.53"
}

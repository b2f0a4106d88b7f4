import CSandbox
import FoundationEssentials
import Glibc
import ProctorModel

/// The bubblewrap command line of a policy: default deny, and then what is named.
struct Bubblewrap {
  /// What of the host's /etc runtimes and linkers need; none of it is secret. Every bind costs bubblewrap
  /// a reading of the whole mount table, so small files are copied instead.
  private static let etcFolders = [
    "alternatives", "ssl", "ca-certificates", "ld.so.conf.d", "perl", "nodejs", "fonts", "maven",
    "java-8-openjdk", "java-11-openjdk", "java-17-openjdk", "java-21-openjdk", "python3",
    "python3.9", "python3.10", "python3.11", "python3.12", "python3.13",
  ]
  private static let etcFiles = [
    "ld.so.cache", "ld.so.conf", "localtime", "mime.types", "protocols", "services", "os-release",
  ]
  private static let systemLinks = ["bin", "sbin", "lib", "lib32", "lib64", "libx32"]

  let policy: SandboxPolicy
  let command: SandboxCommand
  /// Where the overlays are mounted outside, by the path they appear at inside.
  let overlays: [String: String]
  let userNamespace: Bool

  static func executable(_ environment: [String: String]) -> String? {
    let places = ["/usr/bin", "/bin", "/usr/local/bin"]
    let path = (environment["PATH"] ?? "").split(separator: ":").map(String.init)
    return (places + path).map { "\($0)/bwrap" }.first { access($0, X_OK) == 0 }
  }

  /// Descriptors the command line refers to; closed by the caller once the child is started.
  struct Prepared {
    var arguments: [String]
    var descriptors: [Int32]
  }

  /// - Parameter status: the descriptor bubblewrap reports on.
  func prepare(status: Int32) -> Prepared? {
    var descriptors: [Int32] = []
    func file(_ bytes: [UInt8]) -> String? {
      let descriptor = csb_memory_file(bytes, bytes.count)
      guard descriptor >= 0 else { return nil }
      descriptors.append(descriptor)
      return String(descriptor)
    }
    var arguments = namespaces + system
    for (path, bytes) in files {
      guard let descriptor = file(bytes) else { return nil }
      arguments += ["--perms", "0444", "--file", descriptor, path]
    }
    arguments += folders + environment + ["--chdir", command.directory]
    let joined: [UInt8] = arguments.flatMap { Array($0.utf8) + [0] }
    let all = csb_memory_file(joined, joined.count)
    guard all >= 0 else { return nil }
    descriptors.append(all)
    return Prepared(
      arguments: ["--json-status-fd", String(status), "--args", String(all), "--"] + command.argv,
      descriptors: descriptors)
  }

  private var namespaces: [String] {
    var result = ["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
    if userNamespace { result.append("--unshare-user") }
    if policy.network == .none { result.append("--unshare-net") }
    return result + ["--die-with-parent", "--new-session", "--cap-drop", "ALL"]
  }

  private var system: [String] {
    var result = ["--ro-bind", "/usr", "/usr"]
    for name in Self.systemLinks {
      var status = stat()
      guard lstat("/\(name)", &status) == 0 else { continue }
      if (status.st_mode & S_IFMT) == S_IFLNK, let target = Paths.link("/\(name)") {
        result += ["--symlink", target, "/\(name)"]
      } else {
        result += ["--ro-bind", "/\(name)", "/\(name)"]
      }
    }
    for name in Self.etcFolders where Paths.exists("/etc/\(name)") {
      result += ["--ro-bind", "/etc/\(name)", "/etc/\(name)"]
    }
    result += ["--proc", "/proc", "--dev", "/dev"]
    // The root is a private memory file system already: folders in it need no mount of their own.
    for folder in ["/tmp", "/var/tmp"] { result += ["--perms", "1777", "--dir", folder] }
    return result + ["--perms", "0700", "--dir", policy.home]
  }

  private var files: [(path: String, bytes: [UInt8])] {
    var names = Self.etcFiles
    // Often a link into /run, which is not there inside.
    if policy.network == .host { names.append("resolv.conf") }
    let copied = names.compactMap { name -> (String, [UInt8])? in
      (try? Data(contentsOf: URL(filePath: "/etc/\(name)"))).map { ("/etc/\(name)", Array($0)) }
    }
    return copied + generatedFiles.map { ($0, Array($1.utf8)) }
  }

  private var generatedFiles: [(String, String)] {
    let (user, group) = (getuid(), getgid())
    let name = user == 0 ? "root" : "user"
    let root = user == 0 ? "" : "root:x:0:0:root:/nonexistent:/usr/sbin/nologin\n"
    var host = [CChar](repeating: 0, count: 256)
    gethostname(&host, host.count - 1)
    let hostname = String(
      decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return [
      ("/etc/passwd", "\(root)\(name):x:\(user):\(group):\(name):\(policy.home):/bin/sh\n"),
      (
        "/etc/group",
        (group == 0 ? "" : "root:x:0:\n") + "\(group == 0 ? "root" : name):x:\(group):\n"
      ),
      ("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n127.0.1.1 \(hostname)\n"),
      (
        "/etc/nsswitch.conf",
        "passwd: files\ngroup: files\nhosts: files\(policy.network == .host ? " dns" : "")\n"
      ),
    ]
  }

  /// The workspace, the mounts and the visible paths, parents before what stands in them.
  private var folders: [String] {
    var binds: [(kind: String, source: String, target: String)] = []
    func add(_ kind: String, _ path: String) { binds.append((kind, path, path)) }
    func overlaid(_ path: String) {
      if let source = overlays[path] {
        binds.append(("--bind", source, path))
      } else {
        add("--ro-bind", path)
      }
    }
    switch policy.access {
    case .protected: overlaid(policy.workspace)
    case .readOnly: add("--ro-bind", policy.workspace)
    case .writable: add("--bind", policy.workspace)
    }
    for mount in policy.mounts {
      switch mount {
      case .readOnly(let path): if !isVisible(path), Paths.exists(path) { add("--ro-bind", path) }
      case .writable(let path): add("--bind", path)
      case .copyOnWrite(let path): overlaid(path)
      case .layered(_, let upper): overlaid(upper)
      }
    }
    for path in command.visible { add("--ro-bind", path) }
    let ordered = binds.enumerated().sorted {
      (Paths.depth($0.element.target), $0.offset) < (Paths.depth($1.element.target), $1.offset)
    }
    return ordered.flatMap { [$0.element.kind, $0.element.source, $0.element.target] }
  }

  /// Whether the command sees a path anyway.
  private func isVisible(_ path: String) -> Bool {
    path.hasPrefix("/usr/") || path == policy.workspace || path.hasPrefix(policy.workspace + "/")
  }

  /// Set inside only: bubblewrap itself must not obey an LD_PRELOAD meant for the command.
  private var environment: [String] {
    ["--clearenv"]
      + command.environment.sorted { $0.key < $1.key }.flatMap { ["--setenv", $0.key, $0.value] }
  }

  var layers: [String] {
    var result = ["mount namespace", "pid namespace", "ipc namespace", "uts namespace"]
    if userNamespace { result.insert("user namespace", at: 0) }
    if policy.network == .none { result.append("network namespace") }
    return result + [
      "default-deny files", "private root, /tmp and /dev/shm", "no capabilities", "no_new_privs",
      "new session", "environment allow-list", "no inherited descriptors",
    ]
  }
}

/// Questions about paths.
enum Paths {
  static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  static func real(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(validatingCString: resolved)
  }

  static func link(_ path: String) -> String? {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = buffer.withUnsafeMutableBytes { raw in
      raw.baseAddress.map { readlink(path, $0.assumingMemoryBound(to: CChar.self), raw.count) }
        ?? -1
    }
    return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
  }

  static func depth(_ path: String) -> Int { path.utf8.count { $0 == UInt8(ascii: "/") } }

  static func read(_ path: String) -> String? {
    (try? Data(contentsOf: URL(filePath: path))).map { String(decoding: $0, as: UTF8.self) }
  }

  @discardableResult
  static func write(_ text: String, to path: String) -> Bool {
    let descriptor = open(path, O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    let bytes = Array(text.utf8)
    return Glibc.write(descriptor, bytes, bytes.count) == bytes.count
  }

  /// Makes a folder and its parents.
  static func make(_ path: String) -> Bool {
    (try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true))
      != nil
  }
}

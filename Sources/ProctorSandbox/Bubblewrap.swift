import CSandbox
import FoundationEssentials
import Glibc
import ProctorModel

/// The backend for hosts that let only the program bubblewrap make namespaces: its command line for a
/// policy, default deny, and then what is named.
struct Bubblewrap {
  let policy: SandboxPolicy
  let command: SandboxCommand
  let overlays: OverlayPlan

  static func executable(_ environment: [String: String]) -> String? {
    let places = ["/usr/bin", "/bin", "/usr/local/bin"]
    let path = (environment["PATH"] ?? "").split(separator: ":").map(String.init)
    return (places + path).map { "\($0)/bwrap" }.first { access($0, X_OK) == 0 }
  }

  /// - Parameter open: takes the descriptors that the command line refers to; to be closed once the
  ///   child is started.
  func launch(
    _ executable: String, _ pipes: Pipes, _ group: ControlGroup?, open: (Int32) -> Void
  ) throws(Launch.Failure) -> Launch {
    var descriptors: [Int32] = []
    func file(_ bytes: [UInt8]) throws(Launch.Failure) -> String {
      let descriptor = csb_memory_file(bytes, bytes.count)
      guard descriptor >= 0 else { throw Launch.Failure(stage: CSB_DESCRIPTORS, error: errno) }
      descriptors.append(descriptor)
      open(descriptor)
      return String(descriptor)
    }
    var arguments = namespaces + system
    for (path, bytes) in SystemView(policy: policy).texts {
      arguments += ["--perms", "0444", "--file", try file(bytes), path]
    }
    arguments += folders + environment + ["--chdir", command.directory]
    arguments += ["--seccomp", try file(try CallFilter.walls())]
    let all = try file(arguments.flatMap { Array($0.utf8) + [0] })
    let isRoot = geteuid() == 0
    var outer: Launch.Namespaces = []
    if !overlays.all.isEmpty { outer = isRoot ? [.mount] : [.mount, .user] }
    return Launch(
      paths: [executable],
      argv: ["bwrap", "--json-status-fd", String(pipes.status.write), "--args", all, "--"]
        + command.argv,
      environment: [:], directory: "/", stdin: pipes.stdin.read, stdout: pipes.stdout.write,
      stderr: pipes.stderr.write,
      keep: descriptors + [pipes.status.write], cgroups: group?.joinFiles ?? [],
      namespaces: outer, steps: overlays.layerSteps + overlays.all.map(Launch.Step.overlay),
      limits: policy.limits.rlimits(group, inNamespace: false))
  }

  private var namespaces: [String] {
    var result = [
      "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try",
      "--hostname", SystemView.hostName,
    ]
    if policy.network == .none { result.append("--unshare-net") }
    return result + ["--die-with-parent", "--new-session", "--cap-drop", "ALL"]
  }

  private var system: [String] {
    let view = SystemView(policy: policy)
    var result = view.binds.flatMap { ["--ro-bind", $0, $0] }
    result += view.links.flatMap { ["--symlink", $0.text, $0.path] }
    result += ["--proc", "/proc", "--dev", "/dev"]
    result += view.sealed.flatMap { ["--ro-bind", $0, $0] }
    result += view.masked.flatMap { ["--dev-bind", "/dev/null", $0] }
    // The same size for both: bubblewrap cannot make one limit for two places.
    let size = policy.limits.scratchMB.map { ["--size", String($0 << 20)] } ?? []
    for place in ["/tmp", "/dev/shm"] {
      result += ["--perms", "1777"] + size + ["--tmpfs", place]
    }
    return result + ["--symlink", "/tmp", "/var/tmp", "--perms", "0700", "--dir", policy.home]
  }

  private var folders: [String] {
    FolderMounts(policy: policy, command: command, overlays: overlays).list.flatMap { mount in
      switch mount {
      case .overlay(let overlay, let path): ["--bind", overlay.target, path]
      case .bind(let path, let source, let isWritable):
        [isWritable ? "--bind" : "--ro-bind", source, path]
      }
    }
  }

  /// Set inside only: bubblewrap itself must not obey an LD_PRELOAD meant for the command.
  private var environment: [String] {
    ["--clearenv"]
      + command.environment.sorted { $0.key < $1.key }.flatMap { ["--setenv", $0.key, $0.value] }
  }

  var layers: [String] {
    var result = [
      "user namespace", "mount namespace", "pid namespace", "ipc namespace", "uts namespace",
    ]
    if policy.network == .none { result.append("network namespace") }
    return result + [
      "default-deny files", "private root, /tmp and /dev/shm", "no capabilities", "no_new_privs",
      "seccomp", "new session", "environment allow-list", "no inherited descriptors",
    ] + overlays.layers
  }

  var missing: [String] { ["Landlock is not had with bubblewrap, nor are denials seen"] }

  // MARK: its reports

  /// Process 1 of the sandbox as the host sees it: `{ "child-pid": 123 ...`.
  static func innerRoot(_ report: [UInt8]) -> pid_t? {
    let text = String(decoding: report, as: UTF8.self)
    guard let range = text.firstRange(of: "\"child-pid\"") else { return nil }
    return pid_t(text[range.upperBound...].drop { !$0.isNumber }.prefix { $0.isNumber })
  }

  /// Bubblewrap says on its status pipe when the command ended; when it does not, or when it
  /// complains itself, the command was never started.
  static func status(_ ended: Supervisor.Ended) throws(Launch.Failure) -> ExitStatus {
    let status = ExitStatus(waitStatus: ended.waitStatus)
    guard ended.ending == .exited, ended.firstWords.hasPrefix("bwrap: ") else { return status }
    let report = String(decoding: ended.statusReport, as: UTF8.self)
    let finished = report.contains("\"exit-code\"")
    guard !finished || status == .exited(1) || status == .exited(127) else { return status }
    let words = ended.firstWords.split(separator: "\n").first.map { String($0.dropFirst(7)) }
    throw Launch.Failure(stage: CSB_EXEC, error: 0, words: words ?? "failed")
  }
}

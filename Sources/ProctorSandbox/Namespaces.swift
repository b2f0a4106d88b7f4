import CSandbox
import Glibc
import ProctorModel

/// The default backend: namespaces, a root of its own, Landlock and seccomp, by proctor's own launcher.
///
/// Default deny: the command sees the system's programs and libraries, its workspace, and what the
/// policy names.
struct Namespaces {
  let policy: SandboxPolicy
  let command: SandboxCommand
  let overlays: OverlayPlan
  private let view: SystemView
  private let mounts: [FolderMounts.Mount]

  init(policy: SandboxPolicy, command: SandboxCommand, overlays: OverlayPlan) {
    self.policy = policy
    self.command = command
    self.overlays = overlays
    view = SystemView(policy: policy)
    mounts = FolderMounts(policy: policy, command: command, overlays: overlays).list
  }

  private static let devices = ["null", "zero", "full", "random", "urandom", "tty"]
  /// A folder of the root's own memory file system, so that one limit is for /tmp, /dev/shm and layers of overlays.
  /// There it is read-only in the end; what was bound from it is not.
  static let store = "/.scratch"

  // MARK: the launch

  /// - Parameter isWatched: whether calls are shown to the supervisor.
  func launch(
    _ pipes: Pipes, _ group: ControlGroup?, isWatched: Bool
  ) throws(Launch.Failure) -> Launch {
    let wish = CallWatch.wish(for: policy)
    return Launch(
      paths: command.candidates, argv: command.argv, environment: command.environment,
      directory: command.directory, stdin: pipes.stdin.read, stdout: pipes.stdout.write,
      stderr: pipes.stderr.write, cgroups: group?.joinFiles ?? [], namespaces: namespaces,
      root: overlays.root, steps: steps,
      raisesLoopback: policy.network == .none,
      limits: policy.limits.rlimits(group, inNamespace: true), dropsPrivileges: true,
      landlock: landlock, filter: try CallFilter.walls(),
      notifier: isWatched ? try CallFilter.notifier(wish) : nil, notify: pipes.notify.write,
      ending: pipes.status.write, scratch: "/tmp")
  }

  private var namespaces: Launch.Namespaces {
    var result: Launch.Namespaces = [.user, .mount, .process, .ipc, .uts, .cgroup]
    if policy.network == .none { result.insert(.network) }
    return result
  }

  // MARK: the file system

  private var steps: [Launch.Step] {
    var steps = view.binds.map { Launch.Step.bind($0, at: $0, .readOnly) }
    steps += view.links.map { .link($0.path, to: $0.text) }
    steps += view.texts.map { .file($0.path, bytes: $0.bytes, mode: 0o444) }
    steps += scratch + devices + processes + overlays.layerSteps + folders
    let limits = policy.limits
    if limits.scratchMB != nil || limits.scratchFiles != nil {
      steps.append(.room("/", megabytes: limits.scratchMB, files: limits.scratchFiles))
    }
    return steps + [.seal("/")]
  }

  private var scratch: [Launch.Step] {
    let parts = [("\(Self.store)/tmp", "/tmp"), ("\(Self.store)/shm", "/dev/shm")]
    return [.folder(Self.store, mode: 0o700)]
      + parts.map { .folder($0.0, mode: 0o1777) }
      + parts.map { .bindInside($0.0, at: $0.1, []) }
      + [
        .folder("/var", mode: 0o755), .link("/var/tmp", to: "/tmp"),
        .folder(policy.home, mode: 0o700),
      ]
  }

  private var devices: [Launch.Step] {
    Self.devices.map { .bind("/dev/\($0)", at: "/dev/\($0)", [.devices, .optional]) }
      + [
        .link("/dev/fd", to: "/proc/self/fd"), .link("/dev/stdin", to: "/proc/self/fd/0"),
        .link("/dev/stdout", to: "/proc/self/fd/1"), .link("/dev/stderr", to: "/proc/self/fd/2"),
        .terminals("/dev/pts"), .link("/dev/ptmx", to: "pts/ptmx"),
      ]
  }

  private var processes: [Launch.Step] {
    return [
      .processes("/proc"),
      // In this user namespace no other can be made, whatever gets past the filter.
      .write("/proc/sys/user/max_user_namespaces", text: "0"),
    ]
      + view.masked.map { .bindInside("/dev/null", at: $0, [.devices]) } + [.seal("/proc")]
  }

  /// The workspace, the mounts and the visible paths, parents before what stands in them.
  private var folders: [Launch.Step] {
    mounts.map { mount in
      switch mount {
      case .overlay(let overlay, _): .overlay(overlay)
      case .bind(let path, let source, let isWritable):
        .bind(source, at: path, isWritable ? [] : .readOnly)
      }
    }
  }

  // MARK: Landlock

  private var landlock: Launch.Landlock? {
    let version = FileRule.version
    guard version > 0 else { return nil }
    let all = FileRule.Rights.all(version)
    // Counting to none is a wall too: nothing but devices and the report channel is written.
    let change: FileRule.Rights =
      policy.limits.fileOperations == 0 ? .read : .change(version).union(.read)
    var rules = [FileRule(path: "/", rights: .readFolder)]
    rules += (view.binds + ["/etc", "/proc"]).map { FileRule(path: $0, rights: .read) }
    rules.append(FileRule(path: "/dev", rights: all))
    rules.append(FileRule(path: "/tmp", rights: change))
    for mount in mounts {
      switch mount {
      case .overlay(let overlay, let path):
        rules.append(FileRule(path: path, rights: overlay.upper == nil ? .read : change))
      case .bind(let path, _, let isWritable):
        let isFree = policy.scratchFolders.contains(path)
        let most = isFree ? FileRule.Rights.change(version).union(.read) : change
        rules.append(FileRule(path: path, rights: isWritable ? most : .read))
      }
    }
    // The report channel is a pipe among read-only files.
    rules += command.visible.map { FileRule(path: $0, rights: [.read, .writeFile]) }
    return Launch.Landlock(
      handled: all.rawValue, scopes: FileRule.scopes,
      rules: rules.map { FileRule(path: $0.path, rights: $0.rights.intersection(all)) })
  }

  // MARK: the receipt

  var layers: [String] {
    var result = [
      "user namespace", "mount namespace", "pid namespace", "ipc namespace", "uts namespace",
      "cgroup namespace",
    ]
    if policy.network == .none { result.append("network namespace") }
    result += [
      "default-deny files", "private root, /tmp and /dev/shm", "no capabilities", "no_new_privs",
      "seccomp",
    ]
    if FileRule.version > 0 { result.append("Landlock (version \(FileRule.version))") }
    return result + [
      "new session", "environment allow-list", "no inherited descriptors",
    ] + overlays.layers
  }

  var missing: [String] {
    FileRule.version > 0 ? [] : ["this kernel has no Landlock, the second wall around files"]
  }
}

import CSandbox
import FoundationEssentials
import Glibc
import ProctorModel

/// The backend that runs commands in containers of Docker or Podman: an ordinary user, no network, a
/// read-only root, no capabilities, and limits that the engine holds.
///
/// The image brings the system and the tools; the workspace and the caches have the same paths as outside.
struct Container {
  let policy: SandboxPolicy
  let command: SandboxCommand
  let settings: SandboxPolicy.Container
  let name: String
  let overlays: OverlayPlan

  var engine: ContainerEngine { ContainerEngine(settings) }

  // MARK: volumes

  /// A volume for each overlay.
  var volumes: [(name: String, path: String, overlay: Launch.Overlay)] {
    let mounts = FolderMounts(policy: policy, command: command, overlays: overlays).list
    return mounts.enumerated().compactMap { number, mount in
      guard case .overlay(let overlay, let path) = mount else { return nil }
      return ("\(name)-\(number)", path, overlay)
    }
  }

  /// What is written belongs to the container's user, who is nobody outside.
  func prepareVolumes() throws(Launch.Failure) {
    for volume in volumes {
      let paths =
        volume.overlay.lowers + [volume.overlay.upper, volume.overlay.work].compactMap(\.self)
      guard !paths.contains(where: { $0.contains(":") || $0.contains(",") }) else {
        throw Launch.Failure(
          stage: CSB_EXEC, error: 0,
          words: "engines cannot mount a folder with a comma or a colon in its path")
      }
      try own(volume.overlay)
      let answer = engine.makeVolume(volume.name, volume.overlay)
      guard answer.isSuccess else { throw refused(answer) }
    }
    for path in policy.writableFolders where geteuid() == 0 {
      chown(path, settings.user, settings.group)
    }
  }

  /// Root's files would be read-only for another user: in the upper layer they get another owner, without
  /// their contents being copied. Once for each layer.
  private func own(_ overlay: Launch.Overlay) throws(Launch.Failure) {
    guard geteuid() == 0, let upper = overlay.upper, let work = overlay.work else { return }
    let done = upper + ".owned"
    guard !Paths.exists(done) else { return }
    for path in [upper, work] { chown(path, settings.user, settings.group) }
    let place = policy.scratch + "/owning"
    guard Paths.make(place) else { return }
    var mount = overlay
    mount.target = place
    mount.sharesContents = true
    let pipes = try Pipes(withStatus: false)
    defer { pipes.close() }
    let launch = Launch(
      paths: ["/bin/chown"], argv: ["chown", "-hR", "\(settings.user):\(settings.group)", place],
      environment: [:], directory: "/", stdout: pipes.stdout.write, stderr: pipes.stderr.write,
      namespaces: [.mount], steps: [.overlay(mount)])
    let pid = try launch.start()
    var status: Int32 = 0
    _ = csb_wait(pid, &status, nil)
    if status == 0 { _ = Paths.make(done) }
  }

  // MARK: the command line

  private var profile: String { policy.scratch + "/seccomp.json" }

  /// Lays down what the command line refers to; false when the disk refuses.
  func prepareProfile() -> Bool {
    (try? Data(EngineProfile.bytes).write(to: URL(filePath: profile))) != nil
  }

  /// What engines show of the machine, read-only, and the default sandbox does not.
  private static let hidden = [
    "kernel", "class", "devices", "block", "bus", "dev", "module", "firmware", "power",
    "hypervisor",
  ].map { "/sys/\($0)" }

  func launch(_ pipes: Pipes) -> Launch {
    Launch(
      paths: [settings.engine],
      argv: [settings.engine, "run", "--name", name] + ContainerEngine.labels
        + (command.input == nil ? [] : ["--interactive"]) + walls + limits + mounts + environment
        + ["--workdir", command.directory, settings.image] + command.argv,
      environment: settings.environment,
      // Podman leaves a file where it is started when a container runs out of memory.
      directory: policy.scratch, stdin: pipes.stdin.read, stdout: pipes.stdout.write,
      stderr: pipes.stderr.write)
  }

  private var walls: [String] {
    [
      "--user", "\(settings.user):\(settings.group)", "--read-only", "--cap-drop", "ALL",
      "--security-opt", "no-new-privileges", "--security-opt", "seccomp=\(profile)", "--hostname",
      SystemView.hostName,
      "--pull", "never", "--entrypoint", "",
    ] + (policy.network == .none ? ["--network", "none"] : [])
  }

  private var limits: [String] {
    let limits = policy.limits
    var result: [String] = []
    if let memory = limits.memoryMB {
      result += ["--memory", "\(memory)m", "--memory-swap", "\(memory)m"]
    }
    if let processes = limits.processes { result += ["--pids-limit", String(processes)] }
    let files = limits.openFiles ?? 1024
    result += ["--ulimit", "nofile=\(files):\(files)", "--ulimit", "core=0:0"]
    // Engines set their own number, which may be above what this machine allows.
    let most = limits.processes ?? 4096
    result += ["--ulimit", "nproc=\(most):\(most)"]
    if let size = limits.fileSizeMB {
      result += ["--ulimit", "fsize=\(size << 20):\(size << 20)"]
    }
    if let seconds = limits.cpuSeconds {
      let whole = Int(seconds.rounded(.up))
      result += ["--ulimit", "cpu=\(whole):\(whole + 1)"]
    }
    var options = "rw,exec,nosuid,nodev,mode=1777"
    if let size = limits.scratchMB { options += ",size=\(size)m" }
    // Podman does not know this one.
    if let files = limits.scratchFiles, !engine.isPodman { options += ",nr_inodes=\(files)" }
    result += ["--tmpfs", "/tmp:\(options)", "--tmpfs", "/var/tmp:\(options)"]
    for path in Self.hidden where Paths.exists(path) {
      result += ["--tmpfs", "\(path):ro,size=4k,mode=0555\(engine.isPodman ? ",notmpcopyup" : "")"]
    }
    return result + ["--shm-size", "\(limits.scratchMB ?? 64)m"]
  }

  private var mounts: [String] {
    let list = FolderMounts(policy: policy, command: command, overlays: overlays).list
    let names = Dictionary(volumes.map { ($0.path, $0.name) }) { first, _ in first }
    return list.flatMap { mount -> [String] in
      switch mount {
      case .overlay(_, let path):
        ["--mount", Self.option(["type": "volume", "source": names[path] ?? "", "target": path])]
      case .bind(let path, let source, let isWritable):
        [
          "--mount",
          Self.option(
            ["type": "bind", "source": source, "target": path], isWritable ? [] : ["readonly"]),
        ]
      }
    }
  }

  /// One value of `--mount`: comma-separated, quoted as in a table.
  private static func option(_ pairs: KeyValuePairs<String, String>, _ flags: [String] = [])
    -> String
  {
    (pairs.map { "\($0.key)=\($0.value)" } + flags).map { part in
      part.contains { ",\"\n".contains($0) } ? "\"\(part.replacing("\"", with: "\"\""))\"" : part
    }.joined(separator: ",")
  }

  private var environment: [String] {
    command.environment.sorted { $0.key < $1.key }.flatMap { ["--env", "\($0.key)=\($0.value)"] }
  }

  // MARK: the receipt

  var layers: [String] {
    [
      "container (\(engine.isPodman ? "podman" : "docker"), image \(settings.image))",
      "user \(settings.user)", "read-only root",
    ] + (policy.network == .none ? ["network namespace"] : []) + [
      "no capabilities", "no_new_privs", "seccomp", "environment allow-list",
      "no inherited descriptors",
    ] + overlays.layers
  }

  // MARK: its ends

  /// The engine's command line ends as its container did; 125 is its own.
  func status(_ ended: Supervisor.Ended) throws(Launch.Failure) -> ExitStatus {
    let status = ExitStatus(waitStatus: ended.waitStatus)
    guard ended.ending == .exited else { return status }
    if case .exited(let code) = status, (125...127).contains(code),
      ended.firstWords.contains("docker: ") || ended.firstWords.contains("Error: ")
        || ended.firstWords.contains("Error response")
    {
      let line = ended.firstWords.split(separator: "\n").first.map(String.init) ?? "failed"
      throw Launch.Failure(stage: CSB_EXEC, error: 0, words: line)
    }
    // As a shell tells of signals.
    if case .exited(let code) = status, code > 128, code < 160 { return .signaled(code - 128) }
    return status
  }

  private func refused(_ answer: HostCommand.Answer) -> Launch.Failure {
    let line = answer.stderr.split(separator: "\n").first.map(String.init) ?? "failed"
    return Launch.Failure(stage: CSB_EXEC, error: 0, words: line)
  }
}

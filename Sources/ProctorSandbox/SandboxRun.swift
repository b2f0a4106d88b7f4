import CSandbox
import FoundationEssentials
import Glibc
import ProctorModel
import Synchronization

/// One command under one policy, from nothing to its result; runs on its own thread.
struct SandboxRun {
  let command: SandboxCommand
  let policy: SandboxPolicy
  let cancellation: Int32
  let overdue: @Sendable () -> ContinuousClock.Instant?
  let events: @Sendable (SandboxEvent) -> Void

  static let noDescriptors = SandboxError(
    .storage, "no more files can be opened (\(String(cString: strerror(errno))))",
    resolution: "Raise the limit of open files: ulimit -n 4096.")

  func run() throws(SandboxError) -> SandboxResult {
    let group = ControlGroup.make(policy.limits)
    defer { group?.remove() }
    if group == nil, policy.limits.processes != nil, policy.mustLimitProcesses {
      throw SandboxError(
        .limitUnavailable, "this host gives no control group, so max_processes cannot be held",
        resolution:
          "Remove max_processes from proctor.toml, or run proctor where control groups can be "
          + "made (as root, or in a systemd user session).")
    }
    switch policy.backend {
    case .none: return try runBare(group)
    case .bubblewrap: return try runBubblewrap(group)
    }
  }

  // MARK: bubblewrap

  /// What worked last on this machine: trying in vain costs a fork.
  private static let remembered = Mutex<OverlayStorage>(.disk)

  private func runBubblewrap(_ group: ControlGroup?) throws(SandboxError) -> SandboxResult {
    guard let bwrap = Bubblewrap.executable(command.environment) else {
      throw SandboxError(
        .bubblewrapMissing, "bubblewrap is not installed, so nothing was run",
        resolution: "Install it: apt install bubblewrap (or dnf, pacman). "
          + "To run without any isolation: --isolation none.")
    }
    var storage = Self.remembered.withLock { $0 }
    while true {
      let overlays = OverlayPlan(policy: policy, storage: storage)
      guard overlays.prepare() else {
        throw SandboxError(
          .storage,
          "cannot create folders in \(policy.scratch): \(String(cString: strerror(errno)))",
          resolution: "Free some space or name another cache folder with PROCTOR_CACHE_DIR.")
      }
      do {
        let result = try attempt(bwrap, overlays, group)
        Self.remembered.withLock { $0 = storage }
        return result
      } catch {
        guard error.isAboutOverlays, let next = storage.next else { throw explain(error) }
        storage = next
      }
    }
  }

  private func attempt(
    _ bwrap: String, _ overlays: OverlayPlan, _ group: ControlGroup?
  ) throws(Launch.Failure) -> SandboxResult {
    let pipes = try Pipes(withStatus: true)
    defer { pipes.close() }
    let isRoot = geteuid() == 0
    let walls = Bubblewrap(
      policy: policy, command: command, overlays: overlays.sources, userNamespace: true)
    guard let prepared = walls.prepare(status: pipes.status.write) else {
      throw Launch.Failure(step: CSB_DESCRIPTORS, error: errno)
    }
    defer { prepared.descriptors.forEach { Glibc.close($0) } }
    let launch = Launch(
      path: bwrap, argv: ["bwrap"] + prepared.arguments, environment: [:], directory: "/",
      stdout: pipes.stdout.write, stderr: pipes.stderr.write,
      keep: prepared.descriptors + [pipes.status.write], cgroups: group?.processFiles ?? [],
      overlays: overlays.mounts, tmpfs: overlays.tmpfs, folders: overlays.folders,
      userNamespace: !isRoot && !overlays.mounts.isEmpty, limits: limits(group))
    let ended = try supervise(pipes, launch) { pid in kill(pid, SIGKILL) }
    if let problem = failedStart(ended) {
      throw Launch.Failure(step: CSB_EXEC, error: 0, words: problem)
    }
    return result(
      ended, group,
      SandboxReceipt(
        backend: "bubblewrap", layers: walls.layers + overlays.layers,
        workspace: overlays.access, network: policy.network.rawValue, limits: policy.limits,
        limitsBy: limitsBy(group), missing: overlays.missing + missingLimits(group)))
  }

  /// Bubblewrap says on its status pipe when the command ended; when it does not, or when it
  /// complains itself, the command was never started.
  private func failedStart(_ ended: Supervisor.Ended) -> String? {
    guard ended.ending == .exited, ended.firstWords.hasPrefix("bwrap: ") else { return nil }
    let finished = ended.statusReport.contains("\"exit-code\"")
    guard !finished || ended.status == .exited(1) || ended.status == .exited(127) else {
      return nil
    }
    return ended.firstWords.split(separator: "\n").first.map { String($0.dropFirst(7)) } ?? "failed"
  }

  private func explain(_ failure: Launch.Failure) -> SandboxError {
    guard let words = failure.words else {
      return SandboxError(
        .cannotStart, "the sandbox could not be built (\(failure.stepName): \(failure.text))",
        resolution: "Run proctor status to see what this host can do.")
    }
    if words.hasPrefix("execvp ") || words.contains("Can't chdir") {
      return SandboxError(
        .cannotStart, "cannot start \(command.argv.first ?? ""): \(words)",
        resolution: "Check that it is installed and readable by proctor's user.")
    }
    if words.contains("uid map") || words.contains("namespace")
      || words.contains("Operation not permitted")
      || words.contains("loopback")
    {
      return SandboxError(
        .namespacesUnavailable, "this host does not let bubblewrap make namespaces: \(words)",
        resolution:
          "Ubuntu 24.04 and later: sysctl kernel.apparmor_restrict_unprivileged_userns=0, or "
          + "an AppArmor profile for bwrap. In a container: --security-opt seccomp=unconfined "
          + "--security-opt apparmor=unconfined. To run without any isolation: --isolation none.")
    }
    return SandboxError(
      .cannotStart, "the sandbox could not be built: \(words)",
      resolution: "Run proctor status to see what this host can do.")
  }

  // MARK: bare

  private static let marker = "PROCTOR_SANDBOX"

  private func runBare(_ group: ControlGroup?) throws(SandboxError) -> SandboxResult {
    let mark = "\(getpid())-\(UInt64.random(in: 0 ... .max))"
    do {
      let pipes = try Pipes(withStatus: false)
      defer { pipes.close() }
      for mount in policy.mounts { if case .writable(let path) = mount { _ = Paths.make(path) } }
      guard let path = lookUp(command.argv.first ?? "") else {
        throw SandboxError(
          .cannotStart, "cannot start \(command.argv.first ?? ""): no such program",
          resolution: "Check that it is installed and readable by proctor's user.")
      }
      csb_become_subreaper()
      let launch = Launch(
        path: path, argv: command.argv,
        environment: command.environment.merging([Self.marker: mark]) { $1 },
        directory: command.directory, stdout: pipes.stdout.write, stderr: pipes.stderr.write,
        cgroups: group?.processFiles ?? [], limits: limits(group))
      let ended = try supervise(pipes, launch) { pid in
        kill(-pid, SIGKILL)
        group?.processes.forEach { kill($0, SIGKILL) }
        // Whoever left the session and there is no control group to find it by.
        for lost in ProcessTree.carrying("\(Self.marker)=\(mark)") { kill(lost, SIGKILL) }
      }
      return result(
        ended, group,
        SandboxReceipt(
          backend: "none", layers: [], workspace: "writable", network: "host",
          limits: policy.limits, limitsBy: limitsBy(group), missing: missingLimits(group)))
    } catch let error as SandboxError {
      throw error
    } catch let failure as Launch.Failure {
      throw explain(failure)
    } catch {
      throw SandboxError(.cannotStart, "\(error)", resolution: "Report this as a bug of proctor.")
    }
  }

  private func lookUp(_ name: String) -> String? {
    if name.hasPrefix("/") { return access(name, X_OK) == 0 ? name : nil }
    return (command.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(name)" }
      .first { access($0, X_OK) == 0 }
  }

  // MARK: both

  private func supervise(
    _ pipes: Pipes, _ launch: Launch, killAll: @escaping (pid_t) -> Void
  ) throws(Launch.Failure) -> Supervisor.Ended {
    let channel = command.channel.map { open($0, O_RDWR | O_NONBLOCK | O_CLOEXEC) }
    if let channel {
      guard channel >= 0 else { throw Launch.Failure(step: CSB_DESCRIPTORS, error: errno) }
      csb_widen_pipe(channel)
    }
    defer { if let channel { close(channel) } }
    let isBare = policy.backend == .none
    let own = Mutex<pid_t>(0)
    let supervisor = Supervisor(
      wallSeconds: policy.limits.wallSeconds, cancellation: cancellation, channel: channel,
      killAll: killAll,
      innerProcesses: { report in
        let root = isBare ? own.withLock { $0 } : Self.innerRoot(report)
        guard let root, root > 0 else { return [] }
        // A shell that dies first would take the process that could speak with it.
        return ProcessTree.leaves(of: root)
      },
      overdue: overdue, events: events)
    return try supervisor.run(
      stdout: pipes.stdout.read, stderr: pipes.stderr.read,
      status: isBare ? nil : pipes.status.read
    ) { () throws(Launch.Failure) in
      let pid = try launch.start()
      pipes.closeWriteEnds()
      own.withLock { $0 = pid }
      return pid
    }
  }

  /// Process 1 of the sandbox as the host sees it: `{ "child-pid": 123 ...`.
  private static func innerRoot(_ report: String) -> pid_t? {
    guard let range = report.firstRange(of: "\"child-pid\"") else { return nil }
    let digits = report[range.upperBound...].drop { !$0.isNumber }.prefix { $0.isNumber }
    return pid_t(digits)
  }

  private func limits(_ group: ControlGroup?) -> [(resource: Int32, value: UInt64)] {
    var result: [(resource: Int32, value: UInt64)] = [(Int32(RLIMIT_CORE.rawValue), 0)]
    if let files = policy.limits.openFiles {
      result.append((Int32(RLIMIT_NOFILE.rawValue), UInt64(files)))
    }
    if let size = policy.limits.fileSizeMB {
      result.append((Int32(RLIMIT_FSIZE.rawValue), UInt64(size) << 20))
    }
    if group == nil, let memory = policy.limits.memoryMB {
      // Counts what each process writes to, not what runtimes merely reserve.
      result.append((Int32(RLIMIT_DATA.rawValue), UInt64(memory) << 20))
    }
    return result
  }

  private func missingLimits(_ group: ControlGroup?) -> [String] {
    guard group == nil else { return [] }
    var result: [String] = []
    if policy.limits.processes != nil {
      result.append("the process limit is not held: no control group")
    }
    if policy.limits.memoryMB != nil {
      result.append(
        "the memory limit holds for each process, not for all together: no control group")
    }
    return result
  }

  private func limitsBy(_ group: ControlGroup?) -> String? {
    if policy.limits.memoryMB == nil && policy.limits.processes == nil { return nil }
    return group?.version.rawValue ?? "rlimit"
  }

  private func result(
    _ ended: Supervisor.Ended, _ group: ControlGroup?, _ receipt: SandboxReceipt
  ) -> SandboxResult {
    let usage = ended.usage
    let cpu =
      Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
      + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
    let starved =
      ended.ending == .exited && !ended.status.isSuccess && group?.ranOutOfMemory == true
    return SandboxResult(
      status: ended.status, ending: starved ? .outOfMemory : ended.ending,
      durationMS: ended.durationMS,
      peakMemoryMB: group?.peakMemoryMB ?? Double(usage.ru_maxrss) / 1024,
      cpuSeconds: group?.cpuSeconds ?? cpu, receipt: receipt)
  }
}

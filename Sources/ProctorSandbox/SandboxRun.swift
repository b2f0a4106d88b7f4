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
  let isOver: @Sendable () -> Bool
  let settled: (@Sendable (SandboxResult) -> Void)?

  /// The disk refuses, as errno says.
  func diskRefused(to what: String) -> SandboxError {
    SandboxError(
      .storage, "cannot \(what) \(policy.scratch): \(String(cString: strerror(errno)))",
      resolution: "Free some space or name another cache folder with PROCTOR_CACHE_DIR.")
  }

  /// - Parameter error: of errno.
  static func noDescriptors(_ error: Int32) -> SandboxError {
    SandboxError(
      .storage, "no more files can be opened (\(String(cString: strerror(error))))",
      resolution: "Raise the limit of open files: ulimit -n 4096.")
  }

  /// What worked last on this machine: trying in vain costs a fork.
  struct Remembered {
    var storage: OverlayStorage = .disk
    var onlyBubblewrap = false
    /// Kernels before 5.0, and some containers, have no seccomp notifications.
    var cannotNotify = false
  }
  static let remembered = Mutex(Remembered())

  func run() throws(SandboxError) -> SandboxResult {
    do {
      switch policy.backend {
      case .none: return try runBare()
      case .namespaces: return try isolated(.namespaces)
      case .bubblewrap: return try isolated(.bubblewrap)
      case .automatic: return try automatic()
      case .container: return try runContainer()
      }
    } catch let error as SandboxError {
      throw error
    } catch let failure as Launch.Failure {
      throw explain(failure)
    } catch {
      throw SandboxError(.cannotStart, "\(error)", resolution: "Report this as a bug of proctor.")
    }
  }

  /// Some hosts let only a program that they know make namespaces.
  private func automatic() throws -> SandboxResult {
    if !Self.remembered.withLock({ $0.onlyBubblewrap }) {
      do {
        return try isolated(.namespaces)
      } catch let failure as Launch.Failure where failure.isAboutNamespaces {
        guard Bubblewrap.executable(command.environment) != nil else { throw failure }
      }
    }
    let result = try isolated(.bubblewrap)
    Self.remembered.withLock { $0.onlyBubblewrap = true }
    return result
  }

  private func isolated(_ backend: SandboxPolicy.Backend) throws -> SandboxResult {
    var storage = Self.remembered.withLock { $0.storage }
    while true {
      let overlays = OverlayPlan(
        policy: policy, storage: storage,
        builder: backend == .namespaces ? .launcher : .bubblewrap)
      guard overlays.prepare() else { throw diskRefused(to: "create folders in") }
      do {
        let result =
          backend == .namespaces ? try runNamespaces(overlays) : try runBubblewrap(overlays)
        Self.remembered.withLock { $0.storage = storage }
        return result
      } catch let failure as Launch.Failure where failure.isAboutOverlays {
        guard let next = storage.next else { throw failure }
        storage = next
      }
    }
  }

  // MARK: what they share

  func group(for backend: SandboxPolicy.Backend) throws(SandboxError) -> ControlGroup? {
    let group = ControlGroup.make(policy.limits)
    do {
      try refuseUnheld(LimitHolder(group), backend)
    } catch {
      group?.remove()
      throw error
    }
    return group
  }

  func refuseUnheld(
    _ holder: LimitHolder, _ backend: SandboxPolicy.Backend
  ) throws(SandboxError) {
    let unheld = policy.limits.unheld(holder, by: backend)
    guard
      let name = ResourceLimits.Name.allCases.first(where: { name in
        policy.required.contains(name) && unheld[name] != nil
      })
    else { return }
    throw SandboxError(
      .limitUnavailable, unheld[name] ?? "",
      resolution: name == .processes
        ? "Remove max_processes from proctor.toml, or run proctor where control groups can be "
          + "made (as root, or in a systemd user session)."
        : "Remove max_\(name.rawValue) from proctor.toml, or use --isolation namespaces.")
  }

  func supervise(
    _ pipes: Pipes, _ launch: Launch, _ holder: LimitHolder, _ watch: CallWatch?,
    _ overlays: OverlayPlan?, killAll: @escaping (pid_t) -> Void,
    inner: @escaping (pid_t, [UInt8]) -> pid_t?, settled: ((Supervisor.Ended) -> Void)? = nil
  ) throws(Launch.Failure) -> Supervisor.Ended {
    let channel = command.channel.map { open($0, O_RDWR | O_NONBLOCK | O_CLOEXEC) }
    if let channel {
      guard channel >= 0 else { throw Launch.Failure(stage: CSB_DESCRIPTORS, error: errno) }
      csb_widen_pipe(channel)
    }
    defer { if let channel { close(channel) } }
    let scratch = overlays.flatMap {
      ScratchWatch(folders: $0.writtenFolders, limits: policy.limits)
    }
    let input = try command.input.map { source throws(Launch.Failure) in
      try InputPump(from: source, to: pipes.stdin.write)
    }
    let supervisor = Supervisor(
      limits: policy.limits, cancellation: cancellation, channel: channel, watch: watch,
      input: input,
      meter: UsageMeter(holder: holder, limits: policy.limits, scratch: scratch),
      killAll: killAll,
      innerProcesses: { pid, report in
        // A shell that dies first would take the process that could speak with it.
        inner(pid, report).map { ProcessTree.leaves(of: $0) } ?? []
      },
      overdue: overdue, events: events, isOver: isOver, settled: settled)
    return try supervisor.run(pipes) { () throws(Launch.Failure) in
      let pid = try launch.start()
      pipes.closeCommandEnds()
      return pid
    }
  }

  /// On a busy machine the kernel's own limit may be met before a sample shows it. It kills for that, and
  /// others kill too: what was used must be beyond the limit.
  private func endedForProcessorTime(
    _ ended: Supervisor.Ended, _ status: ExitStatus, _ holder: LimitHolder
  ) -> Bool {
    guard let limit = policy.limits.cpuSeconds else { return false }
    if status.impliedSignal == SIGXCPU { return true }
    guard status.impliedSignal == SIGKILL, let used = holder.cpuSeconds(ended.usage) else {
      return false
    }
    return used > limit
  }

  func result(
    _ ended: Supervisor.Ended, _ status: ExitStatus, _ holder: LimitHolder,
    _ backend: SandboxPolicy.Backend, _ overlays: OverlayPlan?, layers: [String],
    missing: [String], watch: CallWatch? = nil, reached: [ReachedLimit] = []
  ) -> SandboxResult {
    var ending = ended.ending
    var reached = ended.reached + reached + (watch?.reached ?? [])
    if ending == .exited, !status.isSuccess, holder.ranOutOfMemory {
      ending = .outOfMemory
      reached.append(
        ReachedLimit(
          .memoryMB, evidence: "the kernel killed a process for memory", isFatal: true))
    }
    if ending == .exited, endedForProcessorTime(ended, status, holder) {
      ending = .cpuTime
      reached.append(
        ReachedLimit(.cpuSeconds, evidence: "the kernel stopped a process for it", isFatal: true))
    }
    if status.impliedSignal == SIGXFSZ, policy.limits.fileSizeMB != nil {
      reached.append(
        ReachedLimit(.fileSizeMB, evidence: "the kernel stopped a process for it", isFatal: true))
    }
    if holder.refusedProcesses > 0 {
      reached.append(
        ReachedLimit(
          .processes, evidence: "the kernel refused \(holder.refusedProcesses) processes",
          isFatal: false))
    }
    let unheld = policy.limits.unheld(holder, by: backend)
    let notHeld = ResourceLimits.Name.allCases.compactMap { unheld[$0] }
    return SandboxResult(
      status: status, ending: ending, durationMS: ended.durationMS,
      peakMemoryMB: holder.peakMemoryMB(ended.usage), cpuSeconds: holder.cpuSeconds(ended.usage),
      receipt: SandboxReceipt(
        backend: backend.rawValue, layers: layers,
        workspace: overlays?.access ?? SandboxPolicy.WorkspaceAccess.writable.rawValue,
        network: backend == .none ? SandboxPolicy.Network.host.rawValue : policy.network.rawValue,
        limits: policy.limits, limitsBy: holder.name(policy.limits),
        missing: missing + (overlays?.missing ?? []) + notHeld + holder.missing(policy.limits),
        denied: watch?.denials ?? Denials(), reached: reached),
      workspaceWrites: overlays?.workspaceUpper)
  }

  // MARK: words

  private func explain(_ failure: Launch.Failure) -> SandboxError {
    if failure.words == nil, [EMFILE, ENFILE].contains(failure.error) {
      return Self.noDescriptors(failure.error)
    }
    let words = failure.words ?? "\(failure.what): \(failure.text)"
    if policy.backend == .container {
      return SandboxError(
        .containerUnavailable, "the container could not be run: \(words)",
        resolution: "See that the engine runs and has the image: "
          + "\(policy.container?.engine ?? "docker") image inspect \(policy.container?.image ?? "")."
      )
    }
    let isMissing = failure.stage == CSB_EXEC && failure.words == nil
    if isMissing || words.hasPrefix("execvp ") || words.contains("Can't chdir")
      || failure.stage == CSB_DIRECTORY
    {
      return SandboxError(
        .cannotStart, "cannot start \(command.argv.first ?? ""): \(words)",
        resolution: "Check that it is installed and readable by proctor's user.")
    }
    let isRefused =
      failure.isAboutNamespaces || words.contains("uid map") || words.contains("namespace")
      || words.contains("Operation not permitted") || words.contains("loopback")
    if isRefused {
      return SandboxError(
        .namespacesUnavailable, "this host does not let proctor make namespaces: \(words)",
        resolution:
          "Ubuntu 24.04 and later: apt install bubblewrap and its AppArmor profile, or "
          + "sysctl kernel.apparmor_restrict_unprivileged_userns=0. In a container: "
          + "--security-opt seccomp=unconfined --security-opt apparmor=unconfined. "
          + "To run without any isolation: --isolation none.")
    }
    return SandboxError(
      .cannotStart, "the sandbox could not be built: \(words)",
      resolution: "Run proctor status to see what this host can do.")
  }
}

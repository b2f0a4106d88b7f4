import CSandbox
import FoundationEssentials
import Glibc
import ProctorModel
import Synchronization

/// How each backend runs a command.
extension SandboxRun {
  /// Telling denied addresses is no wall: where it cannot be had, the command runs without.
  func runNamespaces(_ overlays: OverlayPlan) throws -> SandboxResult {
    let mustCount =
      policy.limits.fileOperations != nil || policy.limits.networkRequests != nil
    guard !mustCount, !Self.remembered.withLock({ $0.cannotNotify }) else {
      return try runNamespaces(overlays, isWatched: mustCount)
    }
    let wish = CallWatch.wish(for: policy)
    do {
      return try runNamespaces(overlays, isWatched: !wish.isEmpty)
    } catch let failure as Launch.Failure where failure.stage == CSB_SECCOMP && !wish.isEmpty {
      let result = try runNamespaces(overlays, isWatched: false)
      Self.remembered.withLock { $0.cannotNotify = true }
      return result
    }
  }

  private func runNamespaces(_ overlays: OverlayPlan, isWatched: Bool) throws -> SandboxResult {
    let group = try group(for: .namespaces)
    defer { group?.remove() }
    let walls = Namespaces(policy: policy, command: command, overlays: overlays)
    let pipes = try Pipes(withStatus: true, withNotify: isWatched, withInput: command.input != nil)
    defer { pipes.close() }
    let watch =
      isWatched ? CallWatch(policy: policy, command: command, socket: pipes.notify.read) : nil
    let launch = try walls.launch(pipes, group, isWatched: isWatched)
    func told(_ ended: Supervisor.Ended) -> SandboxResult {
      let ending = InitReport(ended.statusReport)
      return result(
        ended, ending?.status ?? ExitStatus(waitStatus: ended.waitStatus), LimitHolder(group),
        .namespaces,
        overlays, layers: walls.layers,
        missing: walls.missing
          + (isWatched || policy.network == .host
            ? [] : ["denied addresses are not told: no seccomp notifications here"]),
        watch: watch,
        reached: ending?.reached(policy.limits) ?? [])
    }
    let ended = try supervise(
      pipes, launch, LimitHolder(group), watch, overlays, killAll: { kill($0, SIGKILL) },
      inner: { pid, _ in pid },
      // Without a control group only the end shows what was used.
      settled: group.flatMap { _ in settled.map { settled in { settled(told($0)) } } })
    return told(ended)
  }

  func runBubblewrap(_ overlays: OverlayPlan) throws -> SandboxResult {
    guard let bwrap = Bubblewrap.executable(command.environment) else {
      throw SandboxError(
        .bubblewrapMissing, "bubblewrap is not installed, so nothing was run",
        resolution: "Install it: apt install bubblewrap (or dnf, pacman). "
          + "To run without any isolation: --isolation none.")
    }
    let group = try group(for: .bubblewrap)
    defer { group?.remove() }
    let pipes = try Pipes(withStatus: true, withInput: command.input != nil)
    defer { pipes.close() }
    let walls = Bubblewrap(policy: policy, command: command, overlays: overlays)
    var descriptors: [Int32] = []
    defer { descriptors.forEach { Glibc.close($0) } }
    let launch = try walls.launch(bwrap, pipes, group) { descriptors.append($0) }
    let ended = try supervise(
      pipes, launch, LimitHolder(group), nil, overlays, killAll: { kill($0, SIGKILL) },
      inner: { _, report in Bubblewrap.innerRoot(report) })
    let status = try Bubblewrap.status(ended)
    return result(
      ended, status, LimitHolder(group), .bubblewrap, overlays, layers: walls.layers,
      missing: walls.missing)
  }

  func runContainer() throws -> SandboxResult {
    guard let settings = policy.container else {
      throw SandboxError(
        .containerUnavailable, "no image is named for the containers",
        resolution: "Set image under [execution] in proctor.toml.")
    }
    let overlays = OverlayPlan(policy: policy, storage: .disk, builder: .engine)
    guard overlays.prepare() else { throw diskRefused(to: "create folders in") }
    let walls = Container(
      policy: policy, command: command, settings: settings, name: ContainerEngine.name(),
      overlays: overlays)
    let engine = walls.engine
    let holder = LimitHolder.engine { engine.ranOutOfMemory(walls.name) }
    try refuseUnheld(holder, .container)
    defer {
      engine.remove(walls.name)
      walls.volumes.forEach { engine.removeVolume($0.name) }
    }
    guard walls.prepareProfile() else { throw diskRefused(to: "write to") }
    try walls.prepareVolumes()
    let pipes = try Pipes(withStatus: false, withInput: command.input != nil)
    defer { pipes.close() }
    let ended = try supervise(
      pipes, walls.launch(pipes), holder, nil, overlays,
      killAll: { pid in
        // The engine waits for whoever reads a container's output, and nobody reads now.
        kill(pid, SIGKILL)
        engine.kill(walls.name)
      }, inner: { _, _ in nil })
    return result(
      ended, try walls.status(ended), holder, .container, overlays, layers: walls.layers,
      missing: [])
  }

  private static let marker = "PROCTOR_SANDBOX"

  func runBare() throws -> SandboxResult {
    let group = try group(for: .none)
    defer { group?.remove() }
    let mark = "\(getpid())-\(UInt64.random(in: 0 ... .max))"
    let pipes = try Pipes(withStatus: true, withInput: command.input != nil)
    defer { pipes.close() }
    policy.writableFolders.forEach { _ = Paths.make($0) }
    let launch = Launch(
      paths: command.candidates, argv: command.argv,
      environment: command.environment.merging([Self.marker: mark]) { $1 },
      directory: command.directory, stdin: pipes.stdin.read, stdout: pipes.stdout.write,
      stderr: pipes.stderr.write, cgroups: group?.joinFiles ?? [], reaps: true,
      limits: policy.limits.rlimits(group, inNamespace: false), ending: pipes.status.write)
    let killAll: (pid_t) -> Void = { pid in
      kill(-pid, SIGKILL)
      group?.processes.forEach { kill($0, SIGKILL) }
      guard group == nil else { return }
      // Whoever left the session, and there is no control group to find it by.
      for lost in ProcessTree.carrying("\(Self.marker)=\(mark)") { kill(lost, SIGKILL) }
    }
    let ended = try supervise(
      pipes, launch, LimitHolder(group), nil, nil, killAll: killAll, inner: { pid, _ in pid })
    let status = InitReport(ended.statusReport)?.status ?? ExitStatus(waitStatus: ended.waitStatus)
    return result(
      ended, status, LimitHolder(group), .none, nil, layers: [], missing: [])
  }
}

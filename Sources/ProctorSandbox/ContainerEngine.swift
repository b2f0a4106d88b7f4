import FoundationEssentials
import Glibc
import ProctorModel
import Synchronization

/// Docker or Podman, by its command line.
struct ContainerEngine: Sendable {
  let program: String
  /// What tells the command line which engine: `DOCKER_HOST` and the like.
  let environment: [String: String]

  private static let ownerLabel = "proctor.owner"
  private static let hostLabel = "proctor.host"
  /// An engine that hangs must not hang proctor.
  private static let secondsAllowed = 60.0
  private static let counter = Atomic<Int>(0)

  /// Engines can serve several machines, and each has its own processes.
  private static let host: String =
    Paths.read("/proc/sys/kernel/random/boot_id")?.filter { !$0.isWhitespace } ?? "unknown"

  init(_ container: SandboxPolicy.Container) {
    program = container.engine
    environment = container.environment
  }

  static func name() -> String {
    "proctor-\(getpid())-\(counter.add(1, ordering: .relaxed).newValue)"
  }

  static var labels: [String] {
    ["--label", "\(ownerLabel)=\(getpid())", "--label", "\(hostLabel)=\(host)"]
  }

  var isPodman: Bool { program.hasSuffix("podman") }

  // MARK: short calls

  /// Runs the command line to its end; for what takes a moment.
  @discardableResult
  func call(_ arguments: [String]) -> HostCommand.Answer {
    HostCommand(
      [program] + arguments, environment: environment, seconds: Self.secondsAllowed
    ).run()
  }

  /// The lines of an answer.
  private func list(_ arguments: [String]) -> [String] {
    call(arguments).stdout.split(separator: "\n").map(String.init)
  }

  /// Whether it was killed for memory, as far as the engine says.
  func ranOutOfMemory(_ name: String) -> Bool {
    call(["inspect", "--format", "{{.State.OOMKilled}}", name]).stdout.hasPrefix("true")
  }

  func kill(_ name: String) { call(["kill", name]) }

  /// Podman forgets a container that was just being stopped, without ending it: it is killed first.
  func remove(_ name: String) {
    if isPodman { kill(name) }
    call(["rm", "--force", "--volumes", name])
  }

  func makeVolume(_ name: String, _ overlay: Launch.Overlay) -> HostCommand.Answer {
    let layers =
      "lowerdir=\(overlay.lowers.joined(separator: ":")),upperdir=\(overlay.upper ?? ""),"
      + "workdir=\(overlay.work ?? ""),metacopy=on"
    return call(
      ["volume", "create", "--driver", "local"] + Self.labels
        + ["--opt", "type=overlay", "--opt", "device=overlay", "--opt", "o=\(layers)", name])
  }

  func removeVolume(_ name: String) { call(["volume", "rm", "--force", name]) }

  /// Removes what proctors of this machine that are gone left with the engine.
  func sweep() {
    let mine = ["--filter", "label=\(Self.hostLabel)=\(Self.host)"]
    let label = isPodman ? "index .Labels" : ".Label"
    let format = ["--format", "{{.ID}} {{\(label) \"\(Self.ownerLabel)\"}}"]
    for line in list(["ps", "--all"] + mine + format) {
      let parts = line.split(separator: " ")
      if parts.count == 2, isDead(parts[1]) { remove(String(parts[0])) }
    }
    for name in list(["volume", "ls", "--quiet"] + mine) {
      // `proctor-PID-...`, as `name()` makes them.
      let parts = name.split(separator: "-")
      if parts.count >= 3, parts[0] == "proctor", isDead(parts[1]) { removeVolume(name) }
    }
  }

  private func isDead(_ owner: Substring) -> Bool {
    pid_t(owner).map { Glibc.kill($0, 0) != 0 && errno == ESRCH } ?? false
  }
}

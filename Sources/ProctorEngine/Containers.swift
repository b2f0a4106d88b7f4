import Glibc
import ProctorModel
import ProctorSandbox

/// Finds the container engine and says as whom its containers run.
struct Containers {
  /// The user nobody, when there is no better one.
  private static let nobody: UInt32 = 65534
  private static let environment = ["PATH", "HOME", "XDG_RUNTIME_DIR", "DOCKER_*", "CONTAINER*"]

  let configuration: Configuration
  let host: LocalHost

  /// - Throws: `EngineError` without an image or an engine.
  func settings() throws(EngineError) -> SandboxPolicy.Container {
    guard let image = configuration.execution.image else {
      throw EngineError(
        .sandbox, "the isolation \"docker\" needs an image",
        resolution: "Name one: image = \"...\" under [execution] in proctor.toml. docker/ in "
          + "proctor's repository has Dockerfiles to begin with.")
    }
    let names = configuration.execution.engine.map { [$0] } ?? ["docker", "podman"]
    guard let program = names.lazy.compactMap({ host.executable(named: $0) }).first else {
      throw EngineError(
        .sandbox, "\(names.joined(separator: " or ")) is not installed, so nothing was run",
        resolution: "Install it: apt install podman, or docker.io.")
    }
    let owner = owner
    return SandboxPolicy.Container(
      engine: program,
      environment: host.environment.filter { name, _ in
        Self.environment.contains {
          $0.hasSuffix("*") ? name.hasPrefix($0.dropLast()) : name == $0
        }
      }, image: image, user: owner.user, group: owner.group)
  }

  /// Whoever owns the workspace can write to it; root is nobody inside.
  private var owner: (user: UInt32, group: UInt32) {
    guard geteuid() == 0 else { return (geteuid(), getegid()) }
    var status = stat()
    guard stat(host.workspace, &status) == 0, status.st_uid != 0 else {
      return (Self.nobody, Self.nobody)
    }
    return (status.st_uid, status.st_gid)
  }
}

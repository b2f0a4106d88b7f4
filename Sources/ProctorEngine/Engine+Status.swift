import ProctorAdapters
public import ProctorModel
import ProctorSandbox

extension Engine {
  /// What this machine and this workspace offer; the sandbox is tried for real.
  /// - Throws: `EngineError` with code `storage` when there is no cache folder.
  public func status() async throws(EngineError) -> StatusAnswer {
    let folder = try RunFolder(in: CacheFolder(environment: options.environment))
    let session = try session(in: folder.path) { _ in }
    let host = await HostCapabilities.probe(scratch: folder.path)
    return StatusAnswer(
      proctorVersion: ProctorVersion.text,
      isolation: host.backends.map {
        StatusAnswer.Isolation(name: $0.name, available: $0.available, detail: $0.detail)
      } + [containers(), try await runtime(.vm), try await runtime(.wasm)],
      host: host.findings.map {
        StatusAnswer.Capability(name: $0.name, available: $0.available, detail: $0.detail)
      },
      runners: projects().map { runner($0, session) },
      configuration: StatusAnswer.Settings(
        file: configuration.fromFile, isolation: configuration.execution.isolation.rawValue,
        tests: configuration.tests.resourceLimits,
        fetch: configuration.tests.fetch))
  }

  /// Whether the configured image runs.
  private func containers() -> StatusAnswer.Isolation {
    let name = Configuration.Isolation.docker.rawValue
    let local = LocalHost(workspace: workspace, environment: options.environment, memory: "")
    do {
      let container = try Containers(configuration: configuration, host: local).settings()
      _ = try ImageHost(local: local, container: container, reads: [])
      return StatusAnswer.Isolation(
        name: name, available: true, detail: "\(container.engine), image \(container.image)")
    } catch {
      return StatusAnswer.Isolation(
        name: name, available: false, detail: "\(error.message). \(error.resolution)")
    }
  }

  /// Whether a function of each language can be called in a runtime.
  private func runtime(
    _ isolation: Configuration.Isolation
  ) async throws(EngineError) -> StatusAnswer.Isolation {
    let test = RuntimeTest(isolation: isolation, environment: options.environment)
    var isAvailable = false
    var details: [String] = []
    for (language, wall) in try await test.languages() {
      switch wall {
      case .success(let wall):
        isAvailable = true
        details.append("\(language): \(wall)")
      case .failure(let error):
        details.append("\(language): \(error.message). \(error.resolution)")
      }
    }
    return StatusAnswer.Isolation(
      name: isolation.rawValue, available: isAvailable, detail: details.joined(separator: "; "))
  }

  private func runner(_ project: Project, _ session: RunSession) -> StatusAnswer.Runner {
    var tool: String?
    var version: String?
    var problem: String?
    do {
      let context = try session.context(project, adapter(of: project))
      tool = context.toolchain.main
      version = context.toolchain.version
    } catch {
      problem = "\(error.message). \(error.resolution)"
    }
    return StatusAnswer.Runner(
      adapter: project.adapter, root: project.root, evidence: project.evidence, tool: tool,
      version: version, problem: problem)
  }
}

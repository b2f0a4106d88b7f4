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
      },
      host: host.findings.map {
        StatusAnswer.Capability(name: $0.name, available: $0.available, detail: $0.detail)
      },
      runners: projects().map { runner($0, session) },
      configuration: StatusAnswer.Settings(
        file: configuration.fromFile, isolation: configuration.execution.isolation.rawValue,
        tests: configuration.tests.resourceLimits,
        fetch: configuration.tests.fetch))
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

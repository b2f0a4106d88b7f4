public import ProctorModel
import ProctorSandbox
import ProctorSelfTest

/// The sandbox attacked.
public enum SandboxAttacks {
  /// - Parameters:
  ///   - image: what the isolation `docker` runs.
  ///   - program: this executable, which must call `Probe.runIfAsked` first of all.
  ///   - progress: called with each attack as it is done.
  /// - Throws: `EngineError` when the sandbox asked for cannot be had, or there is no cache folder.
  public static func run(
    isolation: Configuration.Isolation, image: String?, program: String,
    environment: [String: String],
    progress: @escaping @Sendable (SelfTestAnswer.Attack) -> Void
  ) async throws(EngineError) -> SelfTestAnswer {
    guard FunctionRuntime(isolation) == .native else {
      return try await RuntimeTest(isolation: isolation, environment: environment).run(progress)
    }
    let cache = try CacheFolder(environment: environment)
    let folder = try RunFolder(in: cache)
    Sandbox.sweep()
    var container: SandboxPolicy.Container?
    if isolation == .docker {
      var configuration = Configuration()
      configuration.execution.image = image
      let host = LocalHost(workspace: folder.path, environment: environment, memory: cache.shared)
      container = try Containers(configuration: configuration, host: host).settings()
      container.map { Sandbox.sweep($0) }
    }
    do {
      return try await SelfTest(
        program: program, folder: folder.path, backend: isolation.backend,
        container: container
      ).run(progress)
    } catch {
      throw EngineError(sandbox: error)
    }
  }
}

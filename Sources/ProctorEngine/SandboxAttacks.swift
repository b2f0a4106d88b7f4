public import ProctorModel
import ProctorSandbox
import ProctorSelfTest

/// The sandbox attacked.
public enum SandboxAttacks {
  /// - Parameters:
  ///   - program: this executable, which must call `Probe.runIfAsked` first of all.
  ///   - progress: called with each attack as it is done.
  /// - Throws: `EngineError` when the sandbox asked for cannot be had, or there is no cache folder.
  public static func run(
    isolation: Configuration.Isolation, program: String, environment: [String: String],
    progress: @escaping @Sendable (SelfTestAnswer.Attack) -> Void
  ) async throws(EngineError) -> SelfTestAnswer {
    let folder = try RunFolder(in: CacheFolder(environment: environment))
    Sandbox.sweep()
    do {
      return try await SelfTest(
        program: program, folder: folder.path, backend: isolation.backend
      ).run(progress)
    } catch {
      throw EngineError(sandbox: error)
    }
  }
}

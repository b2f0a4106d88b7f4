import FoundationEssentials
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
    let runtime = FunctionRuntime(isolation)
    guard runtime == .native else {
      return try await RuntimeTest(runtime: runtime, isolation: isolation, environment: environment)
        .run(progress)
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

/// Attacks the runtime that stands inside the sandbox: each attack once in the language's own runtime, in the
/// same sandbox with the same limits, so that what is blocked is blocked by the runtime.
struct RuntimeTest: Sendable {
  let runtime: FunctionRuntime
  let isolation: Configuration.Isolation
  let environment: [String: String]

  /// The sandbox around them lets more through than by default.
  private static let settings = """
    [execution]
    allow_filesystem_access = true
    allow_network_access = true
    require_user_confirmation = false
    """

  func run(
    _ progress: @Sendable (SelfTestAnswer.Attack) -> Void
  ) async throws(EngineError) -> SelfTestAnswer {
    let cache = try CacheFolder(environment: environment)
    let folder = try RunFolder(in: cache)
    // Nobody will come back to this workspace.
    defer { FileSystem.removeTree(cache.workspace(folder.path)) }
    try FileSystem.write(Data(Self.settings.utf8), to: "\(folder.path)/\(Configuration.fileName)")
    let attacks = RuntimeAttack.all(runtime)
    var layers: [String] = []
    // A runtime that is not here, by the language.
    var absent: [String: EngineError] = [:]
    for attack in attacks where absent[attack.category] == nil {
      guard !layers.contains(where: { $0.hasPrefix("\(attack.category): ") }) else { continue }
      do throws(EngineError) {
        let answer = try await call(
          RuntimeAttack.harmless(attack.ending), attack, isolation, folder)
        guard answer.isTrue else {
          throw EngineError(
            .sandbox,
            "the runtime for \(attack.category) does not work: "
              + (answer.failure?.message ?? "a harmless function did not return what it should"),
            resolution: "Report this as a bug of proctor.")
        }
        layers.append("\(attack.category): \(answer.sandbox?.layers.first ?? "")")
      } catch {
        absent[attack.category] = error
      }
    }
    if layers.isEmpty, let error = absent.values.first { throw error }
    var done: [SelfTestAnswer.Attack] = []
    for attack in attacks where !Task.isCancelled {
      let result = try await judge(attack, folder, absent: absent[attack.category])
      if Task.isCancelled { break }
      progress(result)
      done.append(result)
    }
    return SelfTestAnswer(
      backend: isolation.rawValue, layers: layers, attacks: done,
      complete: done.count == attacks.count && !Task.isCancelled)
  }

  private func judge(
    _ attack: RuntimeAttack, _ folder: borrowing RunFolder, absent: EngineError?
  ) async throws(EngineError) -> SelfTestAnswer.Attack {
    func answer(
      _ outcome: SelfTestAnswer.Outcome, control: Bool, _ detail: String?
    ) -> SelfTestAnswer.Attack {
      SelfTestAnswer.Attack(
        name: attack.name, category: attack.category, outcome: outcome, controlSucceeded: control,
        detail: detail)
    }
    if let absent { return answer(.notApplicable, control: false, absent.message) }
    let control = try await call(attack.source, attack, .auto, folder)
    guard control.isTrue else {
      let why = control.failure?.message ?? "it returned false"
      return answer(.notApplicable, control: false, "does not succeed outside either: \(why)")
    }
    let inside = try await call(attack.source, attack, isolation, folder)
    return answer(
      inside.isTrue ? .gotThrough : .blocked, control: true,
      inside.failure.map { "\($0.kind.rawValue): \($0.message)" })
  }

  private func call(
    _ source: String, _ attack: RuntimeAttack, _ isolation: Configuration.Isolation,
    _ folder: borrowing RunFolder
  ) async throws(EngineError) -> FunctionAnswer {
    let file = "\(folder.path)/attack.\(attack.ending)"
    try FileSystem.write(Data(source.utf8), to: file)
    var options = EngineOptions(jobs: 1, environment: environment)
    options.isolation = isolation
    return try await Engine(workspace: folder.path, options: options)
      .execute("attack", of: file, arguments: "[]", base: folder.path)
  }
}

extension FunctionAnswer {
  fileprivate var isTrue: Bool { failure == nil && result == Data("true".utf8) }
}

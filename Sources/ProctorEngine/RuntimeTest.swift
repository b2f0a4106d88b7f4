import FoundationEssentials
import ProctorModel

/// Attacks the runtime that stands inside the sandbox: each attack once in the language's own runtime, in the
/// same sandbox with the same limits, so that what is blocked is blocked by the runtime.
struct RuntimeTest: Sendable {
  let isolation: Configuration.Isolation
  let environment: [String: String]

  private var runtime: FunctionRuntime { FunctionRuntime(isolation) }

  /// The sandbox around them lets more through than by default.
  private static let settings = """
    [execution]
    allow_filesystem_access = true
    allow_network_access = true
    require_user_confirmation = false
    """

  /// Whether each language's runtime is here and works: the wall it adds, or why it cannot be had.
  func languages() async throws(EngineError) -> [(
    language: String, wall: Result<String, EngineError>
  )] {
    let place = try place()
    defer { FileSystem.removeTree(place.cache) }
    return await languages(place.folder)
  }

  func run(
    _ progress: @Sendable (SelfTestAnswer.Attack) -> Void
  ) async throws(EngineError) -> SelfTestAnswer {
    let attacks = RuntimeAttack.all(runtime)
    let place = try place()
    let folder = place.folder
    // Nobody will come back to this workspace.
    defer { FileSystem.removeTree(place.cache) }
    var layers: [String] = []
    var absent: [String: EngineError] = [:]
    for (language, wall) in await languages(folder) {
      switch wall {
      case .success(let wall): layers.append("\(language): \(wall)")
      case .failure(let error): absent[language] = error
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

  /// A workspace for the attacks, and where its caches will be.
  private struct Place: ~Copyable {
    let run: RunFolder
    let cache: String
    var folder: String { run.path }
  }

  private func place() throws(EngineError) -> Place {
    let cache = try CacheFolder(environment: environment)
    let run = try RunFolder(in: cache)
    let caches = cache.workspace(run.path)
    try FileSystem.write(Data(Self.settings.utf8), to: "\(run.path)/\(Configuration.fileName)")
    return Place(run: run, cache: caches)
  }

  private func languages(
    _ folder: String
  ) async -> [(language: String, wall: Result<String, EngineError>)] {
    var result: [(language: String, wall: Result<String, EngineError>)] = []
    for attack in RuntimeAttack.all(runtime)
    where !result.contains(where: { $0.language == attack.category }) {
      result.append((attack.category, await wall(attack, folder)))
    }
    return result
  }

  private func wall(_ attack: RuntimeAttack, _ folder: String) async -> Result<String, EngineError>
  {
    do {
      let answer = try await call(
        RuntimeAttack.harmless(attack.ending), attack, isolation, folder)
      guard answer.isTrue else {
        let why =
          answer.failure?.message ?? "a harmless function did not return what it should"
        return .failure(
          EngineError(
            .sandbox, "the runtime for \(attack.category) does not work: \(why)",
            resolution: "Report this as a bug of proctor."))
      }
      return .success(answer.sandbox?.layers.first ?? "")
    } catch {
      return .failure(error)
    }
  }

  private func judge(
    _ attack: RuntimeAttack, _ folder: String, absent: EngineError?
  ) async throws(EngineError) -> SelfTestAnswer.Attack {
    let tried = SelfTestAnswer.Tried(name: attack.name, category: attack.category)
    if let absent { return tried.ended(.notApplicable, control: false, absent.message) }
    let control = try await call(attack.source, attack, .auto, folder)
    guard control.isTrue else {
      let why = control.failure?.message ?? "it returned false"
      return tried.ended(.notApplicable, control: false, "does not succeed outside either: \(why)")
    }
    let inside = try await call(attack.source, attack, isolation, folder)
    // What never ran was not blocked. Sources that a language filter refuses do not get as far.
    if let failure = inside.failure,
      [.sandbox, .timeout].contains(failure.kind) || failure.kind == .build && runtime == .wasm
    {
      return tried.ended(.notApplicable, control: true, "did not run: \(failure.message)")
    }
    return tried.ended(
      inside.isTrue ? .gotThrough : .blocked, control: true,
      inside.failure.map { "\($0.kind.rawValue): \($0.message)" })
  }

  private func call(
    _ source: String, _ attack: RuntimeAttack, _ isolation: Configuration.Isolation,
    _ folder: String
  ) async throws(EngineError) -> FunctionAnswer {
    let file = "\(folder)/attack.\(attack.ending)"
    try FileSystem.write(Data(source.utf8), to: file)
    var options = EngineOptions(jobs: 1, environment: environment)
    options.isolation = isolation
    return try await Engine(workspace: folder, options: options)
      .execute("attack", of: file, arguments: "[]", base: folder)
  }
}

extension FunctionAnswer {
  fileprivate var isTrue: Bool { failure == nil && result == Data("true".utf8) }
}

import FoundationEssentials
public import ProctorModel
import ProctorSandbox

extension Engine {
  /// Every language in which pieces of code can be run.
  public var codeLanguages: [CodeLanguage] { codeAdapters.flatMap(\.codeLanguages) }

  /// Whether the user must be asked before a piece of code is run.
  public func confirmation(of request: CodeRequest) async -> ConfirmationNeed {
    let language = codeLanguages.first { $0.answers(to: request.language) }
    return await confirmation(
      of: .code(request.source, language: language?.name ?? request.language))
  }

  private var codeAdapters: [any CodeAdapter] {
    library.own.compactMap { $0 as? any CodeAdapter }
  }

  /// Runs a piece of code in a folder of its own and gives what came of it.
  /// - Parameter progress: called from several threads, as things happen.
  /// - Throws: `EngineError` when nothing can be run at all: no such language, no sandbox.
  public func evaluate(
    _ request: CodeRequest, progress: @escaping @Sendable (Progress) -> Void = { _ in }
  ) async throws(EngineError) -> CodeAnswer {
    guard configuration.execution.enabled else {
      throw EngineError(
        .configuration, "running code is switched off",
        resolution: "Set enabled = true under [execution] in proctor.toml.")
    }
    guard request.source.count <= CodeRequest.sourceLimit else {
      throw EngineError(
        .usage, "the code is larger than \(CodeRequest.sourceLimit >> 20) MB",
        resolution: "Give what it works on as files, or on stdin.")
    }
    let (adapter, language) = try codeAdapter(for: request.language)
    let runtime = FunctionRuntime(isolation)
    guard language.runtimes.contains(runtime) else {
      let others = language.runtimes.map(\.rawValue).sorted().filter { $0 != "native" }
      throw EngineError(
        .sandbox, "\(language.title) cannot be isolated with \"\(runtime.rawValue)\"",
        resolution: "Use --isolation \((["auto"] + others).joined(separator: " or ")).")
    }
    let folder = try RunFolder(in: CacheFolder(environment: options.environment))
    Sandbox.sweep()
    let session = try session(in: folder.path, progress)
    let piece = CodePiece(
      language: language, folder: CodeFolder(path: "\(folder.path)/code"),
      name: request.path.map(shown) ?? CodePiece.unnamed, runtime: runtime,
      memoryMB: configuration.execution.maxMemoryMB)
    try CodeLayout(piece: piece, container: session.container).make(request)
    return try await CodeRunner(
      adapter: adapter, session: session, piece: piece, input: request.input
    ).run(in: project(for: adapter))
  }

  /// A path as answers tell it: relative to the workspace when inside.
  private func shown(_ path: String) -> String {
    guard let real = FileSystem.realPath(path), real.hasPrefix(workspace + "/") else {
      return path
    }
    return String(real.dropFirst(workspace.count + 1))
  }

  private func codeAdapter(
    for word: String
  ) throws(EngineError) -> (any CodeAdapter, CodeLanguage) {
    for adapter in codeAdapters {
      if let found = adapter.codeLanguages.first(where: { $0.answers(to: word) }) {
        return (adapter, found)
      }
    }
    throw EngineError(
      .usage, "pieces of code in \(word) cannot be run",
      resolution: "The languages are \(codeLanguages.map(\.name).joined(separator: ", ")).")
  }

  /// The project whose packages a piece may use: the one at the workspace's root, or else the only one.
  private func project(for adapter: any CodeAdapter) -> Project {
    let root = configuration.settings(for: adapter.id).root
    let found = adapter.detect(in: walker.tree())
    let wanted = found.first { $0.root == root ?? "." }
    if let project = wanted ?? (root == nil && found.count == 1 ? found.first : nil) {
      return project
    }
    return Project(adapter: adapter.id, root: root ?? "", evidence: Project.loneFile)
  }
}

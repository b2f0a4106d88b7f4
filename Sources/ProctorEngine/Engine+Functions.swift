import FoundationEssentials
public import ProctorModel
import ProctorSandbox

extension Engine {
  /// Calls one function of a file and gives what it returned, or why it did not.
  /// - Parameters:
  ///   - path: the file, relative to `base` when it is not absolute.
  ///   - arguments: JSON text: an array of positional arguments, an object of named ones, or one value.
  ///   - base: absolute.
  ///   - progress: called from several threads, as things happen.
  /// - Throws: `EngineError` when nothing can be run at all: no sandbox, no such isolation for the language.
  public func execute(
    _ function: String, of path: String, arguments: String, base: String,
    progress: @escaping @Sendable (Progress) -> Void = { _ in }
  ) async throws(EngineError) -> FunctionAnswer {
    let target: FunctionTarget
    switch try self.target(function, of: path, arguments: arguments, base: base) {
    case .success(let found): target = found
    case .failure(let failure): return FunctionAnswer(failure)
    }
    return try await call(target, timing: nil, progress)
  }

  /// Makes one call in a sandbox of its own.
  /// - Parameter timing: nil for a single call.
  func call(
    _ target: FunctionTarget, timing: FunctionTiming?,
    _ progress: @escaping @Sendable (Progress) -> Void
  ) async throws(EngineError) -> FunctionAnswer {
    let folder = try callFolder()
    let session = try session(in: folder.path, progress)
    let call = FunctionCall(
      file: target.file, function: target.function, arguments: target.arguments,
      runtime: target.runtime, memoryMB: configuration.execution.maxMemoryMB, timing: timing)
    return try await FunctionRunner(adapter: target.adapter, session: session, call: call)
      .run(in: project(of: target.file, target.adapter))
  }

  private func callFolder() throws(EngineError) -> RunFolder {
    let cache = try CacheFolder(environment: options.environment)
    if let calls = options.warmCalls { return try calls.runFolder(in: cache) }
    Sandbox.sweep()
    return try RunFolder(in: cache)
  }

  /// What a call is about, or why there is nothing to call.
  func target(
    _ function: String, of path: String, arguments: String, base: String
  ) throws(EngineError) -> Result<FunctionTarget, FunctionFailure> {
    guard configuration.execution.enabled else {
      throw EngineError(
        .configuration, "calling functions is switched off",
        resolution: "Set enabled = true under [execution] in proctor.toml.")
    }
    let wanted = path.hasPrefix("/") ? path : "\(base)/\(path)"
    guard let place = existing(wanted), place == workspace || place.hasPrefix(workspace + "/")
    else {
      throw EngineError(
        .usage, "\(path) is outside the workspace \(workspace)",
        resolution: "Name its workspace with --workspace.")
    }
    guard let file = FileSystem.realPath(wanted) else {
      return .failure(missing(wanted, shown: path))
    }
    guard FileSystem.isRegular(file) else {
      throw EngineError(
        .usage, "\(path) is no regular file", resolution: "Name the file that defines the function."
      )
    }
    let adapter = try functionAdapter(for: file)
    let runtime = FunctionRuntime(isolation)
    guard adapter.functionRuntimes.contains(runtime) else {
      let others = adapter.functionRuntimes.map(\.rawValue).sorted().filter { $0 != "native" }
      throw EngineError(
        .sandbox,
        "functions of \(adapter.language) cannot be isolated with \"\(runtime.rawValue)\"",
        resolution: "Use --isolation \((["auto"] + others).joined(separator: " or ")).")
    }
    do {
      return .success(
        FunctionTarget(
          file: file, function: function, arguments: try Self.list(arguments), runtime: runtime,
          adapter: adapter))
    } catch {
      let why =
        error == .depth
        ? "are nested deeper than \(JSONText.depthLimit)"
        : "are not JSON: give an array, such as [1, \"two\"]"
      return .failure(FunctionFailure(.badArguments, "the arguments \(why)"))
    }
  }

  /// The deepest folder or file of a path that is there, links resolved.
  private func existing(_ path: String) -> String? {
    var path = path
    while path.count > 1 {
      if let real = FileSystem.realPath(path) { return real }
      path = path.parentFolder
    }
    return nil
  }

  /// One value stands for a list of it.
  private static func list(_ arguments: String) throws(JSONText.Problem) -> String {
    try JSONText(arguments.utf8).shape == .scalar ? "[\(arguments)]" : arguments
  }

  private func functionAdapter(for file: String) throws(EngineError) -> any FunctionAdapter {
    let all = library.own.compactMap { $0 as? any FunctionAdapter }
    let name = file.split(separator: "/").last ?? ""
    let ending = name.split(separator: ".").dropFirst().last.map(String.init) ?? ""
    if let found = all.first(where: { $0.functionExtensions.contains(ending) }) { return found }
    let known = all.map(\.language).joined(separator: ", ")
    throw EngineError(
      .usage, "functions of \(name) cannot be called: its language is not known by its ending",
      resolution: "Functions of these languages can be called: \(known).")
  }

  /// The innermost project of the adapter's that the file is in; without one its folder.
  func project(of file: String, _ adapter: any FunctionAdapter) -> Project {
    let candidates = adapter.detect(in: walker.tree()).filter {
      file.hasPrefix($0.directory(in: workspace) + "/")
    }
    if let innermost = candidates.max(by: { $0.root.count < $1.root.count }) { return innermost }
    let folder = file.parentFolder.dropFirst(workspace.count + 1)
    return Project(adapter: adapter.id, root: String(folder), evidence: Project.loneFile)
  }

  private func missing(_ path: String, shown: String) -> FunctionFailure {
    let names = FileSystem.entries(of: path.parentFolder).filter { !$0.isFolder }.map(\.name)
    let name = path.split(separator: "/").last.map(String.init) ?? ""
    return FunctionFailure(
      .notFound, "there is no file \(shown)",
      near: Suggestions.nearest(to: name, among: names).map { .init(name: $0, line: nil) })
  }
}

/// A function that was found fit to be called.
struct FunctionTarget: Sendable {
  /// Absolute, links resolved.
  let file: String
  let function: String
  /// JSON text of an array or an object.
  let arguments: String
  let runtime: FunctionRuntime
  let adapter: any FunctionAdapter
}

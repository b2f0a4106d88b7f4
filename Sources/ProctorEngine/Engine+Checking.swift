import FoundationEssentials
import ProctorAdapters
public import ProctorModel
import ProctorSandbox

extension Engine {
  /// Says whether the workspace compiles and imports; runs no test.
  /// - Parameters:
  ///   - path: only what is at or around this file or folder; relative to `base` when it is not absolute. nil for
  ///     everything.
  ///   - base: absolute.
  ///   - progress: called from several threads, as things happen.
  /// - Throws: `EngineError` when nothing can be run at all.
  public func check(
    _ path: String?, base: String, progress: @escaping @Sendable (Progress) -> Void = { _ in }
  ) async throws(EngineError) -> CheckAnswer {
    let clock = ContinuousClock()
    let start = clock.now
    let tree = walker.tree()
    let scope = try scope(path, base: base)
    let (targets, unchecked) = targets(in: tree, scope)
    progress(.detected(targets.map(\.project)))
    guard !targets.isEmpty || !unchecked.isEmpty else {
      return nothing(tree, path, (clock.now - start).milliseconds)
    }
    let folder = try RunFolder(in: CacheFolder(environment: options.environment))
    Sandbox.sweep()
    let session = try session(in: folder.path, progress)
    let outcomes = try await each(targets, session) { target, session throws(EngineError) in
      defer { session.progress(.done(target.project)) }
      var outcome = try await CheckRunner(
        adapter: target.adapter, project: target.project, session: session
      ).run(target.files)
      outcome.asked = target.isWhole ? [] : target.files
      return outcome
    }
    return CheckVerdict(
      outcomes: CheckCoverage(outcomes).judged(), unchecked: unchecked, workspace: workspace,
      files: walker.root,
      isInterrupted: Task.isCancelled, durationMS: (clock.now - start).milliseconds
    ).answer()
  }

  /// The workspace that a path given without one is in: the user's folder, unless it is elsewhere.
  public static func workspace(of path: String?, base: String) -> String {
    guard let path, let real = FileSystem.realPath(path.hasPrefix("/") ? path : "\(base)/\(path)"),
      let here = FileSystem.realPath(base), real != here, !real.hasPrefix(here + "/"), here != "/"
    else { return base }
    return FileSystem.isFolder(real) ? real : real.parentFolder
  }

  private struct Target: Sendable {
    let adapter: any CheckAdapter
    let project: Project
    let files: [String]
    /// Whether all of the project is asked for.
    let isWhole: Bool
  }

  /// Relative to the workspace; empty for all of it.
  private func scope(_ path: String?, base: String) throws(EngineError) -> String {
    guard let path else { return "" }
    let absolute = path.hasPrefix("/") ? path : "\(base)/\(path)"
    guard inCopy(absolute) != nil || FileSystem.exists(absolute),
      case .path(let found, _) = try selector(path: path, name: nil, base: base)
    else {
      throw EngineError(
        .usage, "there is no file or folder \(path)",
        resolution: "Give a path inside the workspace.")
    }
    return found == "." ? "" : found
  }

  /// What can be checked, and the projects that nothing checks.
  private func targets(in tree: WorkspaceTree, _ scope: String) -> ([Target], [Project]) {
    func isAsked(_ file: String) -> Bool {
      scope.isEmpty || file == scope || file.hasPrefix(scope + "/")
    }
    func concerns(_ project: Project) -> Bool {
      scope.isEmpty || isAsked(project.root) || project.root == "."
        || scope.hasPrefix(project.root + "/")
    }
    func isIn(_ file: String, _ project: Project) -> Bool {
      project.root == "." || file.hasPrefix(project.root + "/")
    }
    func sources(of project: Project, _ adapter: any Adapter) -> [String] {
      tree.files.filter { file in
        isIn(file, project) && isAsked(file)
          && !project.excluded.contains { file.hasPrefix($0 + "/") }
          && adapter.sourceExtensions.contains { file.hasSuffix(".\($0)") }
      }
    }
    func isOn(_ adapter: any Adapter) -> Bool {
      configuration.settings(for: adapter.id).enabled ?? adapter.isEnabledByDefault
    }
    var targets: [Target] = []
    var checkable: Set<Project> = []
    for case let adapter as any CheckAdapter in adapters where isOn(adapter) {
      let projects = adapter.checkedProjects(in: tree)
      checkable.formUnion(projects)
      for project in projects where concerns(project) {
        let files = sources(of: project, adapter)
        let isManifest = tree.files.contains { isAsked($0) && isIn($0, project) }
        if !files.isEmpty || isManifest && adapter.needsManifest {
          targets.append(
            Target(
              adapter: adapter, project: project, files: files, isWhole: isAsked(project.root)))
        }
      }
    }
    let checked = Set(targets.flatMap(\.files))
    let unchecked = projects().filter { project in
      !checkable.contains(project) && concerns(project)
        && sources(of: project, adapter(of: project)).contains { !checked.contains($0) }
    }
    return (targets, unchecked)
  }

  private func nothing(
    _ tree: WorkspaceTree, _ path: String?, _ durationMS: Double
  ) -> CheckAnswer {
    let names = AdapterRegistry.all.compactMap { ($0 as? any CheckAdapter)?.checkedLanguage }
      .joined(separator: ", ")
    return CheckAnswer(
      .nothingToCheck, reason: .nothingDetected,
      message: "there is no source code in \(path ?? workspace) that proctor can check (\(names))",
      durationMS: durationMS)
  }
}

import FoundationEssentials
import ProctorAdapters
public import ProctorModel
import ProctorSandbox

/// The whole product in order: detect, plan, run in the sandbox, decode, account, report.
public struct Engine: Sendable {
  /// Looks at the files, also when those of a copy stand in the workspace's place.
  let walker: WorkspaceWalker
  /// nil for the workspace itself.
  let copy: CopiedWorkspace?
  let library: AdapterLibrary
  public let configuration: Configuration
  let options: EngineOptions

  /// - Parameter workspace: an existing folder.
  /// - Throws: `EngineError` for a missing workspace or a broken `proctor.toml`.
  public init(workspace: String, options: EngineOptions) throws(EngineError) {
    walker = try WorkspaceWalker.open(workspace)
    self.workspace = walker.root
    copy = nil
    library = try AdapterLibrary(workspace: walker.root, environment: options.environment)
    let read = try Self.configuration(at: walker.root, adapters: library.ids)
    configuration = options.floor.map(read.noLaxer) ?? read
    self.options = Self.settled(options, configuration)
  }

  /// The root of a workspace, absolute, symbolic links resolved.
  /// - Throws: `EngineError` when there is no such folder.
  public static func root(of workspace: String) throws(EngineError) -> String {
    try WorkspaceWalker.open(workspace).root
  }

  /// In force: the call's, else the configured one.
  public var isolation: Configuration.Isolation { options.isolation ?? .auto }

  /// The workspace root, absolute, symbolic links resolved.
  public let workspace: String

  /// The same engine on a copy: its settings stay those of the workspace.
  init(_ engine: Engine, on copy: CopiedWorkspace) {
    walker = WorkspaceWalker(root: copy.folder)
    self.copy = copy
    workspace = engine.workspace
    library = engine.library
    configuration = engine.configuration
    options = engine.options
  }

  /// A copy's engine with the settings and manifests that stand in the copy.
  /// - Parameter floor: than which they cannot be laxer; nil for none.
  /// - Throws: `EngineError` for broken ones.
  func withItsOwnSettings(noLaxer floor: Configuration?) throws(EngineError) -> Engine {
    // The copy is anybody's: what a link leads to is not its own.
    if RawPath(Configuration.fileName).destination(below: walker.root) != nil {
      throw EngineError(
        .configuration, "\(Configuration.fileName) is a link", resolution: "Make it a file.")
    }
    let library = try AdapterLibrary(workspace: walker.root, environment: options.environment)
    let read = try Self.configuration(at: walker.root, adapters: library.ids)
    return Engine(self, library, floor.map(read.noLaxer) ?? read)
  }

  private init(_ engine: Engine, _ library: AdapterLibrary, _ configuration: Configuration) {
    walker = engine.walker
    copy = engine.copy
    workspace = engine.workspace
    self.library = library
    self.configuration = configuration
    options = engine.options
  }

  var adapters: [any Adapter] { library.all }

  /// Detected runners, those switched off left out.
  public func projects() -> [Project] { projects(in: walker.tree()) }

  private func projects(in tree: WorkspaceTree) -> [Project] {
    adapters.flatMap { adapter -> [Project] in
      let settings = configuration.settings(for: adapter.id)
      guard settings.enabled ?? adapter.isEnabledByDefault else { return [] }
      guard let root = settings.root else { return adapter.detect(in: tree) }
      return [
        Project(
          adapter: adapter.id, root: root,
          evidence: "tests.\(adapter.id).root in \(Configuration.fileName)")
      ]
    }
  }

  /// Runs the selected tests. Cancelling the task stops everything and still gives a report.
  /// - Parameter progress: called from several threads, as things happen.
  /// - Throws: `EngineError` when nothing can be run at all: no sandbox, no storage.
  public func run(
    _ selector: TestSelector, progress: @escaping @Sendable (Progress) -> Void = { _ in }
  ) async throws(EngineError) -> Report {
    try refuseRuntimes()
    let clock = ContinuousClock()
    let start = clock.now
    let tree = walker.tree()
    let beginning = Report.Beginning(
      date: Date.now.timeIntervalSince1970, codeState: copy == nil ? CodeState.of(tree) : nil)
    let projects = concerned(selector, in: tree)
    try refuseImpossible(projects)
    progress(.detected(projects))
    let folder = try RunFolder(in: CacheFolder(environment: options.environment))
    Sandbox.sweep()
    let session = try session(in: folder.path, since: start, progress)
    var (outcomes, shard, conflict) = try await divided(projects, selector, tree, session)
    for index in outcomes.indices {
      session.quarantine.apply(to: &outcomes[index])
      // What was asked for by its name is in none of these.
      if selector.isNamed, !outcomes[index].selected.isEmpty { outcomes[index].leftOut = [] }
    }
    let names = outcomes.flatMap(\.listedNames)
    let stale =
      selector.isEverything && shard == nil
      ? session.quarantine.stale(among: outcomes.flatMap(\.selected)) : []
    var report = ReportBuilder(
      accounting: Accounting(
        outcomes: outcomes, interrupted: Task.isCancelled, flakyPolicy: options.flaky ?? .warn,
        staleQuarantine: stale, shard: shard, shardConflict: conflict),
      workspace: workspace, durationMS: (clock.now - start).milliseconds,
      suggestions: selector.wantedName.map { Suggestions.nearest(to: $0, among: names) } ?? [],
      notes: session.quarantine.notes + impossible(projects), seed: options.shuffle
    ).report()
    report.beginning = beginning
    report.shard = shard
    report.selection = selector.text
    return report
  }

  /// Lists the selected tests; builds what must be built, runs none.
  public func list(
    _ selector: TestSelector, progress: @escaping @Sendable (Progress) -> Void = { _ in }
  ) async throws(EngineError) -> Listing {
    try refuseRuntimes()
    let projects = concerned(selector, in: walker.tree())
    progress(.detected(projects))
    let folder = try RunFolder(in: CacheFolder(environment: options.environment))
    Sandbox.sweep()
    let session = try session(in: folder.path, progress)
    let prepared = try await prepare(projects, selector, session, isListing: true)
    let listed = prepared.flatMap { ReportBuilder.ordered($0.listed ?? []) }
    let accounting = Accounting(outcomes: prepared.map(\.outcome), interrupted: Task.isCancelled)
    return Listing(
      tests: try selector.choose(from: listed), errors: prepared.flatMap(\.outcome.errors),
      projects: projects, verdict: accounting.listingVerdict(listed: listed.count))
  }

  // MARK: the road

  func outcomes(
    of projects: [Project], _ selector: TestSelector, _ session: RunSession
  ) async throws(EngineError) -> [ProjectOutcome] {
    if selector.isEverything {
      return try await each(projects, session) { project, session throws(EngineError) in
        let runner = runner(project, session)
        let adapter = adapter(of: project)
        let isOrdered = options.shuffle != nil && adapter.canOrder
        let prepared = try await runner.prepare(
          scope: .everything,
          needsListing: isOrdered || options.paranoid && adapter.canSelect)
        defer { session.progress(.done(project)) }
        return try await runner.run(prepared, chosen: nil)
      }
    }
    let prepared = try await prepare(projects, selector, session)
    // One selection over all projects: an exact name in one outranks a last part in another.
    let listed = prepared.filter { adapter(of: $0.outcome.project).canSelect }
    let chosen = Dictionary(
      grouping: try selector.choose(from: listed.flatMap { $0.listed ?? [] }), by: \.project)
    let outcomes = try await each(prepared, session) { prepared, session throws(EngineError) in
      let project = prepared.outcome.project
      defer { session.progress(.done(project)) }
      let isExact = adapter(of: project).canSelect
      return try await runner(project, session)
        .run(prepared, chosen: isExact ? chosen[project] ?? [] : nil)
    }
    return try narrowed(outcomes, selector)
  }

  /// What could not be selected before was run as a whole: the selection is made among the results.
  func narrowed(
    _ outcomes: [ProjectOutcome], _ selector: TestSelector
  ) throws(EngineError) -> [ProjectOutcome] {
    let everything = outcomes.filter { !adapter(of: $0.project).canSelect }.flatMap(\.selected)
    let chosen = Set(try selector.choose(from: everything).map(\.id))
    return outcomes.map { outcome in
      guard !adapter(of: outcome.project).canSelect else { return outcome }
      var outcome = outcome
      outcome.listedNames = outcome.selected.map(\.fullName)
      outcome.selected = outcome.selected.filter { chosen.contains($0.id) }
      outcome.attempts = outcome.attempts.filter { chosen.contains($0.key) }
      return outcome
    }
  }

  /// The projects that may hold a test of this name or id, built and listed.
  func listed(
    for name: String, _ session: RunSession
  ) async throws(EngineError) -> [ProjectRunner.Prepared] {
    try refuseRuntimes()
    let tree = walker.tree()
    let all = concerned(.everything, in: tree)
    let id = TestSelector.id(TestID(text: name))
    let own = concerned(id, in: tree)
    let chosen = own.isEmpty ? all : own
    session.progress(.detected(chosen))
    return try await prepare(chosen, own.isEmpty ? .everything : id, session)
  }

  func prepare(
    _ projects: [Project], _ selector: TestSelector, _ session: RunSession,
    isListing: Bool = false
  ) async throws(EngineError) -> [ProjectRunner.Prepared] {
    try await each(projects, session) { project, session throws(EngineError) in
      let adapter = adapter(of: project)
      var prepared = try await runner(project, session).prepare(
        scope: selector.scope, needsListing: isListing ? adapter.canList : adapter.canSelect)
      if isListing, !adapter.canList { prepared.outcome.errors.append(.cannotList(project)) }
      return prepared
    }
  }

  /// Maps side by side, at most `jobs` at once, results in the items' order.
  func each<Item: Sendable, Result: Sendable>(
    _ items: [Item], _ session: RunSession,
    _ body: @escaping @Sendable (Item, RunSession) async throws(EngineError) -> Result
  ) async throws(EngineError) -> [Result] {
    do {
      return try await withThrowingTaskGroup(of: (Int, Result).self) { group in
        var results: [Int: Result] = [:]
        for (index, item) in items.enumerated() {
          if index >= options.jobs, let (done, result) = try await group.next() {
            results[done] = result
          }
          group.addTask { (index, try await body(item, session)) }
        }
        for try await (done, result) in group { results[done] = result }
        return items.indices.compactMap { results[$0] }
      }
    } catch let error as EngineError {
      throw error
    } catch {
      throw EngineError(.workspace, "\(error)", resolution: "Report this as a bug of proctor.")
    }
  }

  func runner(_ project: Project, _ session: RunSession) -> ProjectRunner {
    ProjectRunner(adapter: adapter(of: project), project: project, session: session)
  }

  /// Projects come from these adapters only.
  func adapter(of project: Project) -> any Adapter {
    adapters.first { $0.id == project.adapter } ?? adapters[0]
  }

  func concerned(_ selector: TestSelector, in tree: WorkspaceTree) -> [Project] {
    let isFolder: Bool =
      if case .path(let path, _) = selector { FileSystem.isFolder("\(walker.root)/\(path)") } else {
        false
      }
    return projects(in: tree).filter { project in
      let extensions = adapter(of: project).sourceExtensions
      return selector.concerns(project, sourceExtensions: extensions, isFolder: isFolder)
    }
  }

  func session(
    in folder: String, since begin: ContinuousClock.Instant = .now,
    _ progress: @escaping @Sendable (Progress) -> Void
  ) throws(EngineError) -> RunSession {
    var cache = try CacheFolder(environment: options.environment)
    let local = LocalHost(
      workspace: workspace, environment: options.environment, memory: "\(cache.shared)/queries")
    var host: any Host = local
    var container: SandboxPolicy.Container?
    if isolation == .docker {
      let found = try Containers(configuration: configuration, host: local).settings()
      Sandbox.sweep(found)
      container = found
      host = try ImageHost(local: local, container: found, reads: configuration.tests.read)
      cache = try cache.image(found.image)
    }
    return RunSession(
      workspace: workspace, copy: copy, configuration: configuration,
      quarantine: try Quarantine(configuration, today: Quarantine.today), options: options,
      cache: cache,
      host: host, container: container, runFolder: folder, tree: walker.tree, progress: progress,
      begin: begin)
  }

  // MARK: settings

  private static func configuration(
    at root: String, adapters: [AdapterID]
  ) throws(EngineError) -> Configuration {
    var result = Configuration()
    if let text = try text(of: Configuration.fileName, at: root) {
      result = try ConfigurationReader.read(text, adapters: adapters)
    }
    if let text = try text(of: QuarantineReader.fileName, at: root) {
      result.quarantine = try QuarantineReader.read(text)
    }
    return result
  }

  /// nil when there is no such file.
  private static func text(of name: String, at root: String) throws(EngineError) -> String? {
    let path = "\(root)/\(name)"
    guard FileSystem.exists(path) else { return nil }
    guard let data = FileSystem.read(path, limit: 1 << 20) else {
      throw EngineError(
        .configuration, "\(name) cannot be read or is larger than 1 MiB",
        resolution: "Make it a readable text file.")
    }
    guard let text = String(validating: data, as: UTF8.self) else {
      throw EngineError(
        .configuration, "\(name) is not UTF-8 text", resolution: "Save it as UTF-8.")
    }
    return text
  }

  /// What is in force: the call's, else the configured one.
  private static func settled(
    _ options: EngineOptions, _ configuration: Configuration
  ) -> EngineOptions {
    var options = options
    options.isolation = options.isolation ?? configuration.execution.isolation
    let flaky = options.flaky ?? configuration.tests.flaky
    options.flaky = options.floor.map { flaky.noLaxer(than: $0.tests.flaky) } ?? flaky
    return options
  }

  /// - Throws: `EngineError` when what was asked for can be had of no runner here.
  private func refuseImpossible(_ projects: [Project]) throws(EngineError) {
    let adapters = projects.map(adapter)
    guard !adapters.isEmpty else { return }
    let isRetrying = options.repetition == nil && (options.retries ?? 0) > 0
    if isRetrying, !adapters.contains(where: \.canSelect) {
      throw EngineError(
        .usage,
        "failed tests cannot be run again here: \(Self.names(projects)) cannot run chosen tests",
        resolution: "Leave retries out, or have its manifest say how tests are listed and selected."
      )
    }
    if options.shuffle != nil, !adapters.contains(where: \.canOrder) {
      throw EngineError(
        .usage, "tests cannot be shuffled here: \(Self.names(projects)) keeps to its own order",
        resolution: "Tests of pytest and jest can be.")
    }
  }

  /// What was asked for, and some runners do not do.
  private func impossible(_ projects: [Project]) -> [String] {
    guard options.shuffle != nil else { return [] }
    return projects.filter { !adapter(of: $0).canOrder }.map {
      "\($0.title) keeps to its own order: its tests were not shuffled"
    }
  }

  private static func names(_ projects: [Project]) -> String {
    Set(projects.map(\.adapter.rawValue)).sorted().joined(separator: ", ")
  }

  /// - Throws: `EngineError` for an isolation that runs of tests cannot have.
  func refuseRuntimes() throws(EngineError) {
    guard FunctionRuntime(isolation) != .native else { return }
    throw EngineError(
      .sandbox, "runs of tests cannot be isolated with \"\(isolation.rawValue)\"",
      resolution: "That is for single functions. Use --isolation auto, or docker with an image.")
  }
}

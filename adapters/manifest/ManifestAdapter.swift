import FoundationEssentials
public import ProctorModel

/// Any runner that a manifest describes.
public struct ManifestAdapter: Adapter {
  let manifest: AdapterManifest
  public let id: AdapterID

  public let listsWhileRunning = true
  public var sourceExtensions: [String] { manifest.extensions }
  public var environmentAllowList: [String] { manifest.environment?.pass ?? [] }
  public var canList: Bool { manifest.list != nil }
  public var isEnabledByDefault: Bool { manifest.enabled ?? true }
  public var canSelect: Bool {
    manifest.list != nil && manifest.select != nil && manifest.list?.dynamic != true
  }

  /// - Parameters:
  ///   - text: the manifest, TOML.
  ///   - isTrusted: false for one that comes with a workspace, which may be anybody's: it can neither
  ///     have programs run outside the sandbox, nor open the host or the network to tests.
  /// - Throws: `ManifestProblem`.
  public init(_ text: String, isTrusted: Bool) throws(ManifestProblem) {
    manifest = try AdapterManifest.read(text)
    if !isTrusted, let key = manifest.keyThatNeedsTrust {
      throw ManifestProblem(
        key: key,
        message: "\(key) is not for a manifest of the workspace, only for one of the user's own")
    }
    id = AdapterID(rawValue: manifest.name)
  }

  public func detect(in tree: WorkspaceTree) -> [Project] {
    ManifestDetection(manifest: manifest, tree: tree).projects()
  }

  public func toolchain(
    for project: Project, workspace: String, settings: AdapterSettings, host: any Host
  ) throws(ToolProblem) -> Toolchain {
    try ManifestToolchain(
      manifest: manifest, project: project, workspace: workspace, settings: settings, host: host
    ).find()
  }

  // MARK: steps

  public func fetch(_ context: AdapterContext) -> [Invocation] {
    let plan = ManifestPlan(manifest: manifest, context: context)
    return manifest.fetch.map { [plan.step(.fetch, "fetching dependencies", $0.command)] } ?? []
  }

  public func buildFolders(_ context: AdapterContext) -> [String] {
    manifest.build == nil ? [] : [ManifestPlan(manifest: manifest, context: context).kept]
  }

  public func build(_ context: AdapterContext) -> [Invocation] {
    let plan = ManifestPlan(manifest: manifest, context: context)
    return manifest.build.map { [plan.step(.build, "building", $0.command)] } ?? []
  }

  public func readBuild(_ context: AdapterContext, _ finished: [FinishedInvocation]) -> Build {
    guard let last = finished.last, !last.status.isSuccess else { return Build() }
    let output = String(decoding: last.stdout + Data("\n".utf8) + last.stderr, as: UTF8.self)
    return Build(errors: ManifestErrors(manifest: manifest, context: context).found(in: output))
  }

  var canCheck: Bool { manifest.build != nil }

  public func list(
    _ context: AdapterContext, _ build: Build, scope: Scope, isComplete: Bool
  ) -> [Invocation] {
    guard let list = manifest.list else { return [] }
    return [
      ManifestPlan(manifest: manifest, context: context)
        .reporting(.list, "listing", list.command, report: list.report)
    ]
  }

  public func run(
    _ context: AdapterContext, _ build: Build, selection: Selection, mode: RunMode
  ) -> [Invocation] {
    let plan = ManifestPlan(manifest: manifest, context: context)
    let run = manifest.run
    guard case .cases(let cases) = selection, let select = manifest.select, canSelect else {
      return [plan.reporting(.run, "running tests", run.command, report: run.report)]
    }
    return plan.chunks(cases).map { cases in
      plan.reporting(
        .run, "running tests", plan.selecting(cases, select), report: run.report, cases: cases)
    }
  }

  public func canRunAlone(_ test: TestCase) -> Bool { canSelect }

  public func decoder(
    for invocation: Invocation, _ context: AdapterContext, _ build: Build
  ) -> any EventDecoder {
    ManifestDecoder(manifest: manifest, context: context, invocation: invocation)
  }

  public func exitAgrees(
    _ status: ExitStatus, failed: Bool, ran: Bool, of invocation: Invocation
  ) -> Bool {
    guard case .exited(let code) = status else { return false }
    if (manifest.exit?.passed ?? [0]).contains(code) { return !failed }
    guard let expected = manifest.exit?.failed else { return failed }
    return failed && expected.contains(code)
  }
}

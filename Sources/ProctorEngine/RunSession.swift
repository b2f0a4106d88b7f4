public import ProctorModel
import ProctorSandbox
import Synchronization

/// What all projects of one run share.
struct RunSession: Sendable {
  let workspace: String
  /// A changed copy that stands in the workspace's place; nil for the workspace itself.
  let copy: CopiedWorkspace?
  let configuration: Configuration
  let quarantine: Quarantine
  let options: EngineOptions
  let cache: CacheFolder
  let host: any Host
  /// For the isolation `docker`.
  let container: SandboxPolicy.Container?
  let runFolder: String
  /// Looks at the workspace's files as they are now.
  let tree: @Sendable () -> WorkspaceTree
  let progress: @Sendable (Progress) -> Void
  /// Times are told from here on.
  let begin: ContinuousClock.Instant
  /// Set when a test failed in a run that goes on until one does.
  let failureSeen = FailureSeen()

  /// Where the workspace's files are on this machine.
  var files: String { copy?.folder ?? workspace }

  private var backend: SandboxPolicy.Backend {
    (options.isolation ?? .auto).backend
  }

  /// How often a failed test runs again.
  var retries: Int { options.retries ?? configuration.tests.retries }

  private var testSeconds: Double? {
    options.testTimeoutSeconds ?? configuration.tests.testTimeoutSeconds.map(Double.init)
  }

  /// Finds the tools of a project for its tests.
  func context(_ project: Project, _ adapter: any Adapter) throws(ToolProblem) -> AdapterContext {
    let toolchain = try adapter.toolchain(
      for: project, workspace: workspace, settings: configuration.settings(for: adapter.id),
      host: host)
    return try context(project, toolchain, adapter)
  }

  /// - Throws: `ToolProblem` when the tools need what is not shown to anybody.
  func context(
    _ project: Project, _ toolchain: Toolchain, _ adapter: any Adapter
  ) throws(ToolProblem) -> AdapterContext {
    let guarded = ReadGuard(workspace: workspace, home: host.environment["HOME"])
    try guarded.check(toolchain.reads, of: project)
    try guarded.check(configuration.tests.read)
    return AdapterContext(
      workspace: workspace, files: files, project: project,
      settings: configuration.settings(for: project.adapter), toolchain: toolchain,
      cache: cache.project(project, in: copy?.cache ?? cache.workspace(workspace)),
      sharedCache: cache.shared,
      mayFetch: options.fetch || configuration.tests.fetch, isIsolated: backend != .none,
      testSeconds: testSeconds,
      hostEnvironment: GuestEnvironment.shown(host.environment, to: adapter))
  }

  func runner(
    _ adapter: any Adapter, _ context: AdapterContext
  ) throws(EngineError) -> InvocationRunner {
    let tests = configuration.tests
    var limits = tests.resourceLimits
    if let seconds = options.timeoutSeconds { limits.wallSeconds = seconds }
    return InvocationRunner(
      adapter: adapter, context: context, host: host.environment, backend: backend, limits: limits,
      required: Set(tests.limits.keys), container: container,
      access: copy == nil ? tests.workspace : .protected,
      keepsWrites: true, shown: copy?.shown ?? [],
      network: tests.allowNetworkAccess ? .host : .none, reads: tests.read, freeReads: [],
      testSeconds: testSeconds, scratch: try folders(context), begin: begin, progress: progress)
  }

  /// For calls of functions, and for building what is called.
  func functionRunner(
    _ adapter: any Adapter, _ context: AdapterContext
  ) throws(EngineError) -> InvocationRunner {
    let execution = configuration.execution
    let limits = execution.resourceLimits(timeout: options.timeoutSeconds)
    return InvocationRunner(
      adapter: adapter, context: context, host: host.environment, backend: backend,
      limits: limits, required: execution.named, container: container,
      access: limits.fileOperations == 0 ? .readOnly : .protected, keepsWrites: false,
      shown: copy?.shown ?? [],
      network: execution.allowNetworkAccess ? .host : .none, reads: [], freeReads: [workspace],
      testSeconds: nil, scratch: try folders(context), begin: begin, progress: progress)
  }

  /// Makes the caches that the commands of a project write to.
  /// - Returns: its part of the run folder, which is made when a command needs it.
  private func folders(_ context: AdapterContext) throws(EngineError) -> String {
    try FileSystem.makeFolder(context.cache)
    try FileSystem.makeFolder(context.sharedCache)
    return "\(runFolder)/\(Fingerprint.of(context.project.adapter.rawValue + context.project.root))"
  }
}

/// What a call may decide about how it runs; the rest is `proctor.toml`.
public struct EngineOptions: Sendable {
  /// nil: as configured.
  public var isolation: Configuration.Isolation?
  /// Download missing dependencies first.
  public var fetch = false
  /// Wall-clock seconds for building, and for running the tests of one project; nil: as configured.
  public var timeoutSeconds: Double?
  /// Wall-clock seconds for each test; nil: as configured.
  public var testTimeoutSeconds: Double?
  /// A process for each test, as far as the runner permits that.
  public var paranoid = false
  /// The part of the tests that shall run; nil for all.
  public var shard: ShardRequest?
  /// Keep everything that tests write to the workspace.
  public var keepWrites = false
  /// Settings than which those of `proctor.toml` cannot be laxer; nil for none.
  public var floor: Configuration?
  /// How often a failed test is run again; nil: as configured.
  public var retries: Int?
  /// What flaky tests mean; nil: as configured.
  public var flaky: FlakyPolicy?
  /// Run everything several times; nil for once.
  public var repetition: Repetition?
  /// Put tests into an order made from this number, up to 2^32 - 1; nil for their usual order.
  public var shuffle: UInt64?
  /// Projects that run at the same time.
  public var jobs: Int
  /// The environment proctor was started in.
  public var environment: [String: String]
  /// Sandboxes that wait for calls of functions; nil: each call starts one.
  public var warmCalls: WarmCalls?

  public init(jobs: Int, environment: [String: String]) {
    self.jobs = jobs
    self.environment = environment
  }
}

extension Configuration.Isolation {
  /// What runs commands under this setting; for `wasm` and `vm`, what stands around the runtime.
  var backend: SandboxPolicy.Backend {
    switch self {
    case .none: .none
    case .bubblewrap: .bubblewrap
    case .namespaces: .namespaces
    case .docker: .container
    case .auto, .wasm, .vm: .automatic
    }
  }
}

extension FunctionRuntime {
  init(_ isolation: Configuration.Isolation) {
    switch isolation {
    case .wasm: self = .wasm
    case .vm: self = .vm
    case .auto, .namespaces, .bubblewrap, .docker, .none: self = .native
    }
  }
}

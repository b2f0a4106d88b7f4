public import FoundationEssentials

/// Everything proctor knows about one test runner: how to find it, start it and understand it.
///
/// An adapter is a value without state. It plans and decodes; it starts nothing itself.
/// For each project the engine calls, in this order: `toolchain`, `fetch` (only when asked),
/// `build`, `readBuild`, `list` (when a filter needs it or `listsWhileRunning` is false), `run`.
/// The invocations of one call run one after the other.
public protocol Adapter: Sendable {
  var id: AdapterID { get }

  /// True when a run of everything announces each test before it starts, so that an unfiltered run
  /// needs no separate listing.
  var listsWhileRunning: Bool { get }

  /// False for a runner that is only used when `proctor.toml` says so.
  var isEnabledByDefault: Bool { get }

  /// Whether tests can be listed without running them.
  var canList: Bool { get }

  /// Whether exactly the chosen tests can be run; otherwise a selection runs everything, and the
  /// others' results are left out.
  var canSelect: Bool { get }

  /// Endings of files that may hold tests of this runner, without the dot: `rs`.
  var sourceExtensions: [String] { get }

  /// Names of the host's environment variables that this runner may see, besides the engine's own
  /// list; a trailing `*` matches a prefix.
  var environmentAllowList: [String] { get }

  /// The projects of this runner in the tree, each with its evidence, nearest to the root first.
  /// Broken manifests are projects too: the runner's error about them is the answer.
  func detect(in tree: WorkspaceTree) -> [Project]

  /// Finds the runner's tools, the project's own first.
  /// - Throws: `ToolProblem` when one is missing.
  func toolchain(
    for project: Project, workspace: String, settings: AdapterSettings, host: any Host
  ) throws(ToolProblem) -> Toolchain

  /// Downloads dependencies into the cache folder; runs none of the project's test code.
  func fetch(_ context: AdapterContext) -> [Invocation]

  /// Absolute paths of the cache folders whose contents stand for the sources they were built from;
  /// they are removed when they may be out of date in a way that the build tool does not see.
  func buildFolders(_ context: AdapterContext) -> [String]

  /// Absolute path of the cache folder where the interpreter keeps bytecode, by the absolute paths of its sources; nil
  /// when there is none. That of sources that changed since it was made is removed before each run: interpreters go by
  /// dates and sizes, which may be the same.
  func bytecodeFolder(_ context: AdapterContext) -> String?

  /// Compiles the tests and whatever guest code is missing from the cache.
  func build(_ context: AdapterContext) -> [Invocation]

  /// Understands the build invocations that ran: all of them, or up to the first that failed.
  func readBuild(_ context: AdapterContext, _ finished: [FinishedInvocation]) -> Build

  /// Lists tests without running them.
  /// - Parameter isComplete: false when everything will be run anyway: what announces its tests while
  ///   it runs (`Invocation.listsItself`) may then be left out.
  func list(
    _ context: AdapterContext, _ build: Build, scope: Scope, isComplete: Bool
  ) -> [Invocation]

  /// Runs the selection. With `.all`, everything that `list` would have found.
  func run(
    _ context: AdapterContext, _ build: Build, selection: Selection, mode: RunMode
  ) -> [Invocation]

  /// Whether this test can be run in a process of its own; false when the runner cannot select it
  /// alone or gives it a process of its own anyway.
  func canRunAlone(_ test: TestCase) -> Bool

  /// The order in which this runner runs these tests when they are asked for in this order, as near to it as it comes;
  /// nil for a runner that keeps to an order of its own.
  func arranged(_ cases: [TestCase]) -> [TestCase]?

  /// A command line for a POSIX shell in the project's folder that has the bare runner run exactly these tests in this order;
  /// nil when there is none.
  func shellCommand(running cases: [TestCase]) -> String?

  /// The frames in which a process that was killed or crashed says where it was, innermost first.
  /// - Parameter output: its stderr.
  func frames(in output: String, of test: TestCase, _ context: AdapterContext) -> [Frame]

  /// Whether a change concerns tests of this runner or how they are run, so that it may make them say less.
  func touchesTests(_ file: ChangedFile) -> Bool

  /// A fresh decoder for one list or run invocation.
  func decoder(
    for invocation: Invocation, _ context: AdapterContext, _ build: Build
  ) -> any EventDecoder

  /// Whether a run invocation's exit status fits what it reported.
  /// - Parameters:
  ///   - failed: whether a test failed or an error outside tests was reported.
  ///   - ran: whether at least one test ran or was skipped.
  func exitAgrees(_ status: ExitStatus, failed: Bool, ran: Bool, of invocation: Invocation) -> Bool
}

extension Adapter {
  public func fetch(_ context: AdapterContext) -> [Invocation] { [] }
  public func buildFolders(_ context: AdapterContext) -> [String] { [] }
  public func bytecodeFolder(_ context: AdapterContext) -> String? { nil }
  public func build(_ context: AdapterContext) -> [Invocation] { [] }
  public func readBuild(_ context: AdapterContext, _ finished: [FinishedInvocation]) -> Build {
    Build()
  }
  public var isEnabledByDefault: Bool { true }
  public var canList: Bool { true }
  public var canSelect: Bool { true }
  public func canRunAlone(_ test: TestCase) -> Bool { true }
  public func arranged(_ cases: [TestCase]) -> [TestCase]? { nil }
  public func shellCommand(running cases: [TestCase]) -> String? { nil }
  public var canOrder: Bool { canSelect && arranged([]) != nil }
  public func touchesTests(_ file: ChangedFile) -> Bool { file.isNamedAsTest }
  public func frames(in output: String, of test: TestCase, _ context: AdapterContext) -> [Frame] {
    []
  }
}

/// How the tests of one invocation share its process.
public enum RunMode: Sendable {
  /// As the runner does by itself.
  case normal
  /// One after the other, so that whoever is running when the process dies is the one.
  case serial
  /// One after the other in the order of the cases; only where `Adapter.arranged` gives one.
  case ordered
  /// A single test whose process died: output uncaptured and the stack shown where the runner can.
  case alone
}

/// Turns a runner's bytes into events, incrementally. A value; fed in order, finished once.
public protocol EventDecoder: Sendable {
  mutating func receive(_ chunk: OutputChunk) -> [TestEvent]
  /// The process is gone and everything it wrote was received.
  mutating func finish(_ status: ExitStatus) -> [TestEvent]
}

/// A piece of what a running invocation produced.
public enum OutputChunk: Sendable {
  /// One whole record of the channel, without its frame or line end.
  case record(Data)
  /// Bytes as they came, cut anywhere.
  case stdout(Data)
  case stderr(Data)
}

/// What a build left behind.
public struct Build: Sendable {
  public struct Product: Sendable {
    /// Unique in the project; `TestCase.product` refers to it.
    public let name: String
    /// Absolute path of what is run.
    public let executable: String
    /// Absolute.
    public let directory: String
    public let environment: [String: String]
    /// Adapter-specific facts.
    public let details: [String: String]

    public init(
      name: String, executable: String, directory: String, environment: [String: String] = [:],
      details: [String: String] = [:]
    ) {
      self.name = name
      self.executable = executable
      self.directory = directory
      self.environment = environment
      self.details = details
    }
  }

  public let products: [Product]
  /// Nothing may be run when there are errors and no products.
  public let errors: [RunError]

  public init(products: [Product] = [], errors: [RunError] = []) {
    self.products = products
    self.errors = errors
  }

  public func product(_ name: String?) -> Product? { products.first { $0.name == name } }
}

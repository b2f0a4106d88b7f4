public import FoundationEssentials

/// What runs a function's code inside the operating system's sandbox.
public enum FunctionRuntime: String, Sendable {
  /// The language's own: the interpreter, or a compiled library.
  case native
  /// WebAssembly, without folders and network.
  case wasm
  /// A restricted form of the language; depth, not a wall.
  case vm

  /// Megabytes (2^20 bytes) that it can address at most; nil for no limit of its own.
  var addressableMB: Int? { self == .wasm ? 4096 : nil }
}

/// One function to be called.
public struct FunctionCall: Sendable {
  /// Absolute, inside the workspace.
  public let file: String
  /// As its file names it, dotted or with `::` when it belongs to a type.
  public let function: String
  /// JSON text: an array of positional arguments, or an object of named ones.
  public let arguments: String
  public let runtime: FunctionRuntime
  /// Megabytes (2^20 bytes) for the runtime, no more than it can address; nil for no limit.
  public let memoryMB: Int?
  /// nil for a single call, whose result is wanted.
  public let timing: FunctionTiming?
  /// Bytes of the result's JSON text.
  public let outputLimit: Int

  public init(
    file: String, function: String, arguments: String, runtime: FunctionRuntime, memoryMB: Int?,
    timing: FunctionTiming? = nil, outputLimit: Int = 8 << 20
  ) {
    self.file = file
    self.function = function
    self.arguments = arguments
    self.runtime = runtime
    self.memoryMB = [memoryMB, runtime.addressableMB].compactMap(\.self).min()
    self.timing = timing
    self.outputLimit = outputLimit
  }

  /// What the guest code is asked for; see the hosts' own pages for its keys.
  /// - Parameter root: the folder whose files are the user's own code, absolute.
  public func request(root: String) -> Data {
    var text =
      #"{"file":\#(Self.quoted(file)),"root":\#(Self.quoted(root)),"#
      + #""function":\#(Self.quoted(function)),"output_limit":\#(outputLimit),"items":10000,"#
    if let memoryMB { text += #""memory_mb":\#(memoryMB),"# }
    if let timing { text += #""timing":\#(timing.request),"# }
    text += #""args":\#(arguments)}"#
    // Two braces stand for themselves, whatever the engine replaces in files; in JSON they are only found
    // in strings.
    return Data(text.replacing("{{", with: #"{\u007b"#).utf8)
  }

  private static func quoted(_ text: String) -> String {
    let data = (try? JSONEncoder().encode(text)) ?? Data("\"\"".utf8)
    return String(decoding: data, as: UTF8.self)
  }
}

/// Why a function gave no result.
public struct FunctionFailure: Error, Hashable, Sendable {
  public enum Kind: String, Sendable, Codable {
    case build = "build_error"
    case runtime = "runtime_error"
    case timeout
    case cpuLimit = "cpu_limit"
    case memoryLimit = "memory_limit"
    case outputLimit = "output_limit"
    case processLimit = "process_limit"
    case permissionDenied = "permission_denied"
    case crashed
    case notFound = "not_found"
    case badArguments = "bad_arguments"
    case unserializable = "unserializable_result"
    case refused
    case sandbox = "sandbox_error"
    /// The user stopped it.
    case interrupted
  }

  /// A name that is there.
  public struct Neighbour: Hashable, Sendable, Codable {
    public let name: String
    public let line: Int?

    public init(name: String, line: Int?) {
      self.name = name
      self.line = line
    }
  }

  public let kind: Kind
  public let message: String
  public let location: SourceLocation?
  /// The names nearest to one that was not found.
  public let near: [Neighbour]
  /// The call of a benchmark in which it failed, from 1, warm-up counted.
  public var iteration: Iteration?

  public struct Iteration: Hashable, Sendable {
    public let number: Int
    /// Whether it may have been a later one, too.
    public let isAtLeast: Bool

    public init(number: Int, isAtLeast: Bool) {
      self.number = number
      self.isAtLeast = isAtLeast
    }
  }

  public init(
    _ kind: Kind, _ message: String, at location: SourceLocation? = nil, near: [Neighbour] = []
  ) {
    self.kind = kind
    self.message = message
    self.location = location
    self.near = near
  }
}

/// The commands that call a function.
public struct FunctionPlan: Sendable {
  public enum Next: Sendable {
    /// - Parameter layers: the walls that the runtime adds to those of the sandbox.
    case call(Invocation, layers: [String])
    /// What only the builds can tell, each as it finished, decides how it goes on.
    case plan(@Sendable ([FinishedInvocation]) throws(FunctionFailure) -> FunctionPlan)
  }

  /// Run first, each only when the one before succeeded; none when nothing must be compiled.
  public let builds: [Invocation]
  public let next: Next

  public init(builds: [Invocation] = [], call: Invocation, layers: [String] = []) {
    self.init(builds: builds, next: .call(call, layers: layers))
  }

  public init(builds: [Invocation], next: Next) {
    self.builds = builds
    self.next = next
  }
}

/// An adapter that can also call single functions of its language.
public protocol FunctionAdapter: RuntimeAdapter {
  /// `Python`.
  var language: String { get }
  /// Endings of the files whose functions it can call, without the dot.
  var functionExtensions: [String] { get }
  var functionRuntimes: Set<FunctionRuntime> { get }
  /// Those of them whose guest code knows `FunctionCall.timing`.
  var timedRuntimes: Set<FunctionRuntime> { get }
  /// How functions are compiled to be timed, such as `release`; nil when they are not compiled.
  var timedBuild: String? { get }

  /// - Throws: `FunctionFailure` when the file alone shows that there is nothing to call.
  func plan(_ call: FunctionCall, _ context: AdapterContext) throws(FunctionFailure) -> FunctionPlan

  /// Understands a build that failed.
  func failure(
    of build: FinishedInvocation, _ call: FunctionCall, _ context: AdapterContext
  ) -> FunctionFailure
}

extension FunctionAdapter {
  public var timedRuntimes: Set<FunctionRuntime> { [] }
  public var timedBuild: String? { nil }

  public func failure(
    of build: FinishedInvocation, _ call: FunctionCall, _ context: AdapterContext
  ) -> FunctionFailure {
    FunctionFailure(
      .build,
      "\(build.invocation.title) failed (\(build.status.text)): "
        + String(decoding: build.stderr.suffix(2000), as: UTF8.self))
  }
}

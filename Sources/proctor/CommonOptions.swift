public import ArgumentParser
import FoundationEssentials
import Glibc
import ProctorAudit
public import ProctorEngine
import ProctorModel

enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
  case json, text, live
}

extension Configuration.Isolation: ExpressibleByArgument {}

/// What every command takes.
struct CommonOptions: ParsableArguments {
  @Option(
    help: "json (the documented contract), text, or live. Default: live on a terminal, else text.")
  var format: OutputFormat?

  @Flag(help: "Answer confirmations ahead. Running tests never asks.")
  var yes = false

  @Option(
    help: ArgumentHelp("Why, for the audit trail (proctor audit).", valueName: "text"))
  var reason: String?

  var settledFormat: OutputFormat {
    format ?? (isatty(STDOUT_FILENO) == 1 && Console.isCapable ? .live : .text)
  }
}

/// What commands that run something take.
struct RunOptions: ParsableArguments {
  @Option(help: "auto, namespaces, bubblewrap or none (bare, said so in the receipt).")
  var isolation: Configuration.Isolation?

  @Flag(help: "Download missing dependencies first, in a step of its own with the network.")
  var fetch = false

  @Option(
    help: ArgumentHelp(
      "Wall-clock limit for the tests of each runner, and for building them.",
      valueName: "seconds"))
  var timeout: Double?

  @Option(
    name: [.short, .long],
    help: ArgumentHelp("Runners at the same time. Default: the machine's cores.", valueName: "n"))
  var jobs: Int?

  func validate() throws {
    try checkSeconds(timeout, of: "--timeout")
    if let jobs, jobs < 1 { throw ValidationError("--jobs takes a number above 0.") }
  }

  var engineOptions: EngineOptions {
    var options = EngineOptions(
      jobs: jobs ?? max(1, ProcessInfo.processInfo.activeProcessorCount),
      environment: ProcessInfo.processInfo.environment)
    options.isolation = isolation
    options.fetch = fetch
    options.timeoutSeconds = timeout
    return options
  }
}

/// What only commands that run tests take.
struct TestOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Wall-clock limit for each test; the others still run.", valueName: "seconds"))
  var testTimeout: Double?

  @Flag(help: "A process for each test: slower, and no test can touch another one's result.")
  var paranoid = false

  @Flag(help: "Keep what tests write to the workspace: snapshots, coverage.")
  var keepWrites = false

  @OptionGroup var reruns: RerunOptions

  func validate() throws {
    try checkSeconds(testTimeout, of: "--test-timeout")
  }

  func engineOptions(_ run: RunOptions) -> EngineOptions {
    var options = run.engineOptions
    reruns.add(to: &options)
    options.testTimeoutSeconds = testTimeout
    options.paranoid = paranoid
    options.keepWrites = keepWrites
    return options
  }

  /// What is on record of them.
  func add(to arguments: inout AuditArguments, _ run: RunOptions) {
    arguments.add("test_timeout", testTimeout)
    arguments.add("paranoid", flag: paranoid)
    arguments.add("keep_writes", flag: keepWrites)
    reruns.add(to: &arguments)
    arguments.add("fetch", flag: run.fetch)
  }
}

/// For commands that can look at the workspace as a patch would make it.
struct PatchOption: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Apply a diff to a private copy first, and use that; - reads it from standard input. The tree on disk is not touched.",
      valueName: "file"))
  var patch: String?

  /// The patch itself, read once.
  func read() -> ReadPatch { ReadPatch(patch) }
}

/// A patch that was given, or why it cannot be read.
struct ReadPatch: Sendable {
  /// nil for none.
  private let candidate: Result<Candidate, EngineError>?

  fileprivate init(_ path: String?) {
    guard let path else {
      candidate = nil
      return
    }
    do {
      candidate = .success(try Candidate.patch(at: path))
    } catch {
      candidate = .failure(error)
    }
  }

  /// nil when there is none.
  var text: String? {
    guard case .success(.patch(_, let data)) = candidate else { return nil }
    return String(decoding: data, as: UTF8.self)
  }

  /// Gives `body` the engine to use, and how what it looks at differs from the workspace.
  func use<Result: Sendable>(
    _ engine: Engine,
    _ body: @Sendable (Engine, CandidateChange?) async throws(EngineError) -> Result
  ) async throws(EngineError) -> Result {
    guard let candidate else { return try await body(engine, nil) }
    return try await engine.withCandidate(try candidate.get()) {
      engine, change throws(EngineError) in try await body(engine, change)
    }
  }
}

/// - Throws: `ValidationError` for what is no time limit.
func checkSeconds(_ seconds: Double?, of option: String) throws {
  if let seconds, !(seconds > 0 && seconds < 1e7) {
    throw ValidationError("\(option) takes a number of seconds above 0.")
  }
}

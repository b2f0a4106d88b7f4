import ArgumentParser
import FoundationEssentials
import ProctorEngine

/// What commands take that serve workspaces for as long as they run.
struct SessionOptions: ParsableArguments {
  @Option(help: "auto, namespaces, bubblewrap, docker, none; wasm or vm for functions only.")
  var isolation: Configuration.Isolation?

  @Option(
    help: ArgumentHelp(
      "Wall-clock limit of each call: for building, and for running. Default: as configured.",
      valueName: "seconds"))
  var timeout: Double?

  @Flag(help: "Answer confirmations ahead: code runs without asking anybody.")
  var yes = false

  func validate() throws { try checkSeconds(timeout, of: "--timeout") }

  /// - Parameter environment: what runs in a workspace may learn of.
  func engineOptions(_ environment: [String: String], _ warmCalls: WarmCalls) -> EngineOptions {
    var options = EngineOptions(
      jobs: max(1, ProcessInfo.processInfo.activeProcessorCount), environment: environment)
    options.isolation = isolation
    options.timeoutSeconds = timeout
    options.warmCalls = warmCalls
    return options
  }
}

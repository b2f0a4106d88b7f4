import ArgumentParser
import FoundationEssentials
import ProctorAudit
import ProctorEngine
import ProctorModel

/// What commands that call a function take.
struct FunctionOptions: ParsableArguments {
  @Argument(help: "The file, in the workspace.")
  var path: String

  @Argument(
    help:
      "The function's name; with its type: Type.method, in Rust Type::function; in Swift also add(_:to:)."
  )
  var function: String

  @Argument(help: "The arguments, as JSON.")
  var arguments = "[]"

  @Option(name: .shortAndLong, help: ArgumentHelp("The workspace.", valueName: "dir"))
  var workspace = "."

  @Option(
    help: "auto, namespaces, bubblewrap, docker, none; wasm (Rust) or vm (Python, JavaScript).")
  var isolation: Configuration.Isolation?

  @Option(help: ArgumentHelp("Wall-clock limit for what is called.", valueName: "seconds"))
  var timeout: Double?

  @OptionGroup var common: CommonOptions

  func validate() throws { try checkSeconds(timeout, of: "--timeout") }

  /// These commands have nothing to show while they go on.
  var format: OutputFormat {
    common.settledFormat == .live ? .text : common.settledFormat
  }

  var engineOptions: EngineOptions {
    var options = EngineOptions(jobs: 1, environment: ProcessInfo.processInfo.environment)
    options.isolation = isolation
    options.timeoutSeconds = timeout
    return options
  }

  /// Asks when that is wanted; nil when the code may run.
  func refusal(_ engine: Engine, _ call: AuditedCall) async -> FunctionFailure? {
    if common.yes {
      call.confirmed(AuditConfirmation(.allowedAhead))
      return nil
    }
    return await Confirmation.refusal(of: function, in: path, arguments, engine, call)
  }

  func command(_ operation: String) -> CommandCall {
    var command = CommandCall(operation, in: workspace, common, engineOptions)
    command.arguments.add("path", path)
    command.arguments.add("function_name", function)
    command.arguments.add("args", text: arguments)
    return command
  }
}

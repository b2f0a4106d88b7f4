import ArgumentParser
import FoundationEssentials
import Glibc
import ProctorEngine
import ProctorFormats
import ProctorModel

struct Exec: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Call one function of a file with JSON arguments, in the sandbox.",
    discussion: """
      Python, JavaScript (TypeScript where node takes it) and Rust. Arguments are a JSON array, or an \
      object of named ones (Python). The limits are those of [execution] in proctor.toml.

      EXAMPLES
        proctor exec src/primes.py first_primes '[4]'
        proctor exec src/primes.py Sieve.below '{"limit": 30}' --yes
        proctor exec src/lib.rs add '[2, 3]' --isolation wasm
        proctor exec src/sum.js total '[[1, 2]]' --isolation vm --format json

      EXIT STATUS
        0 it returned · 1 it failed · 2 wrong arguments, or no such function · 3 did not build
        6 timed out · 7 no sandbox · 8 not confirmed · 130 interrupted
      """)

  @Argument(help: "The file, in the workspace.")
  var path: String

  @Argument(help: "The function's name; with its type: Type.method, in Rust Type::function.")
  var function: String

  @Argument(help: "The arguments, as JSON.")
  var arguments = "[]"

  @Option(name: .shortAndLong, help: ArgumentHelp("The workspace.", valueName: "dir"))
  var workspace = "."

  @Option(
    help: "auto, namespaces, bubblewrap, docker, none; wasm (Rust) or vm (Python, JavaScript).")
  var isolation: Configuration.Isolation?

  @Option(help: ArgumentHelp("Wall-clock limit for the call.", valueName: "seconds"))
  var timeout: Double?

  @OptionGroup var common: CommonOptions

  func validate() throws { try checkSeconds(timeout, of: "--timeout") }

  func run() async throws {
    let format = common.settledFormat
    let answer = Answer(format: format == .live ? .text : format, kind: .function)
    let (yes, path, function, arguments) = (common.yes, path, function, arguments)
    var options = EngineOptions(jobs: 1, environment: ProcessInfo.processInfo.environment)
    options.isolation = isolation
    options.timeoutSeconds = timeout
    let (workspace, settled) = (workspace, options)
    try await answer.give { progress throws(EngineError) in
      let engine = try Engine(workspace: workspace, options: settled)
      if engine.configuration.execution.requireUserConfirmation, !yes,
        let refused = Confirmation.refusal(
          of: "\(function) of \(path)", arguments: arguments,
          isBare: engine.isolation == .none)
      {
        return .function(FunctionAnswer(refused))
      }
      return .function(
        try await engine.execute(
          function, of: path, arguments: arguments,
          base: FileManager.default.currentDirectoryPath, progress: progress))
    }
  }
}

/// Asks the user before code runs.
enum Confirmation {
  /// Characters of the arguments or the code that are shown, of the beginning and of the end.
  private static let shown = 400

  /// - Parameters:
  ///   - what: the function and its file, or what piece of code it is.
  ///   - arguments: or the code itself.
  ///   - isBare: whether it will run without a sandbox.
  /// - Returns: nil when the user agreed.
  static func refusal(of what: String, arguments: String, isBare: Bool) -> FunctionFailure? {
    guard isatty(STDIN_FILENO) == 1, isatty(STDERR_FILENO) == 1 else {
      return FunctionFailure(
        .refused,
        "running code needs a confirmation, and there is no terminal to ask on: give "
          + "--yes, or set require_user_confirmation = false under [execution] in proctor.toml")
    }
    // What comes from a model must not move the cursor.
    let short =
      arguments.count <= 2 * shown
      ? arguments : "\(arguments.prefix(shown)) [...] \(arguments.suffix(shown))"
    Console.error(TextSummary.oneLine(short))
    Console.error(TextSummary.oneLine(what) + (isBare ? ", WITHOUT ISOLATION on this machine" : ""))
    // What was typed before the question is no answer to it.
    tcflush(STDIN_FILENO, TCIFLUSH)
    Console.write(Data("AI wants to execute code. Allow? (y/n) ".utf8), to: STDERR_FILENO)
    let answer = readLine()?.lowercased() ?? ""
    return ["y", "yes"].contains(answer)
      ? nil : FunctionFailure(.refused, "the user did not allow it")
  }
}

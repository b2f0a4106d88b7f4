import ArgumentParser
import FoundationEssentials
import Glibc
import ProctorEngine
import ProctorServer

struct MCP: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mcp",
    abstract: "Serve a workspace to an agent: the Model Context Protocol on stdin and stdout.",
    discussion: """
      Started by the agent's client, which sends one JSON message a line; docs/agents.md has the configuration of \
      the usual ones. Before code runs the user is asked through the client, as require_user_confirmation in \
      proctor.toml wants; running tests never asks. It ends with its input.

      EXAMPLES
        proctor mcp                            this folder
        proctor mcp ~/code/shop                another one
        proctor mcp --isolation bubblewrap     the walls, whatever proctor.toml says
        proctor mcp --yes                      ask nobody before code runs
        claude mcp add proctor -- proctor mcp  tell a client of it

      EXIT STATUS
        0 the input ended, or it was told to stop · 2 wrong usage, or no such folder
      """)

  @Argument(help: "The workspace.")
  var directory = "."

  @Option(
    help: "auto, namespaces, bubblewrap, docker, none; wasm or vm for functions only.")
  var isolation: Configuration.Isolation?

  @Option(
    help: ArgumentHelp(
      "Wall-clock limit of each call: for building, and for running. Default: as configured.",
      valueName: "seconds"))
  var timeout: Double?

  @Flag(help: "Answer confirmations ahead: code runs without asking anybody.")
  var yes = false

  func validate() throws { try checkSeconds(timeout, of: "--timeout") }

  func run() async throws {
    var options = EngineOptions(
      jobs: max(1, ProcessInfo.processInfo.activeProcessorCount),
      environment: ProcessInfo.processInfo.environment)
    options.isolation = isolation
    options.timeoutSeconds = timeout
    let workspace: String
    do {
      (workspace, options.floor) = try MCPSession.settings(of: directory, options)
    } catch {
      Console.error("proctor: \(error.message)\n\(error.resolution)")
      throw ProctorExit(error).code
    }
    let warmCalls = WarmCalls()
    options.warmCalls = warmCalls
    let streams = StandardStreams()
    let session = MCPSession(
      workspace: workspace, options: options, allowsAhead: yes, send: streams.send)
    streams.start()
    await Interruption.cancelling { await session.serve(streams.lines) }
    streams.flush()
    await warmCalls.close()
  }
}

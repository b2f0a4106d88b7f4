import ArgumentParser
import FoundationEssentials
import Glibc
import ProctorAudit
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

  @OptionGroup var session: SessionOptions

  func run() async throws {
    let warmCalls = WarmCalls()
    let options = session.engineOptions(ProcessInfo.processInfo.environment, warmCalls)
    let client: MCPSession
    do {
      let trail = try AuditTrail.of(options.environment) { Console.error("proctor: \($0)") }
      client = try MCPSession(
        directory: directory, options: options, allowsAhead: session.yes, trail: trail)
    } catch {
      Console.error("proctor: \(error.message)\n\(error.resolution)")
      throw ProctorExit(error).code
    }
    let streams = StandardStreams()
    streams.start()
    await Interruption.cancelling { await client.serve(streams.lines, send: streams.send) }
    streams.flush()
    await warmCalls.close()
  }
}

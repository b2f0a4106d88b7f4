import Foundation
import Testing

/// `proctor mcp` as clients see it; Tests/Support/mcp_server.py holds what they do.
@Suite(.serialized) struct MCPTests {
  @Test(arguments: [
    "Handshake", "Stateless", "Garbage", "Ends", "LongRuns", "Confirmation", "Official",
    "ForModels", "Agent", "Reruns",
  ])
  func `clients of both eras`(part: String) throws {
    try PythonScript(name: "mcp_server.py", arguments: [part], environment: "mcp").check()
  }

  @Test func `a workspace that is none`() throws {
    let folder = try TemporaryFolder()
    let outcome = try ProctorProcess(["mcp", "nowhere"], in: folder.path).run()
    #expect(outcome.status == 2)
    #expect(outcome.stdout.isEmpty)
    #expect(outcome.stderr.contains("nowhere"))
  }
}

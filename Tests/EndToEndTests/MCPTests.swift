import Foundation
import Testing

/// `proctor mcp` as clients see it; Tests/Support/mcp_server.py holds what they do.
@Suite(.serialized) struct MCPTests {
  @Test(arguments: [
    "Handshake", "Stateless", "Garbage", "Ends", "LongRuns", "Confirmation", "Official",
    "ForModels", "Agent",
  ])
  func `clients of both eras`(part: String) throws {
    let process = Process()
    process.executableURL = URL(filePath: "\(ProctorProcess.repository)/.cache/mcp/bin/python")
    process.arguments = ["-B", "\(ProctorProcess.repository)/Tests/Support/mcp_server.py", part]
    var environment = ProctorProcess.environment
    environment["PROCTOR"] = ProctorProcess.binary
    process.environment = environment
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let words = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(words)")
    #expect(words.contains("\nRan ") && !words.contains("skipped="), "\(words)")
  }

  @Test func `a workspace that is none`() throws {
    let folder = try TemporaryFolder()
    let outcome = try ProctorProcess(["mcp", "nowhere"], in: folder.path).run()
    #expect(outcome.status == 2)
    #expect(outcome.stdout.isEmpty)
    #expect(outcome.stderr.contains("nowhere"))
  }
}

import Foundation
import Testing

/// The question on a terminal; Tests/Support/prompt.py holds the terminal.
@Suite struct PromptTests {
  @Test func `only yes, to what was shown, is yes`() throws {
    let process = Process()
    process.executableURL = URL(filePath: "\(ProctorProcess.repository)/.cache/python/bin/python")
    process.arguments = ["-B", "\(ProctorProcess.repository)/Tests/Support/prompt.py"]
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
}

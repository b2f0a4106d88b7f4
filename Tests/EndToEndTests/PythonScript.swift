import Foundation
import Testing

/// A script of unittest's below Tests/Support.
struct PythonScript {
  let name: String
  var arguments: [String] = []
  /// Its environment below .cache.
  var environment = "python"
  var variables = ProctorProcess.environment.merging(["PROCTOR": ProctorProcess.binary]) { $1 }

  /// All of it must run and pass.
  func check() throws {
    let process = Process()
    process.executableURL = URL(
      filePath: "\(ProctorProcess.repository)/.cache/\(environment)/bin/python")
    process.arguments =
      ["-B", "\(ProctorProcess.repository)/Tests/Support/\(name)"] + arguments
    process.environment = variables
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

import Foundation

/// Validates answers against the published JSON Schemas with an independent validator.
enum Schema {
  /// - Throws: `FixtureError` with the validator's words when the document does not conform.
  static func validate(_ document: Data, _ schema: String) throws {
    let files = try TemporaryFolder()
    let path = try files.write(document, to: "answer.json")
    let process = Process()
    process.executableURL = URL(filePath: "\(ProctorProcess.repository)/.cache/python/bin/python")
    process.arguments = [
      "\(ProctorProcess.repository)/Tests/Support/validate.py", path,
      "\(ProctorProcess.repository)/docs/schema/\(schema).schema.json",
    ]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let words = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw FixtureError("\(schema): \(String(decoding: words, as: UTF8.self))")
    }
  }
}

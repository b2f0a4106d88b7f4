import Foundation

/// PyPI's jsonschema, an implementation of JSON Schema that is not ours.
enum Validator {
  /// What is wrong with a document in the validator's words; nil when it conforms.
  static func problems(_ document: Data, _ schema: String) throws -> String? {
    let root = Golden.repository.path
    let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).json")
    try document.write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let own = "\(root)/.cache/python/bin/python"
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [
      FileManager.default.isExecutableFile(atPath: own) ? own : "python3",
      "\(root)/Tests/Support/validate.py", file.path, "\(root)/docs/schema/\(schema).schema.json",
    ]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let words = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    let text = String(decoding: words, as: UTF8.self)
    return process.terminationStatus == 0 ? nil : text
  }
}

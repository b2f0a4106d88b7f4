import Foundation
import Testing

/// One call of a function through the command line, and what must come of it.
struct FunctionCall: Sendable, CustomTestStringConvertible {
  var name: String
  var arguments = "[]"
  var isolation = "auto"
  /// The JSON text of the result.
  var result: String?
  var error: String?
  /// Part of the message, or of stdout where there is no error.
  var says: String?
  var line: Int?
  var options: [String] = []

  var testDescription: String {
    "\(name) \(arguments) \(isolation) \(options.joined(separator: " "))"
  }

  private static let exits: [String: Int32] = [
    "build_error": 3, "timeout": 6, "not_found": 2, "bad_arguments": 2, "refused": 8,
    "sandbox_error": 7,
  ]

  @discardableResult
  func check(_ file: String, in workspace: String) throws -> [String: Any] {
    let outcome = try ProctorProcess(
      ["exec", file, name, arguments, "--yes", "--format", "json", "--isolation", isolation]
        + options, in: workspace
    ).run()
    try Schema.validate(outcome.stdout, "execute_function")
    let answer = try outcome.json()
    let comment = Comment(rawValue: "\(testDescription): \(outcome.text)")
    #expect(answer["error_type"] as? String == error, comment)
    #expect(outcome.status == error.map { Self.exits[$0] ?? 1 } ?? 0, comment)
    if let result { #expect(outcome.text.contains("\"result\" : \(result),"), comment) }
    let text = answer[error == nil ? "stdout" : "message"] as? String ?? ""
    if let says { #expect(text.contains(says), comment) }
    if let line {
      #expect(answer["line"] as? Int == line, comment)
      #expect(answer["file"] as? String == file, comment)
    }
    return answer
  }
}

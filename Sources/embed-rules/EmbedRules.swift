import FoundationEssentials

/// Writes the rules of each language, `RULES/<language>/*.yml`, as one document each into a Swift file.
///
/// The examples at the end of a rule are for tests and stay out of the program.
@main struct EmbedRules {
  static func main() throws {
    let arguments = CommandLine.arguments
    guard arguments.count == 3 else { throw WrongUsage() }
    let files = FileManager.default
    let languages = try files.contentsOfDirectory(atPath: arguments[1]).sorted()
    let documents = try languages.filter { !$0.hasSuffix(".swift") }.map { language in
      let folder = "\(arguments[1])/\(language)"
      let rules = try files.contentsOfDirectory(atPath: folder).sorted().map {
        try rule(at: "\(folder)/\($0)")
      }
      return "  \"\(language)\": #\"\"\"\n\(rules.joined(separator: "---\n"))\"\"\"#,\n"
    }
    try "let embeddedRules = [\n\(documents.joined())]\n"
      .write(toFile: arguments[2], atomically: true, encoding: .utf8)
  }

  private static func rule(at path: String) throws -> String {
    let text = try String(contentsOfFile: path, encoding: .utf8)
    return text.firstRange(of: "\n  matches:").map { text[..<$0.lowerBound] + "\n" } ?? text
  }

  private struct WrongUsage: Error, CustomStringConvertible {
    let description = "usage: embed-rules RULES OUTPUT"
  }
}

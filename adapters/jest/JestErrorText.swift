import ProctorModel

/// An error of a whole test file, as transformers, parsers and node word it.
struct JestErrorText {
  let message: String
  let stack: String
  let context: AdapterContext

  private var lines: [String] {
    (message.isEmpty ? stack : message).split(separator: "\n").map { line in
      String(line.trimmingPrefix { $0 == " " || $0 == "●" })
    }.filter { !$0.isEmpty }
  }

  /// The lines that say what is wrong, without jest's advice and code frames.
  var summary: String {
    let advice = [
      "Jest encountered an unexpected token", "Jest failed to parse", "Test suite failed to run",
    ]
    let useful = lines.filter { line in
      !advice.contains { line.hasPrefix($0) } && !(line.hasPrefix("at ") && line.contains(":"))
        && !line.hasPrefix("|")
    }
    if let details = useful.first(where: { $0.hasPrefix("SyntaxError") || $0.contains("error TS") })
    {
      return details
    }
    // A heading alone says nothing where only the first line is shown.
    let isHeading = useful.count > 1 && useful[0].hasSuffix(":")
    let head = isHeading ? ["\(useful[0]) \(useful[1])"] : Array(useful.prefix(1))
    return (head + useful.dropFirst(isHeading ? 2 : 1).prefix(5)).joined(separator: "\n")
  }

  /// - Parameter file: the test file, relative to the workspace, when it is known.
  func location(in file: String?) -> SourceLocation? {
    stackFrame ?? typeScript ?? babel(file) ?? parser ?? file.map { SourceLocation(file: $0) }
  }

  /// `... in /path/package.json`, the first file of the workspace that a complaint names.
  var namedFile: SourceLocation? {
    lines.lazy.flatMap { $0.split(separator: " ") }.first { $0.hasPrefix(context.workspace + "/") }
      .map { SourceLocation(file: context.display(String($0))) }
  }

  /// `at f (/path/file.js:3:5)`, the first one in the user's code.
  private var stackFrame: SourceLocation? {
    for line in stack.split(separator: "\n") where line.contains("at ") {
      let text = line.split(separator: "(").last.map { $0.prefix { $0 != ")" } } ?? line
      let place = text.drop { $0 != "/" }
      if let found = Self.place(place, context), context.isUserCode(found.file) { return found }
    }
    return nil
  }

  /// `src/bad.test.ts:1:7 - error TS2322: ...`
  private var typeScript: SourceLocation? {
    lines.first { $0.contains("error TS") }.flatMap { line in
      Self.place(line.prefix { !$0.isWhitespace }, context)
    }
  }

  /// `SyntaxError: /path/file.js: Unexpected token (2:8)`
  private func babel(_ file: String?) -> SourceLocation? {
    guard
      let line = (lines + stack.split(separator: "\n").map(String.init)).first(where: {
        $0.contains("SyntaxError: ")
      }),
      let open = line.lastIndex(of: "("), let close = line.lastIndex(of: ")"), open < close
    else { return nil }
    let numbers = line[line.index(after: open)..<close].split(separator: ":").compactMap { Int($0) }
    guard numbers.count == 2 else { return nil }
    let named = line.firstRange(of: "SyntaxError: ").map {
      line[$0.upperBound...].prefix { $0 != ":" }
    }
    let path = named.flatMap { $0.hasPrefix("/") ? context.display(String($0)) : nil } ?? file
    // Babel counts columns from 0.
    return path.map { SourceLocation(file: $0, line: numbers[0], column: numbers[1] + 1) }
  }

  /// node's own: the first line of the stack is `/path/file.js:2`.
  private var parser: SourceLocation? {
    for line in (lines + stack.split(separator: "\n").map(String.init)).prefix(12)
    where line.hasPrefix("/") {
      let parts = line.split(separator: ":")
      if parts.count == 2, let number = Int(parts[1]) {
        return SourceLocation(file: context.display(String(parts[0])), line: number)
      }
    }
    return nil
  }

  private static func place(_ text: Substring, _ context: AdapterContext) -> SourceLocation? {
    let parts = text.split(separator: ":")
    guard parts.count >= 3, let column = Int(parts[parts.count - 1]),
      let line = Int(parts[parts.count - 2])
    else { return nil }
    return SourceLocation(
      file: context.display(parts.dropLast(2).joined(separator: ":")), line: line, column: column)
  }
}

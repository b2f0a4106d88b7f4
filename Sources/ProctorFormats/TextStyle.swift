/// How text for people is marked up.
public enum TextStyle: Sendable {
  case plain
  /// Colours of a terminal.
  case ansi

  enum Mark: String {
    case red = "31"
    case green = "32"
    case yellow = "33"
    case faint = "2"
    case bold = "1"
  }

  func mark(_ text: String, _ mark: Mark) -> String {
    self == .ansi ? "\u{1b}[\(mark.rawValue)m\(text)\u{1b}[0m" : text
  }
}

extension String {
  /// Text from tests made safe for a terminal and for logs of CI engines: escape sequences, control characters and
  /// commands are shown, not obeyed. Line ends and tabs stay when `multiline`.
  package func harmless(multiline: Bool) -> String {
    var result = ""
    let text = multiline ? unixLines.joined(separator: "\n") : self
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\n" where multiline, "\t" where multiline: result.unicodeScalars.append(scalar)
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      case "\r": result += "\\r"
      case "\u{1b}": result += "\\e"
      case _ where scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value):
        let digits = String(scalar.value, radix: 16)
        result += "\\x" + (digits.count < 2 ? "0" : "") + digits
      // Overrides of the writing direction make one name look like another; other ends of lines make two of one; what
      // is not seen may still be read, by a model.
      case "\u{202a}"..."\u{202e}", "\u{2066}"..."\u{2069}", "\u{2028}", "\u{2029}", "\u{200b}",
        "\u{200e}",
        "\u{200f}", "\u{061c}", "\u{2060}"..."\u{2064}", "\u{feff}", "\u{e0000}"..."\u{e007f}":
        result += "\\u{\(String(scalar.value, radix: 16))}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result.contains("::") || result.contains("##") ? result.withoutCommands : result
  }

  /// GitHub obeys `::error::` at the start of a line, blanks before it or not, and `##[error]` anywhere; Azure and
  /// TeamCity `##vso[` and `##teamcity[`. A backslash in them shows them.
  private var withoutCommands: String {
    unixLines.map { line in
      var scalars = Array(line.unicodeScalars)
      if let start = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
        scalars[start...].starts(with: "::".unicodeScalars)
      {
        scalars.insert("\\", at: start)
      }
      for index in scalars.indices.dropFirst().reversed()
      where scalars[index] == "#" && scalars[index - 1] == "#"
        && Self.opensCommand(scalars[(index + 1)...])
      {
        scalars.insert("\\", at: index)
      }
      return String(String.UnicodeScalarView(scalars))
    }.joined(separator: "\n")
  }

  private static func opensCommand(_ rest: ArraySlice<Unicode.Scalar>) -> Bool {
    rest.first { !$0.properties.isAlphabetic } == "["
  }

  /// The lines, whatever system wrote their ends: to Swift a carriage return and a line feed are one
  /// character, which is no line feed.
  var unixLines: [String] {
    unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      String(line.last == "\r" ? line.dropLast() : line)
    }
  }

  /// Each line behind a bar, ended: nobody takes it for proctor's own words.
  var quoted: String {
    let lines = unixLines
    return (lines.last == "" ? lines.dropLast() : lines[...]).map { "| \($0)\n" }.joined()
  }

  /// Without the line end it may have.
  var trimmedEnd: String { last == "\n" ? String(dropLast()) : self }

  func indented(by spaces: Int) -> String {
    let pad = String(repeating: " ", count: spaces)
    return split(separator: "\n", omittingEmptySubsequences: false).map { pad + $0 }
      .joined(separator: "\n")
  }
}

/// A span of time for people: `85 ms`, `5.4 s`, `12 min 3 s`.
package func humanTime(_ milliseconds: Double) -> String {
  // Past any run there will be; converting what does not fit an Int would end the process.
  guard milliseconds.isFinite, milliseconds.magnitude < 1e15 else { return "unknown time" }
  if milliseconds.rounded() < 1000 { return "\(Int(milliseconds.rounded())) ms" }
  let tenths = Int((milliseconds / 100).rounded())
  if tenths < 600 { return "\(tenths / 10).\(tenths % 10) s" }
  let seconds = Int((milliseconds / 1000).rounded())
  return "\(seconds / 60) min \(seconds % 60) s"
}

/// Names of modules in the four languages: `os.path`, `fs/promises`, `std::fs`, `Foundation`.
enum ModuleName {
  /// More parts or braces than this are no import that anybody wrote.
  private static let most = 1000

  /// The modules of an import; the braces of Rust are spelled out.
  static func all(in text: String) -> [String] {
    expanded(text[...], depth: 0).map { normal($0) }
  }

  /// Whether a name is the listed module or lies inside it.
  static func name(_ name: String, isIn listed: String) -> Bool {
    let (parts, wanted) = (parts(name), parts(normal(listed)))
    return parts.starts(with: wanted)
  }

  /// Whether a text can be the name of a module.
  static func isName(_ text: String) -> Bool {
    !parts(text).isEmpty && !text.contains { $0.isWhitespace || "*{},;\"'".contains($0) }
  }

  /// `node:fs` and `fs` are one.
  private static func normal(_ name: String) -> String {
    name.hasPrefix("node:") ? String(name.dropFirst("node:".count)) : name
  }

  private static func parts(_ name: String) -> [Substring] {
    name.split { $0 == "." || $0 == "/" || $0 == ":" }
  }

  /// Without its alias, quotes and blanks.
  private static func plain(_ text: Substring) -> String {
    let alias = text.firstRange(of: " as ")?.lowerBound ?? text.endIndex
    return text[..<alias].filter { !$0.isWhitespace && !"\"'`".contains($0) }
  }

  private static func expanded(_ text: Substring, depth: Int) -> [String] {
    guard depth < 20, let open = text.firstIndex(of: "{") else { return [plain(text)] }
    let prefix = text[..<open]
    var (items, nesting, start) = ([Substring](), 0, text.index(after: open))
    for index in text[start...].indices {
      switch text[index] {
      case "{": nesting += 1
      case "}" where nesting > 0: nesting -= 1
      case "," where nesting == 0, "}":
        items.append(text[start..<index])
        start = text.index(after: index)
      default: break
      }
    }
    return items.filter { !$0.isEmpty }.prefix(most)
      .flatMap { expanded(prefix + $0, depth: depth + 1) }.prefix(most).map(\.self)
  }
}

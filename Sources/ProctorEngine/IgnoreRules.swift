/// The `.gitignore` files on the way down to a folder, outermost first.
struct IgnoreRules {
  private struct Rule {
    let pattern: Pattern
    let negated: Bool
    let foldersOnly: Bool
    /// The folder of the `.gitignore`, relative to the workspace, with a trailing slash or empty.
    let base: String
  }

  private var rules: [Rule] = []

  /// Rules as they stand inside `folder` once its own `.gitignore` is read.
  func adding(_ text: String, in folder: String) -> IgnoreRules {
    var result = self
    let base = folder.isEmpty ? "" : folder + "/"
    for line in text.split(whereSeparator: \.isNewline) {
      if let rule = Self.rule(String(line), base: base) { result.rules.append(rule) }
    }
    return result
  }

  /// Git's rule: the last matching pattern decides.
  func ignores(_ path: String, isFolder: Bool) -> Bool {
    for rule in rules.reversed() where path.hasPrefix(rule.base) {
      if rule.foldersOnly && !isFolder { continue }
      let local = String(path.dropFirst(rule.base.count))
      if (try? rule.pattern.matches(local)) == true { return !rule.negated }
    }
    return false
  }

  private static func rule(_ line: String, base: String) -> Rule? {
    var glob = Substring(line)
    while glob.hasSuffix(" ") && !glob.hasSuffix("\\ ") { glob = glob.dropLast() }
    if glob.isEmpty || glob.hasPrefix("#") { return nil }
    let negated = glob.hasPrefix("!")
    if negated { glob = glob.dropFirst() }
    let foldersOnly = glob.hasSuffix("/")
    if foldersOnly { glob = glob.dropLast() }
    let anchored = glob.contains("/")
    if glob.hasPrefix("/") { glob = glob.dropFirst() }
    guard !glob.isEmpty, let pattern = try? Pattern(expression(glob, anchored: anchored)) else {
      return nil
    }
    return Rule(pattern: pattern, negated: negated, foldersOnly: foldersOnly, base: base)
  }

  /// A gitignore glob as a regular expression on the path below its `.gitignore`.
  private static func expression(_ glob: Substring, anchored: Bool) -> String {
    var result = anchored ? "\\A" : "(?:\\A|/)"
    var rest = glob
    while let character = rest.popFirst() {
      switch character {
      case "*" where rest.hasPrefix("*/"):
        rest = rest.dropFirst(2)
        result += "(?:.*/)?"
      case "*" where rest.hasPrefix("*"):
        rest = rest.dropFirst()
        result += ".*"
      case "*": result += "[^/]*"
      case "?": result += "[^/]"
      case "[":
        guard let end = rest.dropFirst().firstIndex(of: "]") else { return result + "\\[" }
        let body = rest[..<end]
        result += body.hasPrefix("!") ? "[^\(body.dropFirst())]" : "[\(body)]"
        rest = rest[rest.index(after: end)...]
      case "\\": if let next = rest.popFirst() { result += quoted(next) }
      default: result += quoted(character)
      }
    }
    return result + "\\z"
  }

  private static func quoted(_ character: Character) -> String {
    character.isLetter || character.isNumber || character == "/" || character == "_"
      ? String(character) : "\\Q\(character)\\E"
  }
}

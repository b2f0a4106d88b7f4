import ProctorRules

/// A grammar of code that can be judged, as ast-grep calls it.
enum CodeSyntax: String, Sendable, CaseIterable {
  case python, javascript, typescript, tsx, rust, swift

  /// By the ending of a file's name; nil when the language is not known.
  init?(file: String) {
    let parts = (file.split(separator: "/").last ?? "").split(separator: ".")
    guard parts.count > 1, let ending = parts.last?.lowercased(),
      let known = Self.allCases.first(where: { $0.endings.contains(ending) })
    else { return nil }
    self = known
  }

  init?(language: String) {
    guard Self.languages.contains(language) else { return nil }
    self.init(rawValue: language)
  }

  /// What users call them.
  static let languages = ["python", "javascript", "typescript", "rust", "swift"]

  var language: String { self == .tsx ? CodeSyntax.typescript.rawValue : rawValue }

  /// The first is the one that ast-grep knows it by.
  var endings: [String] {
    switch self {
    case .python: ["py", "pyw", "pyi"]
    case .javascript: ["js", "mjs", "cjs", "jsx"]
    case .typescript: ["ts", "mts", "cts"]
    case .tsx: ["tsx"]
    case .rust: ["rs"]
    case .swift: ["swift"]
    }
  }

  /// Its rules, in one document.
  var rules: String { RuleLibrary.document(of: rawValue) }
}

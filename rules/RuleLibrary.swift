/// The rules that code is judged by, one file each below this folder.
public enum RuleLibrary {
  /// The rules of a grammar of ast-grep's as one document; empty when there are none. The dialects of
  /// JavaScript share theirs.
  public static func document(of grammar: String) -> String {
    guard ["typescript", "tsx"].contains(grammar) else { return embeddedRules[grammar] ?? "" }
    return (embeddedRules["javascript"] ?? "")
      .replacing("language: javascript", with: "language: \(grammar)")
  }
}

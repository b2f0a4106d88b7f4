import FoundationEssentials
import ProctorModel

/// A match as ast-grep prints it, as far as it is needed; lines and columns are 0-based.
struct RuleMatch: Decodable {
  struct Position: Decodable {
    let line: Int
    let column: Int
  }

  struct Range: Decodable {
    let start: Position
    let end: Position
  }

  struct Variables: Decodable {
    struct Single: Decodable { let text: String }
    let single: [String: Single]
  }

  struct Metadata: Decodable {
    let category: String
    /// nil for rules that only say which modules are imported.
    let severity: RiskLevel?
  }

  let ruleId: String
  let file: String
  let lines: String
  let range: Range
  let message: String
  let metaVariables: Variables?
  let metadata: Metadata

  /// What the rule for syntax errors is called in every language.
  static let parseCategory = "parse"
  static let importCategory = "import"

  /// The modules that an import names.
  var modules: [String] {
    guard metadata.category == Self.importCategory,
      let module = metaVariables?.single["MODULE"]?.text
    else { return [] }
    let name = metaVariables?.single["NAME"].map { "." + $0.text } ?? ""
    return ModuleName.all(in: module + name)
  }
}

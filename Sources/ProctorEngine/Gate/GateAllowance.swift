import ProctorModel

/// The tests that a list of the policy lets through.
struct GateAllowance {
  private let ids: Set<TestID>
  private let patterns: [Pattern]

  /// - Throws: `EngineError` for an invalid pattern.
  init(_ entries: [GatePolicy.Allowed]) throws(EngineError) {
    var ids: Set<TestID> = []
    var patterns: [Pattern] = []
    for entry in entries {
      switch entry {
      case .id(let id): ids.insert(id)
      case .pattern(let source): patterns.append(try Pattern(source))
      }
    }
    self.ids = ids
    self.patterns = patterns
  }

  /// The entry that lets a test through; nil for none.
  /// - Throws: `EngineError` when a pattern is too expensive.
  func entry(for test: GateTest) throws(EngineError) -> String? {
    if ids.contains(test.id) { return test.id.text }
    for pattern in patterns where try pattern.matches(test.fullName) { return pattern.source }
    return nil
  }
}

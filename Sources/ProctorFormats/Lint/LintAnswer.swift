public import FoundationEssentials

/// The answer of `proctor lint-report`.
public struct LintAnswer: Encodable, Sendable {
  enum Status: String, Encodable {
    /// Nothing would be lost.
    case whole
    /// Something would.
    case lossy
    case error
  }

  let status: Status
  var message: String?
  let format: LintFormat?
  let bytes: Int?
  /// Tests, results or entries.
  let items: Int?
  let platforms: [LintPlatform]?
  let findings: [LintFinding]

  public var isLossy: Bool { !findings.isEmpty }

  init(
    format: LintFormat, facts: LintFacts, platforms: [LintPlatform], findings: [LintFinding]
  ) {
    status = findings.isEmpty ? .whole : .lossy
    self.format = format
    bytes = facts.bytes
    items = facts.items
    self.platforms = platforms
    self.findings = findings
  }

  /// Of a file that cannot be looked at.
  public init(failure message: String) {
    status = .error
    self.message = message
    (format, bytes, items, platforms, findings) = (nil, nil, nil, nil, [])
  }

  public var json: Data { ContractJSON.encode(self) }
}

/// Something that a platform would drop, cut or refuse.
public struct LintFinding: Encodable, Sendable {
  /// nil for every one of them.
  let platform: LintPlatform?
  let code: String
  let count: Int
  let message: String
  let examples: [String]?
  let source: String

  init(_ rule: LintRule, _ hit: LintRule.Hit) {
    platform = rule.platform
    code = rule.code
    count = hit.count
    message = hit.message
    examples = hit.examples.nonEmpty
    source = rule.source
  }

  init(unread format: LintFormat, _ platform: LintPlatform) {
    self.platform = platform
    code = "not_read"
    count = 1
    message = "\(platform.rawValue) does not read \(format.rawValue)"
    examples = nil
    source = "the platform's documentation"
  }
}

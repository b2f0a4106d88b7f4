/// The risk of code from its findings, 0 to 100; one more finding, or a worse one, never lowers it.
///
/// The worst finding of each category counts: the worst of all gives the base, each further category adds to it.
/// Many findings of one kind are no more risk than one, several kinds are.
public struct RiskScore: Sendable, Hashable {
  public let value: Int

  /// - Parameter findings: the category and severity of each.
  public init(_ findings: some Sequence<(category: String, severity: RiskLevel)>) {
    let worst = Dictionary(findings.map { ($0.category, $0.severity) }, uniquingKeysWith: max)
    let ordered = worst.values.sorted(by: >)
    guard let first = ordered.first else {
      value = 0
      return
    }
    value = min(100, ordered.dropFirst().reduce(Self.base(first)) { $0 + Self.step($1) })
  }

  public var level: RiskLevel {
    RiskLevel.allCases.last { value >= Self.floor($0) } ?? .low
  }

  /// The lowest score of a level.
  public static func floor(_ level: RiskLevel) -> Int {
    switch level {
    case .low: 0
    case .medium: 25
    case .high: 50
    case .critical: 75
    }
  }

  private static func base(_ severity: RiskLevel) -> Int { floor(severity) + 5 }

  private static func step(_ severity: RiskLevel) -> Int {
    switch severity {
    case .low: 2
    case .medium: 10
    case .high: 12
    case .critical: 15
    }
  }
}

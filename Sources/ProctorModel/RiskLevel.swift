/// How bad a finding is, and how risky code is with all its findings; from the least to the worst.
public enum RiskLevel: String, Sendable, Codable, CaseIterable, Comparable {
  case low, medium, high, critical

  private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }

  public static func < (one: RiskLevel, other: RiskLevel) -> Bool { one.rank < other.rank }
}

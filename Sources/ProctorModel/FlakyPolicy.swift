/// What tests that failed and then passed on the same code mean for a verdict. They are listed in any case.
public enum FlakyPolicy: String, Sendable, Codable, CaseIterable {
  /// A run with such tests is not green.
  case fail
  /// It may be green, and says so loudly.
  case warn
  /// It may be green.
  case pass

  /// The one that lets less through.
  public func noLaxer(than other: FlakyPolicy) -> FlakyPolicy {
    let order = Self.allCases
    return order.first { $0 == self || $0 == other } ?? self
  }
}

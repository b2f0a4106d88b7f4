import Glibc
import ProctorModel

extension GateSlowdown {
  /// Shorter tests are measured too coarsely, and say more of the machine than of the code.
  private static let shortest = 5.0
  /// With fewer tests not even all of them together could be called slower.
  private static let fewest = 7
  /// Chance that is accepted.
  private static let significance = 0.01

  /// - Parameter maxPercent: the margin.
  init(rows: [GateRow], maxPercent: Double) {
    let times = rows.compactMap { row -> (base: Double, head: Double)? in
      guard let base = row.base, let head = row.head, base.outcome == .passed,
        head.outcome == .passed, let before = base.durationMS, let after = head.durationMS,
        before.isFinite, after.isFinite, max(before, after) >= Self.shortest,
        min(before, after) >= 0
      else { return nil }
      return (before, after)
    }
    let slower = times.count { $0.head > $0.base * (1 + maxPercent / 100) }
    self.init(
      tests: times.count, baseMS: times.reduce(0) { $0 + $1.base },
      headMS: times.reduce(0) { $0 + $1.head }, maxPercent: maxPercent, slower: slower,
      pValue: times.count < Self.fewest ? nil : Self.chance(of: slower, among: times.count))
  }

  /// Slower in sum by more than the margin, and too many tests are for it to be chance or the doing of a few.
  var isSlower: Bool {
    guard let pValue, let percent else { return false }
    return percent > maxPercent && pValue < Self.significance
  }

  /// The probability of `hits` or more among `count` where each is as likely as not.
  static func chance(of hits: Int, among count: Int) -> Double {
    guard hits > 0 else { return 1 }
    // By logarithms: binomial coefficients of many tests fit no number.
    var (sum, term) = (0.0, -Double(count) * log(2))
    for k in stride(from: count, through: hits, by: -1) {
      sum += exp(term)
      term += log(Double(k)) - log(Double(count - k + 1))
    }
    return min(1, sum)
  }
}

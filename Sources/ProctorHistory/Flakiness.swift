public import ProctorModel

/// What speaks for a test being flaky: both outcomes on the same code.
///
/// The same code is the same commit with a clean tree, or, without git, files that did not change on this machine.
/// Runs of patched copies and runs without a verdict are no evidence. A retry is an execution like any other.
public struct Flakiness: Hashable, Sendable {
  public struct Interval: Hashable, Sendable {
    public let lower: Double
    public let upper: Double
  }

  public let id: TestID
  /// Executions on code on which it is known to be able to pass.
  public let passes: Int
  public let failures: Int
  /// How often one fails there; nil without any.
  public let probability: Double?
  /// Of the probability, 95 % (Wilson); nil without any.
  public let interval: Interval?
  /// Codes on which it both passed and failed; 0 when nothing speaks for its being flaky.
  public let codes: Int
  /// Codes on which it only failed: it is broken there, or was never lucky.
  public let brokenCodes: Int
  /// When the newest run began in which it failed on a code on which it passed, too; seconds since 1970.
  public let lastSeen: Double?
  /// What went wrong then.
  public let message: String?

  /// An execution of a test.
  struct Trial {
    let code: String
    let date: Double
    let isFailure: Bool
    let message: String?
  }

  init(_ id: TestID, _ trials: [Trial]) {
    self.id = id
    var (passes, failures, codes, broken) = (0, 0, 0, 0)
    var last: Trial?
    for trials in Dictionary(grouping: trials, by: \.code).values {
      let failed = trials.filter(\.isFailure)
      guard failed.count < trials.count else {
        broken += 1
        continue
      }
      passes += trials.count - failed.count
      failures += failed.count
      guard let newest = failed.max(by: { $0.date < $1.date }) else { continue }
      codes += 1
      if newest.date >= last?.date ?? -.infinity { last = newest }
    }
    (self.passes, self.failures, self.codes, brokenCodes) = (passes, failures, codes, broken)
    (lastSeen, message) = (last?.date, last?.message)
    interval = Self.wilson(failures, of: passes + failures)
    probability = interval.map { _ in Double(failures) / Double(passes + failures) }
  }

  /// E. B. Wilson, 1927: it holds for few trials and for shares near 0 and 1, too.
  static func wilson(_ hits: Int, of count: Int) -> Interval? {
    guard count > 0 else { return nil }
    let (n, z) = (Double(count), 1.959_963_984_540_054)
    let share = Double(hits) / n
    let middle = share + z * z / (2 * n)
    let reach = z * (share * (1 - share) / n + z * z / (4 * n * n)).squareRoot()
    let whole = 1 + z * z / n
    return Interval(
      lower: max(0, (middle - reach) / whole), upper: min(1, (middle + reach) / whole))
  }
}

import Glibc

/// The figures of a sample. All in the unit of the values.
public struct SampleStatistics: Hashable, Sendable {
  public struct Interval: Hashable, Sendable {
    public let lower: Double
    public let upper: Double
  }

  /// A bar of a histogram: from `lower`, up to but without `upper`; the last with it.
  public struct Bin: Hashable, Sendable {
    public let lower: Double
    public let upper: Double
    public let count: Int
  }

  public let count: Int
  public let mean: Double
  public let minimum: Double
  public let maximum: Double
  /// With n - 1 as the divisor; nil for a single value.
  public let standardDeviation: Double?
  public let median: Double
  public let p95: Double
  public let p99: Double
  /// Outside of the quartiles by more than 1.5 times their distance (Tukey).
  public let outliers: Int
  /// Those of them that are by more than 3 times.
  public let severeOutliers: Int
  /// 95 %, of the median, by order statistics; nil below six values, which cannot give it.
  public let medianInterval: Interval?
  /// The values, smallest first.
  let values: [Double]

  /// - Returns: nil without values.
  public init?(_ unordered: [Double]) {
    guard !unordered.isEmpty else { return nil }
    let sorted = unordered.sorted()
    values = sorted
    count = sorted.count
    let mean = sorted.reduce(0, +) / Double(sorted.count)
    self.mean = mean
    (minimum, maximum) = (sorted[0], sorted[sorted.count - 1])
    let squares = sorted.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    standardDeviation = sorted.count > 1 ? (squares / Double(sorted.count - 1)).squareRoot() : nil
    median = Self.quantile(0.5, of: sorted)
    p95 = Self.quantile(0.95, of: sorted)
    p99 = Self.quantile(0.99, of: sorted)
    let (lower, upper) = (Self.quantile(0.25, of: sorted), Self.quantile(0.75, of: sorted))
    func beyond(_ factor: Double) -> Int {
      let reach = factor * (upper - lower)
      return sorted.count { $0 < lower - reach || $0 > upper + reach }
    }
    outliers = beyond(1.5)
    severeOutliers = beyond(3)
    medianInterval = Self.medianRank(count: sorted.count).map { rank in
      Interval(lower: sorted[rank], upper: sorted[sorted.count - 1 - rank])
    }
  }

  /// Between the two nearest values, in proportion (type 7 of Hyndman and Fan).
  ///
  /// - Parameter sorted: not empty.
  public static func quantile(_ share: Double, of sorted: [Double]) -> Double {
    let place = share * Double(sorted.count - 1)
    let below = Int(place)
    guard below + 1 < sorted.count else { return sorted[sorted.count - 1] }
    return sorted[below] + (place - Double(below)) * (sorted[below + 1] - sorted[below])
  }

  /// The 0-based rank of the interval's lower end; the upper one is as far from the other end.
  static func medianRank(count: Int) -> Int? {
    // How many of the values are below the median is binomial; the normal distribution is near enough for many.
    guard count <= 1000 else { return Int((Double(count) - 1.96 * Double(count).squareRoot()) / 2) }
    var probability = pow(0.5, Double(count))
    var sum = 0.0
    var rank = -1
    for below in 0..<count {
      sum += probability
      guard sum <= 0.025 else { break }
      rank = below
      probability *= Double(count - below) / Double(below + 1)
    }
    return rank < 0 ? nil : rank
  }

  /// Bars of one width; what lies far above the rest is in a last one.
  public func histogram(bars: Int = 12) -> [Bin] {
    let sorted = values
    let (lower, upper) = (Self.quantile(0.25, of: sorted), Self.quantile(0.75, of: sorted))
    let end = min(maximum, upper + 3 * (upper - lower))
    // Next to nothing can be shared out to nothing.
    let width = bars > 0 ? (end - minimum) / Double(bars) : 0
    guard width > 0 else { return [Bin(lower: minimum, upper: maximum, count: count)] }
    var counts = [Int](repeating: 0, count: bars + 1)
    for value in sorted {
      counts[value > end ? bars : min(bars - 1, Int((value - minimum) / width))] += 1
    }
    var result = (0..<bars).map { bar in
      Bin(
        lower: minimum + Double(bar) * width,
        upper: bar == bars - 1 ? end : minimum + Double(bar + 1) * width, count: counts[bar])
    }
    if counts[bars] > 0 { result.append(Bin(lower: end, upper: maximum, count: counts[bars])) }
    return result
  }
}

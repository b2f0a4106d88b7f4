import Glibc

/// An earlier benchmark, as far as it is compared with.
public struct BenchmarkRecord: Hashable, Sendable {
  public let subject: BenchmarkSubject
  public let machine: MachineFacts
  public let backend: String?
  /// Milliseconds of one call each.
  public let samples: [Double]

  public init(
    subject: BenchmarkSubject, machine: MachineFacts, backend: String?, samples: [Double]
  ) {
    self.subject = subject
    self.machine = machine
    self.backend = backend
    self.samples = samples
  }

  /// Why times of the two say little about each other; empty when nothing is known against it.
  func differences(to old: BenchmarkRecord) -> [String] {
    func note(_ what: String, _ new: String?, _ old: String?) -> String? {
      new == old ? nil : "another \(what): now \(new ?? "unknown"), then \(old ?? "unknown")"
    }
    return [
      note(
        "function", "\(subject.function) of \(subject.path)",
        "\(old.subject.function) of \(old.subject.path)"),
      subject.argumentsFingerprint == old.subject.argumentsFingerprint ? nil : "other arguments",
      note("language", subject.language, old.subject.language),
      subject.language == old.subject.language
        ? note("version", subject.languageVersion, old.subject.languageVersion) : nil,
      note("runtime", subject.runtime.rawValue, old.subject.runtime.rawValue),
      note("build", subject.build, old.subject.build),
      note("isolation", backend, old.backend),
      note("processor", machine.processor, old.machine.processor),
      note("number of processors", "\(machine.processors)", "\(old.machine.processors)"),
      note("architecture", machine.architecture, old.machine.architecture),
    ].compactMap(\.self)
  }
}

/// Whether a function became faster or slower, and on what that rests.
public struct BenchmarkComparison: Hashable, Sendable {
  public enum Verdict: String, Sendable, Codable {
    case faster, slower
    case noDifference = "no_difference"
    /// It cannot be told.
    case unknown
  }

  public let verdict: Verdict
  /// Median now by median then; below 1 is faster. nil when one of them is no time.
  public let ratio: Double?
  /// 95 %, of the ratio, by bootstrap; nil with too few samples, or without a ratio.
  public let interval: SampleStatistics.Interval?
  /// How often a call of now takes longer than one of then; 0.5 for no difference.
  public let probabilitySlower: Double
  /// That ranks differ so much by chance (Mann-Whitney, two-sided; exact for few samples that are far apart).
  public let pValue: Double
  public let oldMedianMS: Double
  public let newMedianMS: Double
  public let oldSamples: Int
  public let newSamples: Int
  /// Ratios of the rounds of two revisions that took turns; empty for one that was measured earlier.
  public let rounds: [Double]
  /// What is compared with: a file or a revision.
  public let baseline: String
  public var warnings: [String]

  /// Ratios nearer to 1 are noise: two processes of the same program differ by that much.
  public static let threshold = 0.05
  /// Samples that each side needs for an interval.
  public static let minimumSamples = 6
  /// With fewer, but these, a verdict needs all samples of one side to be so many times as long as any of the other:
  /// a function that became so slow that the time is up after some calls has not more to show.
  private static let fewestSamples = 2
  private static let farApart = 2.0
  /// Milliseconds: a femtosecond. No call takes less.
  static let shortestMS = 1e-12

  /// - Returns: nil when one side has no samples.
  public init?(_ new: BenchmarkRecord, with old: BenchmarkRecord, named baseline: String) {
    self.init(rounds: [(new.samples, old.samples)], named: baseline)
    warnings += new.differences(to: old)
  }

  /// - Parameter rounds: milliseconds of one call each, now and then, of processes that took turns.
  public init?(rounds: [(new: [Double], old: [Double])], named baseline: String) {
    guard let new = SampleStatistics(rounds.flatMap(\.new)),
      let old = SampleStatistics(rounds.flatMap(\.old))
    else { return nil }
    self.baseline = baseline
    (oldMedianMS, newMedianMS) = (old.median, new.median)
    (oldSamples, newSamples) = (old.count, new.count)
    let pairs = rounds.compactMap { round -> (new: SampleStatistics, old: SampleStatistics)? in
      guard let new = SampleStatistics(round.new), let old = SampleStatistics(round.old),
        old.median >= Self.shortestMS
      else { return nil }
      return (new, old)
    }
    self.rounds = rounds.count > 1 ? pairs.map { $0.new.median / $0.old.median } : []
    let ranks = Self.ranks(new.values, old.values)
    probabilitySlower = ranks.share
    guard min(new.median, old.median) >= Self.shortestMS, pairs.count == rounds.count else {
      (verdict, ratio, interval, pValue) = (.unknown, nil, nil, ranks.pValue)
      warnings = ["cannot be compared: half of the samples of one side are no times"]
      return
    }
    let ratio = new.median / old.median
    self.ratio = ratio
    guard min(new.count, old.count) >= Self.minimumSamples else {
      let chance = Self.chanceOfApartness(new, old)
      let isTold =
        min(new.count, old.count) >= Self.fewestSamples && chance.map { $0 < 0.05 } == true
      (interval, pValue) = (nil, chance ?? ranks.pValue)
      verdict = !isTold ? .unknown : ratio > 1 ? .slower : .faster
      warnings = isTold ? [] : ["too few samples to tell: each side needs \(Self.minimumSamples)"]
      return
    }
    let interval = Bootstrap.ratioInterval(of: pairs)
    (self.interval, pValue) = (interval, ranks.pValue)
    warnings = []
    let isClear = pValue < 0.05
    verdict =
      switch interval {
      case _ where isClear && interval.upper < 1 && ratio < 1 - Self.threshold: .faster
      case _ where isClear && interval.lower > 1 && ratio > 1 + Self.threshold: .slower
      default: .noDifference
      }
  }

  /// The chance that all samples of one side lie on one side of all others, when they do so by far; nil when they do
  /// not. Of all orders of n + m samples, two in (n + m over n) look like that.
  private static func chanceOfApartness(_ new: SampleStatistics, _ old: SampleStatistics) -> Double?
  {
    guard new.minimum >= farApart * old.maximum || old.minimum >= farApart * new.maximum else {
      return nil
    }
    let (few, many) = (min(new.count, old.count), max(new.count, old.count))
    return min(1, (1...few).reduce(2) { $0 * Double($1) / Double(many + $1) })
  }

  /// How often a value of the first is above one of the second (ties count half), and the chance of such ranks.
  static func ranks(_ first: [Double], _ second: [Double]) -> (share: Double, pValue: Double) {
    let (n, m) = (Double(first.count), Double(second.count))
    let all =
      (first.map { ($0, true) } + second.map { ($0, false) }).sorted { $0.0 < $1.0 }
    var rankSum = 0.0
    var ties = 0.0
    var start = 0
    while start < all.count {
      var end = start
      var own = 0
      while end < all.count, all[end].0 == all[start].0 {
        own += all[end].1 ? 1 : 0
        end += 1
      }
      let size = Double(end - start)
      rankSum += Double(own) * (Double(start) + (size + 1) / 2)
      ties += size * size * size - size
      start = end
    }
    let above = rankSum - n * (n + 1) / 2
    let total = n + m
    let variance = n * m / 12 * ((total + 1) - ties / (total * (total - 1)))
    guard variance > 0 else { return (above / (n * m), 1) }
    // With the correction for continuity.
    let distance = max(0, (above - n * m / 2).magnitude - 0.5) / variance.squareRoot()
    return (above / (n * m), erfc(distance / 2.0.squareRoot()))
  }
}

/// Intervals by drawing samples from samples. Always the same for the same samples.
enum Bootstrap {
  static let draws = 4000

  /// 95 % of the ratio of medians: rounds are drawn first, for processes differ more than calls of one.
  static func ratioInterval(
    of rounds: [(new: SampleStatistics, old: SampleStatistics)]
  ) -> SampleStatistics.Interval {
    var random = SplitMix64(state: 0x70_726f_6374_6f72)
    let ratios = (0..<draws).map { _ in
      let logarithms = rounds.indices.map { _ in
        let round = rounds[Int.random(in: rounds.indices, using: &random)]
        return log(median(round.new, &random)) - log(median(round.old, &random))
      }
      return exp(SampleStatistics.quantile(0.5, of: logarithms.sorted()))
    }.sorted()
    return .init(
      lower: SampleStatistics.quantile(0.025, of: ratios),
      upper: SampleStatistics.quantile(0.975, of: ratios))
  }

  /// The median of a sample drawn with replacement, without drawing it: the middle one of n random ranks is
  /// distributed as Beta((n + 1) / 2, (n + 1) / 2).
  private static func median(_ sample: SampleStatistics, _ random: inout SplitMix64) -> Double {
    let shape = Double(sample.count + 1) / 2
    let (first, second) = (gamma(shape, &random), gamma(shape, &random))
    let rank = Int(Double(sample.count) * first / (first + second))
    return max(sample.values[min(sample.count - 1, rank)], BenchmarkComparison.shortestMS)
  }

  /// Marsaglia and Tsang 2000, for shapes of at least 1.
  private static func gamma(_ shape: Double, _ random: inout SplitMix64) -> Double {
    let d = shape - 1.0 / 3
    let c = 1 / (9 * d).squareRoot()
    while true {
      let uniform = Double.random(in: Double.leastNormalMagnitude..<1, using: &random)
      let normal =
        (-2 * log(uniform)).squareRoot()
        * cos(2 * .pi * Double.random(in: 0..<1, using: &random))
      let v = (1 + c * normal) * (1 + c * normal) * (1 + c * normal)
      guard v > 0 else { continue }
      let accept = Double.random(in: Double.leastNormalMagnitude..<1, using: &random)
      if log(accept) < normal * normal / 2 + d - d * v + d * log(v) { return d * v }
    }
  }
}

/// Steele, Lea and Flood 2014: small, and the same everywhere.
struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

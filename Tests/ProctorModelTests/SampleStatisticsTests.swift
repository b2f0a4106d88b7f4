import Testing

@testable import ProctorModel

@Suite struct SampleStatisticsTests {
  @Test func `figures of known numbers`() throws {
    // The quartiles are 3 and 7 (type 7), so that all from -3 to 13 is ordinary, and from -9 to 19 not severe.
    let figures = try #require(SampleStatistics([5, 1, 2, 3, 4, 6, 7, 15, 30]))
    #expect(figures.median == 5)
    #expect((figures.minimum, figures.maximum) == (1, 30))
    #expect((figures.mean - 73.0 / 9).magnitude < 1e-12)
    // numpy.std(ddof=1), numpy.percentile
    #expect((figures.standardDeviation! - 9.1712).magnitude < 1e-3)
    #expect((figures.p95 - 24).magnitude < 1e-9)
    #expect((figures.p99 - 28.8).magnitude < 1e-9)
    #expect((figures.outliers, figures.severeOutliers) == (2, 1))
  }

  @Test func `one value has no spread, and none no figures`() throws {
    #expect(SampleStatistics([]) == nil)
    let figures = try #require(SampleStatistics([2]))
    #expect(figures.standardDeviation == nil && figures.medianInterval == nil)
    #expect((figures.median, figures.p99) == (2, 2))
    #expect(figures.histogram() == [.init(lower: 2, upper: 2, count: 1)])
  }

  @Test(arguments: [(5, nil), (6, 0), (8, 0), (9, 1), (20, 5), (100, 39), (1000, 468)])
  func `the interval of the median`(count: Int, rank: Int?) {
    // From tables of the sign test: the lower end is the (rank + 1)th of the values.
    #expect(SampleStatistics.medianRank(count: count) == rank)
  }

  @Test func `the approximation for many goes on where the exact one ends`() throws {
    let exact = try #require(SampleStatistics.medianRank(count: 1000))
    let near = try #require(SampleStatistics.medianRank(count: 1001))
    #expect((0...1).contains(near - exact))
  }

  @Test func `a histogram counts everything`() throws {
    let values = (0..<100).map { Double($0) } + [100_000]
    let bins = try #require(SampleStatistics(values)).histogram()
    #expect(bins.reduce(0) { $0 + $1.count } == 101)
    #expect(bins.last?.count == 1 && bins.last?.upper == 100_000)
  }

  @Test func `times too small to be divided are one bar`() throws {
    let bins = try #require(SampleStatistics([0, 5e-324])).histogram()
    #expect(bins == [.init(lower: 0, upper: 5e-324, count: 2)])
  }

  private func normal(_ centre: Double, _ count: Int, seed: UInt64) -> [Double] {
    var random = SplitMix64(state: seed)
    return (0..<count).map { _ in
      centre
        * (1 + (0..<12).reduce(-6) { sum, _ in sum + Double.random(in: 0..<1, using: &random) }
          * 0.03)
    }
  }

  @Test(arguments: [
    (1.0, 1.0, BenchmarkComparison.Verdict.noDifference), (1.0, 1.02, .noDifference),
    (1.0, 1.2, .slower), (1.2, 1.0, .faster),
  ])
  func `verdicts`(old: Double, new: Double, verdict: BenchmarkComparison.Verdict) throws {
    let comparison = try #require(
      BenchmarkComparison(
        rounds: [(normal(new, 500, seed: 1), normal(old, 500, seed: 2))], named: "old"))
    #expect(comparison.verdict == verdict)
    let interval = try #require(comparison.interval)
    let ratio = try #require(comparison.ratio as Double?)
    #expect(interval.lower <= ratio && ratio <= interval.upper)
    #expect(interval.lower < new / old && new / old < interval.upper)
    #expect(interval.upper - interval.lower < 0.05)
  }

  @Test func `few samples give no verdict`() throws {
    let comparison = try #require(
      BenchmarkComparison(rounds: [([1, 1, 1], [9, 9, 9])], named: "old"))
    #expect(comparison.verdict.rawValue == "unknown")
    #expect(comparison.warnings.count == 1)
  }

  @Test(arguments: [
    ([900, 900, 901], "slower"), ([4, 5], "slower"), ([0.1, 0.2], "faster"),
    ([900], "unknown"), ([3, 900, 900], "unknown"), ([1, 1], "unknown"), ([0, 0], "unknown"),
    ([0, 0, 0, 0, 0, 0, 0], "unknown"), ([5e-324, 5e-324], "unknown"),
  ])
  func `few samples tell only what lies far apart`(new: [Double], verdict: String) throws {
    let old = (0..<1000).map { 1 + Double($0) / 1000 }
    let comparison = BenchmarkComparison(rounds: [(new, old)], named: "old")
    #expect(comparison?.verdict.rawValue == verdict)
    #expect(comparison?.warnings.isEmpty == (verdict != "unknown"))
    #expect(try #require(comparison).pValue <= (verdict == "unknown" ? 1 : 0.001))
  }

  @Test func `rounds that contradict each other give no verdict`() throws {
    let rounds = [1.5, 0.7, 1.4, 0.6, 1.1, 0.9].enumerated().map { index, factor in
      (
        new: normal(factor, 100, seed: UInt64(index)),
        old: normal(1, 100, seed: UInt64(index + 50))
      )
    }
    let comparison = try #require(BenchmarkComparison(rounds: rounds, named: "old"))
    #expect(comparison.verdict == .noDifference)
    #expect(comparison.rounds.count == 6)
  }

  @Test func `ranks`() {
    // scipy.stats.mannwhitneyu([1, 2, 3, 4, 5], [3, 4, 5, 6, 7, 8], method="asymptotic")
    let (share, chance) = BenchmarkComparison.ranks([1, 2, 3, 4, 5], [3, 4, 5, 6, 7, 8])
    #expect((share - 4.5 / 30).magnitude < 1e-12)
    #expect((chance - 0.0660).magnitude < 1e-3)
    #expect(BenchmarkComparison.ranks([1, 1], [1, 1]).pValue == 1)
  }
}

@Suite struct MeasurementTests {
  private func measurement(calls: Int, batch: Int, _ batches: [Double]) -> Measurement {
    Measurement(
      batchSize: batch, calls: calls, warmupCalls: 1, isWarm: true, clockNanoseconds: 50,
      collector: "none", runtime: nil, batches: batches)
  }

  @Test func `samples are of one call`() {
    let measured = measurement(calls: 25, batch: 10, [1e7, 2e7, 5e6])
    #expect(measured.flaw(durationMS: 100) == nil)
    #expect(measured.samples == [1, 2, 1])
  }

  @Test(arguments: [
    (25, 10, [1e6, 1e6]), (20, 10, [1e6, 1e6, 1e6]), (0, 1, []), (1, 1, [-1]), (1, 1, [1e9]),
    (1, 0, [1]),
  ])
  func `what cannot be is no measurement`(calls: Int, batch: Int, batches: [Double]) {
    #expect(measurement(calls: calls, batch: batch, batches).flaw(durationMS: 100) != nil)
  }

  @Test func `a budget ends before its limits`() {
    let timing = FunctionTiming(
      iterations: nil, limits: ResourceLimits(wallSeconds: 10, cpuSeconds: 5))
    #expect((timing.wallMS, timing.processorMS) == (7900, 3900))
    #expect(FunctionTiming(iterations: 1, limits: ResourceLimits(wallSeconds: 0.01)).wallMS == 0)
  }
}

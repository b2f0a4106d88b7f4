import Glibc

extension Comparison {
  /// One function, timed in a candidate and in the workspace by turns.
  public struct Benchmark: Sendable {
    public enum Outcome: Sendable {
      case compared(BenchmarkComparison)
      case failed(FunctionFailure)
      /// Why, in a sentence.
      case notRun(String)
    }

    /// As it was asked for.
    public let name: String
    public let outcome: Outcome

    public init(name: String, outcome: Outcome) {
      self.name = name
      self.outcome = outcome
    }
  }
}

extension Comparison.Row {
  /// Geometric mean of the ratios that are faster or slower; below 1 is faster, 1 when none is. nil when nothing was timed.
  public var speedRatio: Double? {
    let isTimed = benchmarks.contains { if case .compared = $0.outcome { true } else { false } }
    guard isTimed else { return nil }
    let logarithms = benchmarks.compactMap { benchmark -> Double? in
      guard case .compared(let comparison) = benchmark.outcome,
        [.faster, .slower].contains(comparison.verdict)
      else { return nil }
      return comparison.ratio.map(log)
    }
    guard !logarithms.isEmpty else { return 1 }
    return exp(logarithms.reduce(0, +) / Double(logarithms.count))
  }
}

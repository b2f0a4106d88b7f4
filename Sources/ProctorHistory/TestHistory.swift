public import ProctorModel
public import ProctorStorage

/// What the history has of one test.
public struct TestHistory: Hashable, Sendable {
  /// How long it took lately, beside before.
  public struct Trend: Hashable, Sendable {
    /// Median milliseconds of the newest executions that passed.
    public let recentMS: Double
    /// And of those before them.
    public let earlierMS: Double

    /// Executions: of the newest, and at least of those before.
    private static let (recent, fewest) = (5, 3)
    /// Of those before.
    private static let earlier = 20

    /// - Parameter durations: the newest first.
    init?(_ durations: [Double]) {
      let newest = durations.prefix(Self.recent).sorted()
      let before = durations.dropFirst(Self.recent).prefix(Self.earlier).sorted()
      guard before.count >= Self.fewest else { return nil }
      recentMS = SampleStatistics.quantile(0.5, of: newest)
      earlierMS = SampleStatistics.quantile(0.5, of: before)
    }
  }

  public let test: HistoryTest
  /// The newest first.
  public let attempts: [RecordedAttempt]
  /// Whether the limit left older ones out.
  public let areMore: Bool
  /// nil where too few executions passed.
  public let trend: Trend?
  /// nil when it never ran.
  public let flakiness: Flakiness?
}

extension History {
  /// Tests by their id, their full name or its last part, the first of these that any has; as `run_test` does.
  public func tests(named name: String) throws(StorageError) -> [HistoryTest] {
    let all = try tests()
    let kinds: [(HistoryTest) -> Bool] = [
      { $0.id.text == name }, { $0.id.fullName == name || $0.name == name },
      { TestID.lastPart(of: $0.id.fullName) == name || TestID.lastPart(of: $0.name) == name },
    ]
    return kinds.lazy.map { all.filter($0) }.first { !$0.isEmpty } ?? []
  }

  /// - Parameter limit: of attempts; the trend looks at more.
  public func history(
    of test: HistoryTest, _ filter: HistoryFilter, limit: Int
  ) throws(StorageError) -> TestHistory {
    let attempts = try attempts(of: test.id, filter, limit: max(limit + 1, 60))
    let durations = attempts.filter { !$0.run.code.isPatched && $0.attempt.outcome == .passed }
      .compactMap(\.attempt.durationMS)
    return TestHistory(
      test: test, attempts: Array(attempts.prefix(limit)), areMore: attempts.count > limit,
      trend: TestHistory.Trend(durations), flakiness: try flakiness(test.id, filter))
  }
}

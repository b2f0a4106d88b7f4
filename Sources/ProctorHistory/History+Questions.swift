import GRDB
public import ProctorModel
public import ProctorStorage

/// What became of the tests of a commit.
public struct CommitOutcomes: Hashable, Sendable {
  /// The run that says so; whether it was complete, of everything and of clean code, is for the caller to look at.
  public let run: HistoryRun
  /// Of each test all attempts, in their order; the last one is its outcome.
  public let attempts: [TestID: [HistoryAttempt]]

  /// Whether it says of each test of that commit what became of it.
  public var isWhole: Bool { run.isComplete && run.isOfEverything && run.code.isClean == true }

  public func outcome(of id: TestID) -> Outcome? { attempts[id]?.last?.outcome }
}

extension History {
  // MARK: runs

  /// The newest first.
  public func runs(
    _ filter: HistoryFilter = HistoryFilter(), limit: Int = 100
  ) throws(StorageError) -> [HistoryRun] {
    try reading { try RunRow.all(filter, limit: limit, in: $0).map(\.run) } ?? []
  }

  /// The newest run before another one that was asked for the same, on the same branch; patched ones left out.
  public func previous(of run: HistoryRun) throws(StorageError) -> HistoryRun? {
    try reading { database in
      let filter = HistoryFilter(branch: run.code.branch)
      return try RunRow.all(
        filter,
        also: """
          run.patched = 0 AND run.date < ? AND run.key <> ?
          AND operation.value = ? AND selection.value IS ?
          """, with: [Int64((run.date * 1000).rounded()), run.key, run.operation, run.selection],
        limit: 1, in: database
      ).first?.run
    } ?? nil
  }

  /// What became of the tests of a commit: the newest run that says it of all of them, else the newest of any kind.
  ///
  /// Runs of patched copies, and of trees that are known not to be the commit's, do not count.
  /// - Parameter commit: all of its digits.
  public func outcomes(commit: String) throws(StorageError) -> CommitOutcomes? {
    try reading { database in
      let runs = try RunRow.all(
        HistoryFilter(),
        also: "run.revision = ? AND run.patched = 0 AND run.clean IS NOT 0",
        with: [commit], in: database)
      let whole = runs.first {
        $0.run.isComplete && $0.run.isOfEverything && $0.run.code.isClean == true
      }
      guard let (number, run) = whole ?? runs.first else { return nil }
      return CommitOutcomes(run: run, attempts: try Self.attempts(run: number, database))
    } ?? nil
  }

  private static func attempts(
    run: Int64, _ database: Database
  ) throws -> [TestID: [HistoryAttempt]] {
    var result: [TestID: [HistoryAttempt]] = [:]
    let cursor = try Row.fetchCursor(
      database,
      sql: """
        SELECT \(AttemptRow.columns), test.value AS id FROM attempt
        JOIN test ON test.id = attempt.test \(AttemptRow.joins)
        WHERE attempt.run = ? ORDER BY attempt.test, attempt.number
        """, arguments: [run])
    while let row = try cursor.next() {
      result[TestID(text: row["id"]), default: []].append(AttemptRow.attempt(row))
    }
    return result
  }

  // MARK: tests

  /// Every test that the history knows.
  public func tests() throws(StorageError) -> [HistoryTest] {
    try reading { database in
      try Row.fetchAll(database, sql: "SELECT value, name FROM test ORDER BY value").map {
        HistoryTest(id: TestID(text: $0[0]), name: $0[1])
      }
    } ?? []
  }

  /// What became of a test, the newest run first, in each the last attempt first.
  /// - Parameter limit: of attempts.
  public func attempts(
    of id: TestID, _ filter: HistoryFilter = HistoryFilter(), limit: Int = 100
  ) throws(StorageError) -> [RecordedAttempt] {
    try reading { database in
      guard let test = try Self.number(of: id, database) else { return [] }
      var result: [RecordedAttempt] = []
      let statement = try database.cachedStatement(
        sql: """
          SELECT \(AttemptRow.columns) FROM attempt \(AttemptRow.joins)
          WHERE attempt.run = ? AND attempt.test = ? ORDER BY attempt.number DESC
          """)
      for (number, run) in try RunRow.all(filter, in: database) where result.count < limit {
        let rows = try Row.fetchAll(statement, arguments: [number, test])
        result += rows.map { RecordedAttempt(run: run, attempt: AttemptRow.attempt($0)) }
      }
      return Array(result.prefix(limit))
    } ?? []
  }

  static func number(of id: TestID, _ database: Database) throws -> Int64? {
    try Int64.fetchOne(
      database, sql: "SELECT id FROM test WHERE value = ?", arguments: [id.text])
  }

  /// The ids of tests by their numbers.
  private static func ids(_ database: Database) throws -> [Int64: TestID] {
    var result: [Int64: TestID] = [:]
    let cursor = try Row.fetchCursor(database, sql: "SELECT id, value FROM test")
    while let row = try cursor.next() { result[row[0]] = TestID(text: row[1]) }
    return result
  }

  // MARK: times

  /// What each test is expected to take, in milliseconds: the median of its last passing executions; of failing ones
  /// where it never passed. Tests of which no time is known are not in it.
  public func durations() throws(StorageError) -> [TestID: Double] {
    let known = try slowest().map { ($0.id, $0.medianMS) }
    return Dictionary(known) { first, _ in first }
  }

  /// The tests that take longest by their median, the slowest first.
  public func slowest(
    _ filter: HistoryFilter = HistoryFilter()
  ) throws(StorageError) -> [TestDuration] {
    try reading { database in
      let ids = try Self.ids(database)
      let sorted = try DurationSamples<Int64>(filter, database).values.mapValues { $0.sorted() }
      let medians = sorted.mapValues { SampleStatistics.quantile(0.5, of: $0) }
      let all = medians.values.reduce(0, +)
      return sorted.compactMap { number, values -> TestDuration? in
        guard let id = ids[number], let median = medians[number] else { return nil }
        return TestDuration(
          id: id, medianMS: median, p95MS: SampleStatistics.quantile(0.95, of: values),
          share: all > 0 ? median / all : 0, samples: values.count)
      }.sorted { ($1.medianMS, $0.id) < ($0.medianMS, $1.id) }
    } ?? []
  }

  // MARK: flaky tests

  /// What speaks for and against a test's being flaky; nil when it never ran.
  public func flakiness(
    _ id: TestID, _ filter: HistoryFilter = HistoryFilter()
  ) throws(StorageError) -> Flakiness? {
    try reading { database in
      guard let test = try Self.number(of: id, database) else { return nil }
      let trials = try Self.trials("attempt.test = \(test)", filter, database)
      return trials[test].map { Flakiness(id, $0) }
    } ?? nil
  }

  /// The tests that have shown both outcomes on the same code, those first that are surest to fail often.
  public func flaky(
    _ filter: HistoryFilter = HistoryFilter()
  ) throws(StorageError) -> [Flakiness] {
    try reading { database in
      let suspects = """
        attempt.test IN (SELECT test FROM attempt WHERE outcome IN (\(Outcome.failedCodes)))
        """
      let ids = try Self.ids(database)
      return try Self.trials(suspects, filter, database).compactMap { number, trials in
        ids[number].map { Flakiness($0, trials) }
      }.filter { $0.codes > 0 }.sorted { first, second in
        (second.interval?.lower ?? 0, first.id) < (first.interval?.lower ?? 0, second.id)
      }
    } ?? []
  }

  /// Executions that are evidence, by the test's number.
  private static func trials(
    _ condition: String, _ filter: HistoryFilter, _ database: Database
  ) throws -> [Int64: [Flakiness.Trial]] {
    let runs = try RunRow.all(filter, in: database).filter(\.run.isEvidence)
    var result: [Int64: [Flakiness.Trial]] = [:]
    let statement = try database.cachedStatement(
      sql: """
        SELECT attempt.test, attempt.outcome, message.value FROM attempt
        LEFT JOIN text message ON message.id = attempt.message
        WHERE attempt.run = ? AND \(condition)
        """)
    for (number, run) in runs {
      guard let code = run.codeIdentity else { continue }
      let cursor = try Row.fetchCursor(statement, arguments: [number])
      while let row = try cursor.next() {
        guard let outcome = Outcome(code: row[1]), outcome != .skipped else { continue }
        result[row[0], default: []].append(
          Flakiness.Trial(
            code: code, date: run.date, isFailure: outcome.countsAsFailed, message: row[2]))
      }
    }
    return result
  }
}

/// An attempt in its table.
enum AttemptRow {
  static let columns = """
    attempt.number, attempt.outcome, attempt.duration, message.value AS message,
    file.value AS file, attempt.line
    """
  static let joins = """
    LEFT JOIN text message ON message.id = attempt.message
    LEFT JOIN text file ON file.id = attempt.file
    """

  /// - Parameter row: with `columns`.
  static func attempt(_ row: Row) -> HistoryAttempt {
    HistoryAttempt(
      number: row["number"], outcome: Outcome(code: row["outcome"]) ?? .errored,
      durationMS: (row["duration"] as Int64?).map { Double($0) / 1000 }, message: row["message"],
      location: (row["file"] as String?).map { SourceLocation(file: $0, line: row["line"]) })
  }
}

import GRDB
import ProctorModel

/// Attempts on their way into the file.
struct AttemptRows {
  private let run: Int64
  private let database: Database
  private var texts: HistoryTexts

  init(run: Int64, _ database: Database) {
    self.run = run
    self.database = database
    texts = HistoryTexts(database)
  }

  mutating func insert(_ results: [TestResult]) throws {
    var numbered: [(test: Int64, attempts: [Attempt])] = []
    numbered.reserveCapacity(results.count)
    for result in results {
      let test = HistoryTest(id: result.test.id, name: result.test.name)
      numbered.append((try number(of: test), result.executions))
    }
    // In the order of the table: each page is filled once.
    numbered.sort { $0.test < $1.test }
    for (test, attempts) in numbered {
      for (index, attempt) in attempts.enumerated() {
        try insert(HistoryAttempt(attempt, number: index + 1), of: test)
      }
    }
  }

  mutating func insert(_ attempts: [HistoryAttempt], of test: HistoryTest) throws {
    let number = try number(of: test)
    for attempt in attempts { try insert(attempt, of: number) }
  }

  private mutating func insert(_ attempt: HistoryAttempt, of test: Int64) throws {
    try database.cachedStatement(
      sql: """
        INSERT INTO attempt (run, test, number, outcome, duration, message, file, line)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        """
    ).execute(arguments: [
      run, test, attempt.number, attempt.outcome.code, Microseconds.of(attempt.durationMS),
      try texts.number(of: attempt.message), try texts.number(of: attempt.location?.file),
      attempt.location?.line,
    ])
  }

  private func number(of test: HistoryTest) throws -> Int64 {
    let found = try Int64.fetchOne(
      database.cachedStatement(sql: "SELECT id FROM test WHERE value = ?"),
      arguments: [test.id.text])
    if let found { return found }
    try database.cachedStatement(sql: "INSERT INTO test (value, name) VALUES (?, ?)")
      .execute(arguments: [test.id.text, test.name])
    return database.lastInsertedRowID
  }
}

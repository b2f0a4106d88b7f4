import GRDB
public import ProctorModel

/// How long tests took in the last runs.
struct DurationSamples {
  /// Runs that are looked at, and values of each test.
  private static let (mostRuns, mostValues) = (50, 20)
  /// Rows that are looked at: a bound of time where runs are large.
  private static let mostRows = 500_000

  /// Milliseconds by the test's number, the newest first: when it passed; where it never did, when it did not.
  private(set) var values: [Int64: [Double]] = [:]

  /// - Throws: what reading the file throws.
  init(_ filter: HistoryFilter, _ database: Database) throws {
    var failed: [Int64: [Double]] = [:]
    var rows = 0
    let statement = try database.cachedStatement(
      sql: "SELECT test, outcome, duration FROM attempt WHERE run = ? AND duration IS NOT NULL")
    for run in try Self.runs(filter, database) where rows < Self.mostRows {
      let cursor = try Row.fetchCursor(statement, arguments: [run])
      while let row = try cursor.next() {
        rows += 1
        guard let outcome = Outcome(code: row[1]), outcome != .skipped else { continue }
        let (test, milliseconds) = (row[0] as Int64, Double(row[2] as Int64) / 1000)
        if outcome == .passed {
          Self.add(milliseconds, test, &values)
        } else {
          Self.add(milliseconds, test, &failed)
        }
      }
    }
    values.merge(failed) { passed, _ in passed }
  }

  private static func add(_ value: Double, _ test: Int64, _ values: inout [Int64: [Double]]) {
    values[test, default: []].append(value)
    if values[test, default: []].count > mostValues { values[test]?.removeLast() }
  }

  /// The newest first; a patched copy's times say nothing of the workspace.
  private static func runs(_ filter: HistoryFilter, _ database: Database) throws -> [Int64] {
    let (conditions, arguments) = RunRow.conditions(filter)
    let condition = (["run.patched = 0"] + conditions).joined(separator: " AND ")
    return try Int64.fetchAll(
      database,
      sql: "SELECT id FROM run WHERE \(condition) ORDER BY date DESC, id DESC LIMIT \(mostRuns)",
      arguments: arguments)
  }
}

/// What a test takes, by its last runs.
public struct TestDuration: Hashable, Sendable {
  public let id: TestID
  /// Milliseconds.
  public let medianMS: Double
  public let p95MS: Double
  /// Of the sum of all tests' medians, from 0 to 1.
  public let share: Double
  /// Executions that are looked at.
  public let samples: Int
}

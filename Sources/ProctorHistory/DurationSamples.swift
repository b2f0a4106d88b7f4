import GRDB
public import ProctorModel

/// How long tests took in the last runs, by their ids or what else stands for them.
struct DurationSamples<Test: Hashable> {
  /// Values of each test.
  private static var mostValues: Int { 20 }
  /// Runs that are looked at.
  static var mostRuns: Int { 50 }
  /// Attempts after which no further run is looked at: a bound of time where runs are large.
  static var mostRows: Int { 500_000 }

  private var passed: [Test: [Double]] = [:]
  private var failed: [Test: [Double]] = [:]

  /// Milliseconds, the newest first: when it passed; where it never did, when it did not.
  var values: [Test: [Double]] { passed.merging(failed) { passed, _ in passed } }

  /// The middle of each test's values, sorted.
  var medians: [Test: Double] {
    values.mapValues { SampleStatistics.quantile(0.5, of: $0.sorted()) }
  }

  /// Takes what was before all that is known.
  fileprivate mutating func add(_ milliseconds: Double, _ outcome: Outcome, of test: Test) {
    switch outcome {
    case .skipped: return
    case .passed: Self.add(milliseconds, test, &passed)
    default: Self.add(milliseconds, test, &failed)
    }
  }

  private static func add(_ value: Double, _ test: Test, _ values: inout [Test: [Double]]) {
    guard values[test, default: []].count < mostValues else { return }
    values[test, default: []].append(value)
  }
}

extension DurationSamples where Test == Int64 {
  /// - Throws: what reading the file throws.
  init(_ filter: HistoryFilter, _ database: Database) throws {
    self.init()
    var rows = 0
    let statement = try database.cachedStatement(
      sql: "SELECT test, outcome, duration FROM attempt WHERE run = ? AND duration IS NOT NULL")
    for run in try Self.runs(filter, database) where rows < Self.mostRows {
      let cursor = try Row.fetchCursor(statement, arguments: [run])
      while let row = try cursor.next() {
        rows += 1
        guard let outcome = Outcome(code: row[1]) else { continue }
        add(Double(row[2] as Int64) / 1000, outcome, of: row[0])
      }
    }
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

extension DurationSamples where Test == TestID {
  /// Of an exported history, which is read twice; a run that it has several times counts once.
  init(_ reader: inout HistoryReader) throws(HistoryLineProblem) {
    self.init()
    var wanted = Self.newest(try Self.runs(&reader))
    reader.rewind()
    var runs = [[(test: TestID, attempt: HistoryAttempt)]](repeating: [], count: wanted.count)
    var place: Int?
    while let line = try reader.next() {
      switch line {
      case .run(let run): place = wanted.removeValue(forKey: run.key)
      case .test(let test, let attempts):
        if let place { runs[place] += attempts.map { (test.id, $0) } }
      case .header, .end, .eof: break
      }
    }
    for (test, attempt) in runs.joined() {
      if let milliseconds = attempt.durationMS { add(milliseconds, attempt.outcome, of: test) }
    }
  }

  private struct Run {
    let key: String
    let date: Double
    var rows = 0
  }

  private static func runs(_ reader: inout HistoryReader) throws(HistoryLineProblem) -> [Run] {
    var (runs, known, counts): ([Run], Set<String>, Bool) = ([], [], false)
    while let line = try reader.next() {
      switch line {
      case .run(let run):
        counts = !run.code.isPatched && known.insert(run.key).inserted
        if counts { runs.append(Run(key: run.key, date: run.date)) }
      case .test(_, let attempts) where counts:
        runs[runs.count - 1].rows += attempts.count { $0.durationMS != nil }
      case .test, .header, .end, .eof: break
      }
    }
    return runs
  }

  /// The places of those that are looked at, the newest first, by their keys.
  private static func newest(_ runs: [Run]) -> [String: Int] {
    let sorted = runs.enumerated().sorted {
      ($0.element.date, $0.offset) > ($1.element.date, $1.offset)
    }.prefix(mostRuns).map(\.element)
    var rows = 0
    let chosen = sorted.prefix { run in
      defer { rows += run.rows }
      return rows < mostRows
    }
    return Dictionary(uniqueKeysWithValues: zip(chosen.map(\.key), 0...))
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

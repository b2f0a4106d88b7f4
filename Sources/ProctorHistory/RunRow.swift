import FoundationEssentials
import GRDB
import ProctorModel

/// A run in its table.
enum RunRow {
  /// - Returns: its number; nil when it is there already.
  static func insert(_ run: HistoryRun, _ database: Database) throws -> Int64? {
    let isKnown = try Int.fetchOne(
      database, sql: "SELECT 1 FROM run WHERE key = ?", arguments: [run.key])
    guard isKnown == nil else { return nil }
    var texts = HistoryTexts(database)
    try database.execute(
      sql: """
        INSERT INTO run (key, date, operation, selection, status, reason, duration, passed, failed,
          skipped, complete, everything, revision, branch, clean, state, patched, machine,
          environment)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
      arguments: [
        run.key, Int64((run.date * 1000).rounded()), texts.number(of: run.operation),
        texts.number(of: run.selection), texts.number(of: run.status),
        texts.number(of: run.reason), Microseconds.of(run.durationMS) ?? 0, run.counts.passed,
        run.counts.failed, run.counts.skipped, run.isComplete, run.isOfEverything,
        run.code.commit, texts.number(of: run.code.branch), run.code.isClean, run.code.state,
        run.code.isPatched, texts.number(of: run.machine),
        texts.number(of: encoded(run.environment)),
      ])
    return database.lastInsertedRowID
  }

  /// Of a query for runs: `WHERE` and what follows may name columns of `run`.
  static let selection = """
    SELECT run.id, run.key, run.date, operation.value AS operation, selection.value AS selection,
      status.value AS status, reason.value AS reason, run.duration, run.passed, run.failed,
      run.skipped, run.complete, run.everything, run.revision, branch.value AS branch, run.clean,
      run.state, run.patched, machine.value AS machine, environment.value AS environment
    FROM run
      LEFT JOIN text operation ON operation.id = run.operation
      LEFT JOIN text selection ON selection.id = run.selection
      LEFT JOIN text status ON status.id = run.status
      LEFT JOIN text reason ON reason.id = run.reason
      LEFT JOIN text branch ON branch.id = run.branch
      LEFT JOIN text machine ON machine.id = run.machine
      LEFT JOIN text environment ON environment.id = run.environment
    """

  /// Conditions that a filter makes.
  static func conditions(_ filter: HistoryFilter) -> (sql: [String], arguments: StatementArguments)
  {
    var (sql, arguments): ([String], StatementArguments) = ([], [])
    if let branch = filter.branch {
      sql.append("run.branch = (SELECT id FROM text WHERE value = ?)")
      arguments += [branch]
    }
    if let since = filter.since {
      sql.append("run.date >= ?")
      arguments += [Int64((since * 1000).rounded())]
    }
    return (sql, arguments)
  }

  /// Runs with their numbers, the newest first.
  /// - Parameter also: a condition on columns of `run`.
  static func all(
    _ filter: HistoryFilter, also: String? = nil, with more: StatementArguments = [],
    limit: Int? = nil, in database: Database
  ) throws -> [(number: Int64, run: HistoryRun)] {
    var (conditions, arguments) = conditions(filter)
    if let also {
      conditions.append(also)
      arguments += more
    }
    let condition = conditions.isEmpty ? "" : "WHERE \(conditions.joined(separator: " AND "))"
    let end = limit.map { "LIMIT \($0)" } ?? ""
    return try Row.fetchAll(
      database, sql: "\(selection) \(condition) ORDER BY run.date DESC, run.id DESC \(end)",
      arguments: arguments
    ).map { ($0["id"], run($0)) }
  }

  /// - Parameter row: of a query that begins with `selection`.
  static func run(_ row: Row) -> HistoryRun {
    HistoryRun(
      key: row["key"], date: Double(row["date"] as Int64) / 1000,
      operation: row["operation"] ?? "", selection: row["selection"], status: row["status"] ?? "",
      reason: row["reason"], durationMS: Double(row["duration"] as Int64) / 1000,
      counts: HistoryRun.Counts(
        passed: row["passed"], failed: row["failed"], skipped: row["skipped"]),
      isComplete: row["complete"], isOfEverything: row["everything"],
      code: CodeOrigin(
        commit: row["revision"], branch: row["branch"], isClean: row["clean"],
        state: row["state"], isPatched: row["patched"]),
      machine: row["machine"] ?? "", environment: decoded(row["environment"]))
  }

  private static func encoded(_ environment: HistoryRun.Environment) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(environment), as: UTF8.self)
  }

  private static func decoded(_ text: String?) -> HistoryRun.Environment {
    let found = text.flatMap {
      try? JSONDecoder().decode(HistoryRun.Environment.self, from: Data($0.utf8))
    }
    return found ?? HistoryRun.Environment(os: nil, architecture: nil, ci: false, tools: [:])
  }
}

/// Times as the file has them: whole microseconds.
enum Microseconds {
  /// nil for what is no span of time.
  static func of(_ milliseconds: Double?) -> Int64? {
    guard let milliseconds, milliseconds.isFinite, milliseconds >= 0, milliseconds < 1e12 else {
      return nil
    }
    return Int64((milliseconds * 1000).rounded())
  }
}

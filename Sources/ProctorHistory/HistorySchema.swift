import GRDB
import ProctorModel

/// The tables of a history. What was once released is never edited: later changes are migrations of their own.
enum HistorySchema {
  static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("1") { try $0.execute(sql: tables) }
    return migrator
  }

  /// Times in microseconds, dates in milliseconds since 1970.
  ///
  /// Attempts are in the order of their runs, so that a run is written at the end of the file and removed from its
  /// beginning, and no page is written for one row. One test's are found run by run.
  private static let tables = """
    -- Each text once: branches, machines, messages, files.
    CREATE TABLE text (id INTEGER PRIMARY KEY NOT NULL, value TEXT NOT NULL UNIQUE);
    CREATE TABLE test (
      id INTEGER PRIMARY KEY NOT NULL, value TEXT NOT NULL UNIQUE, name TEXT NOT NULL
    );
    CREATE TABLE run (
      id INTEGER PRIMARY KEY NOT NULL,
      key TEXT NOT NULL UNIQUE,
      date INTEGER NOT NULL,
      operation INTEGER NOT NULL,
      selection INTEGER,
      status INTEGER NOT NULL,
      reason INTEGER,
      duration INTEGER NOT NULL,
      passed INTEGER NOT NULL,
      failed INTEGER NOT NULL,
      skipped INTEGER NOT NULL,
      complete INTEGER NOT NULL,
      everything INTEGER NOT NULL,
      revision TEXT,
      branch INTEGER,
      clean INTEGER,
      state TEXT,
      patched INTEGER NOT NULL,
      machine INTEGER NOT NULL,
      environment INTEGER NOT NULL
    );
    CREATE INDEX run_date ON run (date);
    CREATE INDEX run_revision ON run (revision);
    CREATE TABLE attempt (
      run INTEGER NOT NULL,
      test INTEGER NOT NULL,
      number INTEGER NOT NULL,
      outcome INTEGER NOT NULL,
      duration INTEGER,
      message INTEGER,
      file INTEGER,
      line INTEGER,
      PRIMARY KEY (run, test, number)
    ) WITHOUT ROWID;
    """
}

extension Outcome {
  /// In the file; never to be changed.
  private static let codes: [Outcome] = [
    .passed, .failed, .skipped, .errored, .timedOut, .crashed,
  ]

  var code: Int { Self.codes.firstIndex(of: self) ?? 0 }

  /// nil for a number that is none.
  init?(code: Int) {
    guard Self.codes.indices.contains(code) else { return nil }
    self = Self.codes[code]
  }

  /// The codes of outcomes that count as failed, for SQL.
  static let failedCodes = codes.filter(\.countsAsFailed).map { "\($0.code)" }
    .joined(separator: ", ")
}

import GRDB

/// The tables of the trail. What was once released is never edited: later changes are migrations of their own.
enum AuditSchema {
  static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("1") { database in
      try database.execute(sql: tables)
      try database.execute(
        sql: "INSERT INTO anchor (number, hash, pruned_at) VALUES (0, ?, ?)",
        arguments: [AuditEntry.nothing, AuditClock.now])
      try database.execute(sql: guards)
    }
    return migrator
  }

  private static let tables = """
    CREATE TABLE entry (
      number INTEGER PRIMARY KEY NOT NULL,
      kind TEXT NOT NULL,
      call INTEGER,
      at TEXT NOT NULL,
      door TEXT,
      operation TEXT,
      workspace TEXT,
      status TEXT,
      arguments TEXT,
      content TEXT NOT NULL,
      previous BLOB NOT NULL,
      hash BLOB NOT NULL
    );
    CREATE UNIQUE INDEX entry_end ON entry (call) WHERE kind IN ('ended', 'lost');
    -- The last entry that was pruned: the chain goes on from it. One row.
    CREATE TABLE anchor (number INTEGER NOT NULL, hash BLOB NOT NULL, pruned_at TEXT NOT NULL);
    -- Calls that have not ended, and who makes them: found without reading the whole chain.
    CREATE TABLE open_call (call INTEGER PRIMARY KEY NOT NULL, process TEXT NOT NULL);
    """

  /// Who only has a slip of the hand is refused here; who removes the guards first is found by the chain.
  private static let guards = """
    CREATE TRIGGER entry_is_final BEFORE UPDATE ON entry
    BEGIN SELECT RAISE(ABORT, 'entries of the audit trail are never changed'); END;
    CREATE TRIGGER entry_stays BEFORE DELETE ON entry
    WHEN OLD.number > (SELECT number FROM anchor)
    BEGIN SELECT RAISE(ABORT, 'entries of the audit trail are never removed'); END;
    CREATE TRIGGER entry_is_next BEFORE INSERT ON entry
    WHEN NEW.number <> 1 + COALESCE((SELECT max(number) FROM entry), (SELECT number FROM anchor))
    BEGIN SELECT RAISE(ABORT, 'entries of the audit trail are added at its end'); END;
    CREATE TRIGGER anchor_moves_on BEFORE UPDATE ON anchor WHEN NEW.number < OLD.number
    BEGIN SELECT RAISE(ABORT, 'what was pruned does not come back'); END;
    CREATE TRIGGER anchor_stays BEFORE DELETE ON anchor
    BEGIN SELECT RAISE(ABORT, 'the audit trail has one anchor'); END;
    CREATE TRIGGER anchor_is_one BEFORE INSERT ON anchor
    BEGIN SELECT RAISE(ABORT, 'the audit trail has one anchor'); END;
    """
}

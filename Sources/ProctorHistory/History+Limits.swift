import GRDB

extension History {
  /// Of the size that is allowed, what is left after pruning: so that it is not done with each run.
  private static let remainder = 0.8
  /// Pages that are given back to the disk with one run.
  private static let pagesGivenBack = 8192

  /// Removes the oldest runs where the limits want it; the newest one always stays.
  /// - Parameter now: seconds since 1970.
  func prune(_ queue: DatabaseQueue, now: Double) throws {
    let limit = limits.maxMegabytes << 20
    let cutoff = Int64((now - Double(limits.keepDays) * 86_400) * 1000)
    let isDue = try queue.inDatabase { database in
      let oldest = try Int64.fetchOne(database, sql: "SELECT min(date) FROM run")
      return try (oldest ?? cutoff) < cutoff || Self.bytes(database) > limit
    }
    guard isDue else { return }
    try Self.write(queue) { database in
      let runs = try Row.fetchAll(
        database,
        sql: "SELECT id, date, passed + failed + skipped AS size FROM run ORDER BY date, id")
      let surplus = try surplus(runs.map { $0["size"] ?? 0 }, limit, database)
      for (index, run) in runs.dropLast().enumerated()
      where index < surplus || (run["date"] as Int64) < cutoff {
        try Self.remove(run["id"], database)
      }
      try Self.removeUnused(database)
    }
    try queue.inDatabase {
      try $0.execute(sql: "PRAGMA incremental_vacuum(\(Self.pagesGivenBack))")
    }
  }

  /// How many of the oldest runs have to go for the size.
  /// - Parameter sizes: of the runs, the oldest first, in tests.
  private func surplus(_ sizes: [Int], _ limit: Int, _ database: Database) throws -> Int {
    let bytes = try Self.bytes(database)
    guard bytes > limit else { return 0 }
    // A run has a row of its own, too.
    let all = sizes.reduce(0) { $0 + $1 + 1 }
    var kept = Int(Double(all) * Self.remainder * Double(limit) / Double(bytes))
    let fitting = sizes.reversed().prefix { size in
      kept -= size + 1
      return kept >= 0
    }
    return sizes.count - fitting.count
  }

  private static func remove(_ run: Int64, _ database: Database) throws {
    try database.execute(sql: "DELETE FROM attempt WHERE run = ?", arguments: [run])
    try database.execute(sql: "DELETE FROM run WHERE id = ?", arguments: [run])
  }

  /// Tests and texts that no run has any more.
  private static func removeUnused(_ database: Database) throws {
    try database.execute(sql: "DELETE FROM test WHERE id NOT IN (SELECT test FROM attempt)")
    let columns =
      ["message", "file"].map { "SELECT \($0) FROM attempt WHERE \($0) IS NOT NULL" }
      + ["operation", "selection", "status", "reason", "branch", "machine", "environment"].map {
        "SELECT \($0) FROM run WHERE \($0) IS NOT NULL"
      }
    try database.execute(
      sql: "DELETE FROM text WHERE id NOT IN (\(columns.joined(separator: " UNION ")))")
  }

  /// What runs take, without what is free to be used again.
  private static func bytes(_ database: Database) throws -> Int {
    func number(_ pragma: String) throws -> Int {
      try Int.fetchOne(database, sql: "PRAGMA \(pragma)") ?? 0
    }
    return try (number("page_count") - number("freelist_count")) * number("page_size")
  }
}

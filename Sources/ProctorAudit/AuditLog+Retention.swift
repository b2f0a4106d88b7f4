import FoundationEssentials
import GRDB

extension AuditLog {
  /// Between two looks at what has become too old.
  private static let interval = 24.0 * 3600
  /// Of the size that is allowed, what is left after pruning: so that it is not done with each call.
  private static let remainder = 0.8

  /// Removes the oldest entries where the settings want it; the chain goes on from the last one removed.
  ///
  /// Nothing is removed from the first call on that has not ended.
  func prune(_ settings: AuditSettings, isDue: Bool = false) throws {
    let (looked, size) = try queue.inDatabase { database in
      (
        try String.fetchOne(database, sql: "SELECT pruned_at FROM anchor").flatMap(AuditClock.date),
        try Self.bytes(database)
      )
    }
    let limit = settings.maxMegabytes << 20
    let isOld = isDue || looked.map { $0 < Date() - Self.interval } ?? true
    guard isOld || size > limit else { return }
    let cutoff = AuditClock.text(Date() - Double(settings.retentionDays) * 86_400)
    _ = try write { database -> AuditHead.Position? in
      try database.execute(sql: "UPDATE anchor SET pruned_at = ?", arguments: [AuditClock.now])
      let byAge = try Self.end(ofOlderThan: cutoff, database)
      let bySize = size > limit ? try Self.end(ofSurplus: size, limit, database) : 0
      let open =
        try Int64.fetchOne(database, sql: "SELECT min(call) FROM open_call").map { $0 - 1 }
      let end = min(max(byAge, bySize), open ?? .max)
      return try self.remove(to: end, cause: bySize > byAge ? .size : .age, database)
    }
  }

  private func remove(
    to end: Int64, cause: PrunedRecord.Cause, _ database: Database
  ) throws -> AuditHead.Position? {
    guard
      let start = try Int64.fetchOne(database, sql: "SELECT min(number) FROM entry"), start <= end,
      let hash = try Data.fetchOne(
        database, sql: "SELECT hash FROM entry WHERE number = ?", arguments: [end])
    else { return nil }
    let record = PrunedRecord(from: start, to: end, hash: hash.hexadecimal, cause: cause)
    let position = try append(.pruned, to: database, content: try Self.json(record))
    try database.execute(sql: "UPDATE anchor SET number = ?, hash = ?", arguments: [end, hash])
    try database.execute(sql: "DELETE FROM entry WHERE number <= ?", arguments: [end])
    return position
  }

  /// Entries are in the order of their times, unless somebody set the clock: then less is removed.
  private static func end(ofOlderThan cutoff: String, _ database: Database) throws -> Int64 {
    let first = try Int64.fetchOne(
      database, sql: "SELECT number FROM entry WHERE at >= ? ORDER BY number LIMIT 1",
      arguments: [cutoff])
    return try first.map { $0 - 1 } ?? last(database).number
  }

  private static func end(
    ofSurplus size: Int, _ limit: Int, _ database: Database
  ) throws -> Int64 {
    let count = try Int.fetchOne(database, sql: "SELECT count(*) FROM entry") ?? 0
    let kept = Int(Double(count) * remainder * Double(limit) / Double(size))
    return try last(database).number - Int64(kept)
  }

  /// What entries take, without what is free to be used again.
  private static func bytes(_ database: Database) throws -> Int {
    func number(_ pragma: String) throws -> Int {
      try Int.fetchOne(database, sql: "PRAGMA \(pragma)") ?? 0
    }
    return try (number("page_count") - number("freelist_count")) * number("page_size")
  }
}

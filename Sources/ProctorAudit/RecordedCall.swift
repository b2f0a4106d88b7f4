import FoundationEssentials
import GRDB

/// A call put together from the entries about it.
struct RecordedCall: Sendable {
  let begun: AuditEntry
  /// nil while it goes on, or when nobody knows.
  let end: AuditEntry?

  var status: String { end?.status ?? "running" }

  var beginning: BegunRecord? { Self.decoded(begun) }
  var ending: EndedRecord? { end.flatMap(Self.decoded) }

  private static func decoded<Content: Decodable>(_ entry: AuditEntry) -> Content? {
    try? JSONDecoder().decode(Content.self, from: Data(entry.content.utf8))
  }
}

extension AuditLog {
  /// Calls, the newest first.
  /// - Returns: also whether there are more.
  func calls(_ filter: AuditFilter) throws -> (list: [RecordedCall], areMore: Bool) {
    var conditions = ["entry.kind = 'begun'"]
    var values: [(any DatabaseValueConvertible)?] = []
    func want(_ condition: String, _ value: (any DatabaseValueConvertible)?) {
      guard let value else { return }
      conditions.append(condition)
      values.append(value)
    }
    want("entry.door = ?", filter.door?.rawValue)
    want("entry.operation = ?", filter.operation)
    want("entry.workspace = ?", filter.workspace)
    want("entry.at >= ?", filter.since)
    want("entry.number < ?", filter.before)
    want("COALESCE(last.status, 'running') = ?", filter.status)
    let found = try calls(where: conditions, values, most: filter.limit + 1)
    return (Array(found.prefix(filter.limit)), found.count > filter.limit)
  }

  /// - Parameter number: of the call, or of any entry about it.
  func call(_ number: Int64) throws -> RecordedCall? {
    try calls(
      where: [
        "entry.kind = 'begun'",
        "entry.number = COALESCE((SELECT call FROM entry WHERE number = ?), 0)",
      ], [number], most: 1
    ).first
  }

  private func calls(
    where conditions: [String], _ values: [(any DatabaseValueConvertible)?], most: Int
  ) throws -> [RecordedCall] {
    let begun = AuditEntry.columns.split(separator: ", ").map { "entry.\($0)" }
    let sql = """
      SELECT \(begun.joined(separator: ", ")), last.number AS end_number FROM entry
      LEFT JOIN entry AS last ON last.call = entry.number AND last.kind IN ('ended', 'lost')
      WHERE \(conditions.joined(separator: " AND ")) ORDER BY entry.number DESC LIMIT \(most)
      """
    return try queue.inDatabase { database in
      try Row.fetchAll(database, sql: sql, arguments: StatementArguments(values)).map { row in
        let end = try Int64.fromDatabaseValue(row["end_number"]).flatMap { number in
          try Row.fetchOne(
            database, sql: "SELECT \(AuditEntry.columns) FROM entry WHERE number = ?",
            arguments: [number])
        }
        return RecordedCall(begun: AuditEntry(row), end: end.map(AuditEntry.init))
      }
    }
  }
}

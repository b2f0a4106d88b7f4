import GRDB

/// The texts of a history, each of which is there once.
struct HistoryTexts {
  private let database: Database
  private var known: [String: Int64] = [:]

  init(_ database: Database) { self.database = database }

  /// The number of a text, which is added when it is new; nil for none.
  mutating func number(of text: String?) throws -> Int64? {
    guard let text else { return nil }
    if let number = known[text] { return number }
    let number = try find(text) ?? add(text)
    // Messages may all be different.
    if known.count < 10_000 { known[text] = number }
    return number
  }

  private func find(_ text: String) throws -> Int64? {
    try Int64.fetchOne(
      database.cachedStatement(sql: "SELECT id FROM text WHERE value = ?"), arguments: [text])
  }

  private func add(_ text: String) throws -> Int64 {
    try database.cachedStatement(sql: "INSERT INTO text (value) VALUES (?)")
      .execute(arguments: [text])
    return database.lastInsertedRowID
  }
}

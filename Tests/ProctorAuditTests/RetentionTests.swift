import Foundation
import GRDB
import Testing

@testable import ProctorAudit

@Suite struct RetentionTests {
  /// Makes a trail whose first entries are old, as if the clock had been there then.
  private func aged(_ fixture: AuditFixture, old: Int64, of count: Int) throws -> AuditLog {
    let log = try fixture.log()
    for _ in 0..<count { try fixture.call(log) }
    let queue = log.queue
    try queue.writeWithoutTransaction { database in
      try database.execute(sql: "DROP TRIGGER entry_is_final")
      let rows = try Row.fetchAll(
        database, sql: "SELECT \(AuditEntry.columns) FROM entry ORDER BY number")
      var previous = AuditEntry.nothing
      for entry in rows.map(AuditEntry.init) {
        let at = entry.number <= old ? "2020-01-01T00:00:00.000Z" : entry.at
        let moved = AuditEntry(
          number: entry.number, kind: entry.kind, call: entry.call, at: at, door: entry.door,
          operation: entry.operation, workspace: entry.workspace, status: entry.status,
          arguments: entry.arguments, content: entry.content, previous: previous)
        previous = moved.hash
        try database.execute(
          sql: "UPDATE entry SET at = ?, previous = ?, hash = ? WHERE number = ?",
          arguments: [at, moved.previous, moved.hash, entry.number])
      }
      try database.execute(
        sql:
          "CREATE TRIGGER entry_is_final BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'never'); END"
      )
    }
    try FileManager.default.removeItem(atPath: log.head.path)
    let last = try queue.inDatabase { try AuditLog.last($0) }
    log.head.move(to: last)
    #expect(try log.verify().status == .intact)
    return log
  }

  @Test func `what is old goes from the beginning, and the chain still holds`() throws {
    let fixture = try AuditFixture()
    let log = try aged(fixture, old: 5, of: 4)
    try log.prune(AuditSettings(), isDue: true)
    let found = try log.verify()
    #expect(found.status == .intact)
    #expect(found.pruned_to == 5)
    #expect(found.first == 6)
    // Calls 6 and 8 are left, and the entry that says what was pruned.
    #expect(try log.calls(AuditFilter()).list.map(\.begun.number) == [8, 6])
    #expect(found.entries == 5)
    try fixture.call(log)
    // Nothing more is old.
    try log.prune(AuditSettings(), isDue: true)
    #expect(try log.verify().entries == 7)
    #expect(try fixture.log().verify().status == .intact)
  }

  @Test func `a call that goes on is kept, and all after it`() throws {
    let fixture = try AuditFixture()
    let log = try aged(fixture, old: 9, of: 4)
    try log.queue.write {
      try $0.execute(
        sql: "INSERT INTO open_call (call, process) VALUES (4, ?)",
        arguments: [ProcessIdentity.own.text])
    }
    try log.prune(AuditSettings(), isDue: true)
    let found = try log.verify()
    #expect(found.pruned_to == 3)
    #expect(found.status == .intact)
  }

  @Test func `a trail does not grow without bounds`() throws {
    let fixture = try AuditFixture()
    let log = try fixture.log()
    var settings = AuditSettings()
    settings.maxMegabytes = 1
    let long = String(repeating: "many words ", count: 150)
    for index in 0..<700 {
      try fixture.call(log, arguments: #"{"a": "\#(long)\#(index)"}"#)
      try log.prune(settings)
    }
    let found = try log.verify()
    #expect(found.status == .intact)
    #expect((found.pruned_to ?? 0) > 100)
    #expect(found.entries > 300)
    let size = try log.queue.inDatabase { database in
      try Int.fetchOne(database, sql: "PRAGMA page_count") ?? 0
    }
    #expect(size * 4096 < 2 << 20)
  }

  @Test func `pruning that no entry speaks of is found`() throws {
    let fixture = try AuditFixture()
    let log = try aged(fixture, old: 5, of: 4)
    try log.prune(AuditSettings(), isDue: true)
    try fixture.tamper(
      "UPDATE anchor SET number = 7, hash = (SELECT hash FROM entry WHERE number = 7); DELETE FROM entry WHERE number < 8"
    )
    #expect(try log.verify().problem?.finding == .removed)
  }
}

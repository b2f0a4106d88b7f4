import Foundation
import GRDB
import Testing

@testable import ProctorAudit

@Suite struct AuditLogTests {
  @Test func `a call is begun, ended, and found again`() throws {
    let fixture = try AuditFixture()
    let log = try fixture.log()
    let first = try fixture.call(log, arguments: #"{"path": "a.py", "n": 12345678901234567890123}"#)
    let second = try fixture.call(log, "benchmark", status: "error")
    let all = try log.calls(AuditFilter())
    #expect(all.list.map(\.begun.number) == [second, first])
    #expect(all.list.map(\.status) == ["error", "passed"])
    #expect(!all.areMore)
    #expect(all.list[1].begun.arguments == #"{"path":"a.py","n":12345678901234567890123}"#)
    #expect(all.list[1].beginning?.reason == "why")
    #expect(try log.verify().status == .intact)
    // Of its end, too.
    #expect(try log.call(first + 1)?.begun.number == first)
    #expect(try log.call(999) == nil)
  }

  @Test func `filters`() throws {
    let fixture = try AuditFixture()
    let log = try fixture.log()
    for index in 0..<6 {
      try fixture.call(
        log, index < 4 ? "run_test" : "benchmark", status: index == 0 ? "failed" : "passed")
    }
    func count(_ change: (inout AuditFilter) -> Void) throws -> Int {
      var filter = AuditFilter()
      change(&filter)
      return try log.calls(filter).list.count
    }
    #expect(try count { $0.operation = "benchmark" } == 2)
    #expect(try count { $0.status = "failed" } == 1)
    #expect(try count { $0.status = "running" } == 0)
    #expect(try count { $0.door = .http } == 0)
    #expect(try count { $0.door = .mcp } == 6)
    #expect(try count { $0.workspace = "/other" } == 0)
    var recent = AuditFilter()
    var future = AuditFilter()
    #expect([recent.setSince("1h"), future.setSince("2999-01-01")] == [true, true])
    #expect(try log.calls(recent).list.count == 6)
    #expect(try log.calls(future).list.isEmpty)
    #expect(try count { $0.before = 6 } == 2)
    var filter = AuditFilter()
    filter.limit = 4
    #expect(try log.calls(filter).areMore)
    for wrong in ["", "h", "yesterday", "-1h", "2026-13-40"] {
      let isTaken = filter.setSince(wrong)
      #expect(!isTaken, "\(wrong)")
    }
  }

  @Test func `slips of the hand are refused`() throws {
    let fixture = try AuditFixture()
    let log = try fixture.log()
    try fixture.call(log)
    let queue = try DatabaseQueue(path: fixture.path)
    for sql in [
      "UPDATE entry SET status = 'passed'", "DELETE FROM entry",
      "DELETE FROM entry WHERE number = 3",
      "INSERT INTO entry SELECT 9, kind, 9, at, door, operation, workspace, status, arguments, content, previous, hash FROM entry WHERE number = 2",
      "REPLACE INTO entry SELECT * FROM entry WHERE number = 2",
      "DELETE FROM anchor", "UPDATE anchor SET number = -1",
      "INSERT INTO anchor SELECT * FROM anchor",
    ] {
      #expect(throws: DatabaseError.self, "\(sql)") { try queue.write { try $0.execute(sql: sql) } }
    }
    #expect(try log.verify().status == .intact)
  }

  @Test(arguments: [
    ("UPDATE entry SET content = '{}' WHERE number = 4", AuditVerification.Finding.changed, 4),
    ("UPDATE entry SET status = 'passed' WHERE number = 3", .changed, 3),
    ("UPDATE entry SET at = '2020-01-01T00:00:00.000Z' WHERE number = 2", .changed, 2),
    ("UPDATE entry SET arguments = NULL WHERE number = 2", .changed, 2),
    ("UPDATE entry SET door = '', workspace = 'mcp/w' WHERE number = 2", .changed, 2),
    ("UPDATE entry SET hash = zeroblob(32) WHERE number = 7", .changed, 7),
    ("DELETE FROM entry WHERE number IN (4, 5)", .removed, 4),
    ("DELETE FROM entry WHERE number = 1", .removed, 1),
    ("DELETE FROM entry WHERE number = 7", .cutOff, 7),
    ("DELETE FROM entry WHERE number > 3", .cutOff, 4),
    ("DELETE FROM entry", .cutOff, 1),
    (
      "UPDATE anchor SET number = 3, hash = (SELECT hash FROM entry WHERE number = 3); DELETE FROM entry WHERE number < 4",
      .removed, 3
    ),
  ])
  func `whoever goes past the guards is found`(
    sql: String, finding: AuditVerification.Finding, entry: Int64
  ) throws {
    let fixture = try AuditFixture()
    do {
      let log = try fixture.log()
      for status in ["failed", "passed", "passed"] {
        try fixture.call(log, arguments: "{}", status: status)
      }
      #expect(try log.verify().status == .intact)
    }
    try fixture.tamper(sql)
    let found = try fixture.log().verify()
    #expect(found.problem?.finding == finding)
    #expect(found.problem?.entry == entry)
    #expect(found.status == .broken)
  }

  @Test func `an entry with a hash of its own is found by its neighbour or by the head`() throws {
    let fixture = try AuditFixture()
    let log = try fixture.log()
    for _ in 0..<3 { try fixture.call(log) }
    for number in [4, 7] {
      let row = try log.queue.inDatabase {
        try Row.fetchOne($0, sql: "SELECT * FROM entry WHERE number = ?", arguments: [number])
      }
      let old = AuditEntry(try #require(row))
      let forged = AuditEntry(
        number: old.number, kind: old.kind, call: old.call, at: old.at, door: old.door,
        operation: "harmless", workspace: old.workspace, status: old.status,
        arguments: old.arguments, content: old.content, previous: old.previous)
      try fixture.tamper(
        "UPDATE entry SET operation = 'harmless', hash = x'\(forged.hash.hexadecimal)' WHERE number = \(number)"
      )
      let problem = try log.verify().problem
      #expect(problem?.finding == (number == 7 ? .changed : .inserted))
      #expect(problem?.entry == (number == 7 ? 7 : 5))
      try fixture.tamper(
        "UPDATE entry SET operation = \(old.operation.map { "'\($0)'" } ?? "NULL"), hash = x'\(old.hash.hexadecimal)' WHERE number = \(number)"
      )
      #expect(try log.verify().status == .intact)
    }
  }

  @Test func `a head that is gone is said`() throws {
    let fixture = try AuditFixture()
    let log = try fixture.log()
    try fixture.call(log)
    try FileManager.default.removeItem(atPath: "\(fixture.folder)/audit.head")
    #expect(try log.verify().problem?.finding == .noHead)
  }

  @Test func `calls of processes that are gone are lost, those of living ones are not`() throws {
    let fixture = try AuditFixture()
    let log = try fixture.log()
    let own = ProcessIdentity.own
    func begin(_ process: ProcessIdentity) throws -> Int64 {
      let number = try log.begin(
        AuditCall(
          "run_test", workspace: nil, policy: AuditPolicy(isolation: nil, timeoutSeconds: nil)),
        door: .commandLine, caller: "me")
      try log.queue.write {
        try $0.execute(
          sql: "UPDATE open_call SET process = ? WHERE call = ?",
          arguments: [process.text, number])
      }
      return number
    }
    func like(
      _ pid: Int? = nil, start: UInt64? = nil, boot: String? = nil, namespace: String? = nil,
      machine: String? = nil
    ) -> ProcessIdentity {
      ProcessIdentity(
        pid: pid ?? own.pid, start: start ?? own.start, boot: boot ?? own.boot,
        namespace: namespace ?? own.namespace, machine: machine ?? own.machine)
    }
    let living = try [
      own, like(machine: "another"), like(4_194_303, namespace: "pid:[1]"),
    ].map(begin)
    let gone = try [like(4_194_303), like(start: own.start + 1), like(boot: "before")].map(begin)
    let later = try fixture.log()
    var filter = AuditFilter()
    filter.status = "lost"
    #expect(try Set(later.calls(filter).list.map(\.begun.number)) == Set(gone))
    filter.status = "running"
    #expect(try Set(later.calls(filter).list.map(\.begun.number)) == Set(living))
    // Once is enough.
    let count = try fixture.log().verify().entries
    #expect(try fixture.log().verify().entries == count)
    #expect(try later.verify().status == .intact)
  }

  @Test func `the file is its owner's alone`() throws {
    let fixture = try AuditFixture()
    let log = try AuditLog(folder: "\(fixture.folder)/inner", mask: SecretMask())
    try fixture.call(log)
    for name in ["", "/audit.sqlite", "/audit.sqlite-wal", "/audit.head"] {
      let attributes = try FileManager.default.attributesOfItem(
        atPath: "\(fixture.folder)/inner\(name)")
      let mode = (attributes[.posixPermissions] as? NSNumber)?.intValue ?? 0
      #expect(mode & 0o077 == 0, "\(name)")
    }
  }
}

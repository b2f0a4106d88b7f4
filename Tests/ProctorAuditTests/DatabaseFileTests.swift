import Foundation
import GRDB
import Synchronization
import Testing

@testable import ProctorAudit

@Suite struct DatabaseFileTests {
  @Test(arguments: [Data("no database at all, whatever it is".utf8), Data(count: 8192)])
  func `a file that is no database is set aside and said`(content: Data) throws {
    let fixture = try AuditFixture()
    try content.write(to: URL(filePath: fixture.path))
    let log = try fixture.log()
    try fixture.call(log)
    let verified = try log.verify()
    #expect(verified.status == .intact)
    // An empty file, or one of zeros, is a new database for SQLite.
    guard content.first != 0 else { return }
    #expect(log.setAside == "\(fixture.path).corrupt-1")
    #expect(try Data(contentsOf: URL(filePath: "\(fixture.path).corrupt-1")) == content)
    #expect(verified.set_aside == ["audit.sqlite.corrupt-1"])
  }

  @Test func `a trail that becomes corrupt while it is used is replaced, and calls go on`() throws {
    let fixture = try AuditFixture()
    let said = Said()
    do {
      let log = try fixture.log()
      for _ in 0..<200 { try fixture.call(log) }
      try log.queue.writeWithoutTransaction {
        try $0.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)")
      }
    }
    // All but the header and the first page.
    var bytes = try Data(contentsOf: URL(filePath: fixture.path))
    bytes.replaceSubrange(4096..., with: Data(repeating: 0xAB, count: bytes.count - 4096))
    try bytes.write(to: URL(filePath: fixture.path))
    let trail = AuditTrail(
      folder: fixture.folder, settings: AuditSettings(), environment: [:], say: said.add)
    let call = try AuditDoor(.http, caller: "c", trail: trail).begin(
      AuditCall(
        "run_test", workspace: nil, policy: AuditPolicy(isolation: nil, timeoutSeconds: nil))
    ) { true }
    call.end(AuditOutcome(answer: nil, status: "passed"))
    #expect(said.all.count == 1)
    #expect(said.all.first?.contains("corrupt-1") == true, "\(said.all)")
    let log = try fixture.log()
    #expect(try log.verify().status == .intact)
    #expect(try log.calls(AuditFilter()).list.count == 1)
  }

  @Test func `a trail of a newer proctor is left alone`() throws {
    let fixture = try AuditFixture()
    try fixture.call(fixture.log())
    let queue = try DatabaseQueue(path: fixture.path)
    try queue.write {
      try $0.execute(sql: "INSERT INTO grdb_migrations (identifier) VALUES ('99')")
    }
    #expect {
      _ = try fixture.log()
    } throws: {
      ($0 as? AuditError)?.message.contains("newer proctor") == true
    }
    #expect(try queue.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM entry") } == 3)
  }

  @Test func `what cannot be written is said once, or refused where that is wanted`() throws {
    let fixture = try AuditFixture()
    // A folder in the file's place: also root cannot write that.
    try FileManager.default.createDirectory(
      atPath: fixture.path, withIntermediateDirectories: true)
    let said = Said()
    var settings = AuditSettings()
    func trail() -> AuditDoor {
      AuditDoor(
        .mcp, caller: "c",
        trail: AuditTrail(
          folder: fixture.folder, settings: settings, environment: [:], say: said.add))
    }
    let call = AuditCall(
      "run_test", workspace: nil, policy: AuditPolicy(isolation: nil, timeoutSeconds: nil))
    let lenient = trail()
    for _ in 0..<3 {
      try lenient.begin(call) { false }.end(AuditOutcome(answer: nil, status: "passed"))
    }
    #expect(said.all.count == 1)
    #expect(said.all.first?.contains("not recorded") == true)
    #expect(throws: AuditError.self) { try lenient.begin(call) { true } }
    settings.isRequired = true
    #expect(throws: AuditError.self) { try trail().begin(call) { false } }
  }

  @Test func `a folder that is removed under a session is made anew`() throws {
    let fixture = try AuditFixture()
    let folder = "\(fixture.folder)/audit"
    let trail = AuditTrail(
      folder: folder, settings: AuditSettings(), environment: [:], say: { _ in })
    let door = AuditDoor(.mcp, caller: "c", trail: trail)
    let call = AuditCall(
      "run_test", workspace: nil, policy: AuditPolicy(isolation: nil, timeoutSeconds: nil))
    for _ in 0..<2 {
      try door.begin(call) { true }.end(AuditOutcome(answer: nil, status: "passed"))
      let log = try AuditLog(folder: folder, mask: SecretMask())
      #expect(try log.calls(AuditFilter()).list.map(\.status) == ["passed"])
      try FileManager.default.removeItem(atPath: folder)
    }
  }

  /// SQLite itself does not wait before it changes how a file is written.
  @Test func `a file that others are just making is waited for`() throws {
    let fixture = try AuditFixture()
    let other = try DatabaseQueue(path: fixture.path)
    try other.write { try $0.execute(sql: "CREATE TABLE other (number)") }
    let isRead = DispatchSemaphore(value: 0)
    let thread = Thread {
      try? other.inDatabase { database in
        try database.execute(sql: "BEGIN IMMEDIATE")
        isRead.signal()
        Thread.sleep(forTimeInterval: 0.3)
        try database.execute(sql: "COMMIT")
      }
    }
    thread.start()
    isRead.wait()
    let log = try fixture.log()
    #expect(try fixture.call(log) == 2)
  }

  /// The kernel drops all locks of a process on a file when it closes any descriptor of that file.
  @Test func `who looks at a trail leaves the locks of those who write it`() throws {
    let fixture = try AuditFixture()
    let log = try fixture.log()
    try fixture.call(log)
    func locks() throws -> [Substring] {
      let inode = try #require(
        FileManager.default.attributesOfItem(atPath: fixture.path)[.systemFileNumber] as? Int)
      let all = try String(contentsOfFile: "/proc/locks", encoding: .utf8)
      return all.split(separator: "\n").filter {
        $0.contains(" \(getpid()) ") && $0.contains(":\(inode) ")
      }
      .map { $0.drop { $0 != " " } }
    }
    let held = try locks()
    #expect(!held.isEmpty)
    let reader = AuditReader(folder: fixture.folder)
    #expect(try reader.calls(AuditFilter()).calls.count == 1)
    #expect(try locks() == held)
    withExtendedLifetime(log) {}
  }
}

/// What the user was told.
private final class Said: Sendable {
  private let texts = Mutex<[String]>([])
  var all: [String] { texts.withLock { $0 } }
  @Sendable func add(_ text: String) { texts.withLock { $0.append(text) } }
}

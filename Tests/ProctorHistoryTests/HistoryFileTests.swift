import Foundation
import GRDB
import ProctorModel
import ProctorStorage
import Testing

@testable import ProctorHistory

@Suite struct HistoryFileTests {
  let fixture: HistoryFixture

  init() throws { fixture = try HistoryFixture() }

  private let id = HistoryFixture.id

  @Test func `a file that is no database is set aside and said`() throws {
    let garbage = Data("no database at all, whatever it is; long enough for a header".utf8)
    try garbage.write(to: URL(filePath: fixture.path))
    try fixture.record(["a": "p"])
    #expect(fixture.said.all.count == 1)
    #expect(fixture.said.all.first?.contains("history.sqlite.corrupt-1") == true)
    #expect(try Data(contentsOf: URL(filePath: "\(fixture.path).corrupt-1")) == garbage)
    #expect(try fixture.history().runs().count == 1)
  }

  @Test func `so is one that is cut off, by who reads it, too`() throws {
    let tests = Dictionary((0..<3000).map { ("test_\($0)", "p") }) { $1 }
    try fixture.record(tests)
    let whole = try Data(contentsOf: URL(filePath: fixture.path))
    try whole.prefix(whole.count / 2).write(to: URL(filePath: fixture.path))
    #expect(try fixture.history().slowest().isEmpty)
    #expect(fixture.said.all.count == 1)
    try fixture.record(["a": "p"])
    #expect(try fixture.history().tests().map(\.name) == ["a"])
  }

  @Test func `pages that are overwritten are found when they are used`() throws {
    try fixture.record(Dictionary((0..<3000).map { ("test_\($0)", "p") }) { $1 })
    var bytes = try Data(contentsOf: URL(filePath: fixture.path))
    bytes.replaceSubrange(8192..., with: Data(repeating: 0xAB, count: bytes.count - 8192))
    try bytes.write(to: URL(filePath: fixture.path))
    let run = try fixture.record(["a": "p"])
    #expect(fixture.said.all.count == 1)
    #expect(try fixture.history().runs() == [run])
  }

  @Test func `a folder in its place, or no folder, is an error that says what to do`() throws {
    try FileManager.default.createDirectory(
      atPath: fixture.path, withIntermediateDirectories: true)
    let error = #expect(throws: StorageError.self) { try fixture.record(["a": "p"]) }
    #expect(error?.message.contains(fixture.path) == true)
    #expect(error?.resolution.isEmpty == false)
    #expect(throws: StorageError.self) { try fixture.history().runs() }
    let nowhere = History(folder: "/proc/none/there", say: { _ in })
    #expect(throws: StorageError.self) { try fixture.record(["a": "p"], in: nowhere) }
  }

  @Test func `the history of a newer proctor is left alone`() throws {
    try fixture.record(["a": "p"])
    let queue = try DatabaseQueue(path: fixture.path)
    try queue.write {
      try $0.execute(sql: "INSERT INTO grdb_migrations (identifier) VALUES ('99')")
    }
    let error = #expect(throws: StorageError.self) { try fixture.record(["a": "p"]) }
    #expect(error?.message.contains("newer proctor") == true)
    #expect(try queue.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM run") } == 1)
  }

  @Test func `runs that became too old are removed, the newest stays`() throws {
    for day in 0..<5 {
      try fixture.record(["day_\(day)": "f"], date: Double(day - 400) * 86_400)
    }
    // All of them are too old, but each was the newest.
    #expect(try fixture.history().tests().map(\.name) == ["day_4"])
    try fixture.record(["new": "p"])
    #expect(try fixture.history().tests().map(\.name) == ["new"])
    let texts = try DatabaseQueue(path: fixture.path).read {
      try String.fetchAll($0, sql: "SELECT value FROM text")
    }
    #expect(!texts.contains { $0.contains("broken") })
  }

  @Test
  func `a history stays as small as it is wanted, the oldest go first, the disk gets it back`()
    throws
  {
    let history = fixture.history(HistoryLimits(maxMegabytes: 1, keepDays: 1000))
    var sizes: [Int] = []
    for run in 0..<12 {
      let long = String(repeating: "x", count: 100)
      let tests = Dictionary((0..<1500).map { ("\(long)_\($0)_\(run)", "p") }) { $1 }
      try fixture.record(tests, in: history)
      sizes.append(try #require(try Self.size(fixture.path)))
    }
    #expect(try #require(sizes.max()) < 2 << 20)
    let runs = try history.runs()
    #expect(runs.count >= 1 && runs.count < 12)
    #expect(runs.first?.key == "run-12")
    #expect(runs.map(\.key) == (0..<runs.count).map { "run-\(12 - $0)" })
  }

  private static func size(_ path: String) throws -> Int? {
    try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
  }

  @Test func `many writers at once lose nothing`() async throws {
    let folder = fixture.folder
    try await withThrowingTaskGroup { group in
      for writer in 0..<8 {
        group.addTask {
          let fixture = try HistoryFixture()
          let history = History(folder: folder, say: { _ in })
          for run in 0..<5 {
            try fixture.record(["a": "p", "w\(writer)": "p"], key: "\(writer)-\(run)", in: history)
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(try fixture.history().runs().count == 40)
    #expect(try fixture.history().attempts(of: id("a")).count == 40)
    #expect(try fixture.history().tests().count == 9)
  }
}

import Foundation
import ProctorModel
import Testing

@testable import ProctorHistory

@Suite struct HistoryTests {
  let fixture: HistoryFixture

  init() throws { fixture = try HistoryFixture() }

  private let id = HistoryFixture.id

  @Test func `where nothing was recorded nothing is known, and no file is made`() throws {
    let history = fixture.history()
    #expect(try history.runs().isEmpty)
    #expect(try history.durations().isEmpty)
    #expect(try history.outcomes(commit: "c1") == nil)
    #expect(try history.flaky().isEmpty)
    #expect(try history.flakiness(id("a")) == nil)
    #expect(try history.attempts(of: id("a")).isEmpty)
    #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.folder).isEmpty)
  }

  @Test func `every attempt is kept with its run, the newest first`() throws {
    let code = CodeOrigin(commit: "c1", branch: "main", isClean: true, state: "s1")
    let first = try fixture.record(["a": "fp", "b": "s"], code: code)
    let second = try fixture.record(["a": "c"], code: CodeOrigin(state: "s2"))
    let history = fixture.history()
    #expect(try history.runs() == [second, first])
    let attempts = try history.attempts(of: id("a"))
    #expect(attempts.map(\.run) == [second, first, first])
    #expect(attempts.map(\.attempt.number) == [1, 2, 1])
    #expect(attempts.map(\.attempt.outcome) == [.crashed, .passed, .failed])
    #expect(attempts.map(\.attempt.message) == ["  broken: a", nil, "  broken: a"])
    #expect(attempts[2].attempt.location == SourceLocation(file: "test_a.py", line: 7))
    #expect(attempts[0].attempt.durationMS == 10)
    #expect(try history.attempts(of: id("a"), limit: 2).count == 2)
    #expect(try history.attempts(of: id("a"), HistoryFilter(branch: "main")).count == 2)
    #expect(try history.attempts(of: id("a"), HistoryFilter(branch: "other")).isEmpty)
    #expect(try history.attempts(of: id("a"), HistoryFilter(since: second.date)).count == 1)
    #expect(try history.tests().map(\.name) == ["a", "b"])
  }

  @Test func `a run is there once, however often it is recorded`() throws {
    let run = try fixture.record(["a": "p"], key: "same")
    try fixture.record(["a": "f"], key: "same")
    let history = fixture.history()
    #expect(try history.runs() == [run])
    #expect(try history.attempts(of: id("a")).map(\.attempt.outcome) == [.passed])
  }

  @Test func `durations are medians of passing executions in the workspace itself`() throws {
    for ms in [10.0, 1000, 12] { try fixture.record(["a": "p", "b": "f", "c": "s"], ms: ms) }
    // What failed at once, and what ran on a patched copy, says nothing.
    try fixture.record(["a": "f"], ms: 0.1)
    try fixture.record(["a": "p"], code: CodeOrigin(isPatched: true), ms: 5000)
    #expect(try fixture.history().durations() == [id("a"): 12, id("b"): 12])
    let slowest = try fixture.history().slowest()
    #expect(slowest.map(\.id) == [id("a"), id("b")])
    #expect(slowest.map(\.share) == [0.5, 0.5])
    #expect(slowest[0].samples == 3)
    #expect(slowest[0].p95MS > 900)
  }

  @Test func `an exported history has the same durations, also when runs are in it twice`() throws {
    for ms in stride(from: 1.0, through: 55, by: 1) {
      try fixture.record(["a": ms > 40 ? "f" : "p", "b": "f", "c": "pp"], ms: ms)
    }
    try fixture.record(["a": "p"], code: CodeOrigin(isPatched: true), ms: 5000)
    let history = fixture.history()
    var lines = Data()
    _ = try history.export { lines += $0 }
    let file = "\(fixture.folder)/export.ndjson"
    for content in [lines, lines + lines] {
      try content.write(to: URL(filePath: file))
      #expect(History.isExport(file))
      #expect(try History.durations(inExport: file) == history.durations())
    }
    #expect(try history.durations()[id("a")] == 30.5)
    try lines.dropLast(20).write(to: URL(filePath: file))
    #expect(throws: HistoryImportError.self) { try History.durations(inExport: file) }
    try Data("{}".utf8).write(to: URL(filePath: file))
    #expect(!History.isExport(file))
  }

  @Test func `of a commit the newest run counts that says what became of all of its tests`() throws
  {
    let clean = CodeOrigin(commit: "c1", isClean: true)
    let whole = try fixture.record(["a": "p", "b": "fp"], code: clean)
    try fixture.record(["a": "f"], code: clean, selection: "a")
    try fixture.record(["a": "f"], code: clean, status: .error)
    try fixture.record(["a": "f"], code: CodeOrigin(commit: "c1", isClean: false, state: "s"))
    try fixture.record(["a": "f"], code: CodeOrigin(commit: "c1", isClean: false, isPatched: true))
    try fixture.record(["a": "f"], code: CodeOrigin(commit: "c2", isClean: true))
    let found = try #require(try fixture.history().outcomes(commit: "c1"))
    #expect(found.run == whole)
    #expect(found.isWhole)
    #expect(found.outcome(of: id("a")) == .passed)
    #expect(found.outcome(of: id("b")) == .passed)
    #expect(found.attempts[id("b")]?.map(\.outcome) == [.failed, .passed])
    #expect(found.outcome(of: id("gone")) == nil)
  }

  @Test func `a commit of which only a part was run is answered as such`() throws {
    let part = try fixture.record(["a": "p"], selection: "a")
    let found = try #require(try fixture.history().outcomes(commit: "c1"))
    #expect(found.run == part)
    #expect(!found.isWhole && !found.run.isOfEverything)
    #expect(try fixture.history().outcomes(commit: "c") == nil)
  }

  @Test func `a run without tests, or without a verdict, is not complete`() throws {
    #expect(try !fixture.record([:], status: .noTests).isComplete)
    #expect(try !fixture.record(["a": "p"], status: .error).isComplete)
    #expect(try fixture.record(["a": "f"], status: .failed).isComplete)
  }

  @Test func `the previous run is of the same tests on the same branch`() throws {
    let main = CodeOrigin(commit: "c1", branch: "main", isClean: true)
    let first = try fixture.record(["a": "p"], code: main)
    try fixture.record(["a": "p"], code: main, selection: "a")
    try fixture.record(["a": "p"], code: CodeOrigin(branch: "other"))
    try fixture.record(["a": "p"], code: CodeOrigin(branch: "main", isPatched: true))
    let last = try fixture.record(["a": "p"], code: main)
    #expect(try fixture.history().previous(of: last) == first)
    #expect(try fixture.history().previous(of: first) == nil)
  }
}

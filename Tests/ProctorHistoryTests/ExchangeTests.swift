import Foundation
import ProctorModel
import Testing

@testable import ProctorHistory

@Suite struct ExchangeTests {
  let fixture: HistoryFixture

  init() throws { fixture = try HistoryFixture() }

  private let id = HistoryFixture.id

  private func export(_ filter: HistoryFilter = HistoryFilter()) throws -> Data {
    var data = Data()
    _ = try fixture.history().export(filter) { data += $0 }
    return data
  }

  private func file(_ name: String, _ data: Data) throws -> String {
    let path = "\(fixture.folder)/\(name)"
    try data.write(to: URL(filePath: path))
    return path
  }

  private func problems(_ text: String) throws -> [String] {
    let path = try file("bad.ndjson", Data(text.utf8))
    let error = #expect(throws: HistoryImportError.self) { try History.check([path]) }
    return (error?.problems ?? []).map { $0.replacing(fixture.folder + "/", with: "") }
  }

  @Test func `what was exported is the same after import, once, from several files`() throws {
    let code = CodeOrigin(commit: "c1", branch: "main", isClean: true, state: "s")
    try fixture.record(["a": "fp", "b": "s"], code: code)
    try fixture.record(["ü \"quoted\"\n": "c"], code: CodeOrigin(isPatched: true), selection: "ü")
    let first = try file("one.ndjson", export())
    try fixture.record(["a": "p"], ms: 0.125)
    let all = try export()
    let second = try file("two.ndjson", all)
    let other = try HistoryFixture()
    try History.check([first, second])
    let result = try other.history().add([first, second])
    #expect(result == HistoryImport(runs: 3, known: 2, tests: 4))
    #expect(try other.history().runs() == fixture.history().runs())
    #expect(try other.history().attempts(of: id("a")) == fixture.history().attempts(of: id("a")))
    #expect(try other.history().tests() == fixture.history().tests())
    #expect(try other.history().add([second]) == HistoryImport(runs: 0, known: 3, tests: 0))
    var again = Data()
    let export = try other.history().export { again += $0 }
    #expect(again == all)
    #expect(export == HistoryExport(runs: 3, tests: 4))
  }

  @Test func `files behind one another are one, and a filter leaves runs out`() throws {
    try fixture.record(["a": "p"], code: CodeOrigin(branch: "main"))
    try fixture.record(["a": "p"], code: CodeOrigin(branch: "other"))
    let main = try export(HistoryFilter(branch: "main"))
    let path = try file("both.ndjson", main + export(HistoryFilter(branch: "other")))
    let other = try HistoryFixture()
    try History.check([path])
    #expect(try other.history().add([path]).runs == 2)
    #expect(
      try export(HistoryFilter(branch: "none")).split(separator: UInt8(ascii: "\n")).count == 2)
  }

  @Test func `a history without runs can be carried, too`() throws {
    let path = try file("empty.ndjson", export())
    try History.check([path])
    #expect(try fixture.history().add([path]) == HistoryImport())
  }

  @Test func `each line that cannot be is told with its number`() throws {
    try fixture.record(["a": "p", "b": "p"])
    let lines = try String(decoding: export(), as: UTF8.self).split(separator: "\n").map(
      String.init)
    #expect(lines.count == 6)
    func changed(_ change: (inout [String]) -> Void) throws -> [String] {
      var copy = lines
      change(&copy)
      return try problems(copy.joined(separator: "\n") + "\n")
    }
    #expect(
      try changed { $0[2] = "{\"test\":" } == ["bad.ndjson:3: is no line of an exported history"])
    #expect(
      try changed { $0.remove(at: 3) }.first?.hasPrefix("bad.ndjson:4: the run does not end")
        == true)
    #expect(
      try changed { $0.swapAt(2, 3) }.first?.hasPrefix("bad.ndjson:4: the test is there twice")
        == true)
    #expect(
      try changed { $0[3] = $0[2] }.first?.hasPrefix("bad.ndjson:4: the test is there twice")
        == true)
    #expect(
      try changed { $0.removeLast() } == ["bad.ndjson:5: the end is missing: the file is cut off"])
    #expect(try changed { $0.removeSubrange(1...4) } == ["bad.ndjson:2: runs are missing"])
    #expect(
      try changed { $0.removeFirst() }.first?.hasPrefix("bad.ndjson:1: is no exported history")
        == true)
    #expect(
      try changed { $0[0] = #"{"proctor_history":2}"# }
        == ["bad.ndjson:1: was exported by a newer proctor (version 2)"])
    #expect(
      try changed { $0[2] = $0[2].replacing("\"passed\"", with: "\"fine\"") }.first?
        .hasPrefix("bad.ndjson:3: ") == true)
    #expect(
      try changed {
        $0[1] = $0[1].replacing("\"machine\"", with: "\"started_at\":\"yesterday\",\"machine\"")
      }
      .first?.hasPrefix("bad.ndjson:2: ") == true)
    #expect(
      try changed { $0[2] += String(repeating: " ", count: 2 << 20) }
        == ["bad.ndjson:3: the line is longer than 1 MiB"])
    #expect(
      try problems(lines.joined(separator: "\n")) == [
        "bad.ndjson:6: the line has no end: the file is cut off"
      ])
    #expect(try problems("") == ["bad.ndjson:1: is empty"])
    #expect(throws: HistoryImportError.self) { try History.check([fixture.folder]) }
    #expect(throws: HistoryImportError.self) { try History.check(["\(fixture.folder)/none"]) }
  }

  @Test func `a file that was changed after it was checked leaves no half run behind`() throws {
    try fixture.record(["a": "p", "b": "p"])
    try fixture.record(["a": "p", "b": "p"])
    let lines = try String(decoding: export(), as: UTF8.self).split(separator: "\n")
    let path = try file("cut.ndjson", Data((lines.prefix(7).joined(separator: "\n") + "\n").utf8))
    let other = try HistoryFixture()
    #expect(throws: (any Error).self) { try other.history().add([path]) }
    let runs = try other.history().runs()
    #expect(runs.map(\.key) == ["run-1"])
    #expect(try other.history().attempts(of: id("b")).count == 1)
  }

  @Test func `names mean tests as they do for run_test`() throws {
    try fixture.record(["test_a": "p", "test_b": "p"])
    let history = fixture.history()
    for name in ["pytest:.:test_a.py::test_a", "test_a.py::test_a", "test_a"] {
      #expect(try history.tests(named: name).map(\.id) == [id("test_a")])
    }
    #expect(try history.tests(named: "test").isEmpty)
  }

  @Test func `a trend is told when there is enough of it`() throws {
    for index in 0..<9 { try fixture.record(["a": "p"], ms: index < 4 ? 10 : 20) }
    let test = try #require(try fixture.history().tests(named: "a").first)
    let history = try fixture.history().history(of: test, HistoryFilter(), limit: 3)
    #expect(history.attempts.count == 3 && history.areMore)
    #expect(history.trend?.recentMS == 20 && history.trend?.earlierMS == 10)
    #expect(TestHistory.Trend([1, 2, 3, 4, 5, 6, 7]) == nil)
  }
}

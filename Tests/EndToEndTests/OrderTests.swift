import Foundation
import Testing

/// Tests in another order than usual, and which of them the order matters to.
@Suite(.serialized) struct OrderTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// `test_victim` passes alone and fails after `test_pollutes`; `test_needs` the other way round.
  func python() throws -> String {
    try folder.write("[pytest]\n", to: "workspace/pytest.ini")
    try folder.write("value = 0\n", to: "workspace/shared.py")
    try folder.write(
      """
      import shared

      class TestMany:
      \((1...9).map { "    def test_\($0)(self):\n        pass\n" }.joined(separator: "\n"))
      def test_pollutes():
          shared.value = 1
          open("left.txt", "a").write("x")

      def test_between():
          assert False, "this one is red, and that does not matter"
      """, to: "workspace/test_a.py")
    try folder.write(
      """
      import os, shared

      def test_victim():
          assert shared.value == 0
          assert not os.path.exists("left.txt")

      def test_needs():
          assert shared.value == 1

      def test_fine():
          pass

      def test_red():
          assert False
      """, to: "workspace/test_b.py")
    return "\(folder.path)/workspace"
  }

  func bisect(_ arguments: [String], in workspace: String) throws -> (
    answer: [String: Any], status: Int32
  ) {
    let outcome = try ProctorProcess(
      ["bisect-order"] + arguments + ["--format", "json"], in: workspace
    ).run()
    try Schema.validate(outcome.stdout, "bisect_order")
    return (try outcome.json(), outcome.status)
  }

  func others(_ answer: [String: Any]) -> [String] {
    (answer["others"] as? [[String: Any]] ?? []).compactMap { $0["full_name"] as? String }
  }

  /// The names in the order in which they were started.
  func order(_ answer: [String: Any]) -> [String] {
    let rows = answer["tests"] as? [[String: Any]] ?? []
    return rows.sorted {
      ($0["started_ms"] as? Double ?? 0) < ($1["started_ms"] as? Double ?? 0)
    }.compactMap { $0["full_name"] as? String }
  }

  func run(_ arguments: [String], in workspace: String) throws -> (
    answer: [String: Any], status: Int32
  ) {
    let outcome = try ProctorProcess(
      ["run", "--format", "json", "--details"] + arguments, in: workspace
    ).run()
    try Schema.validate(outcome.stdout, "run_all_tests")
    return (try outcome.json(), outcome.status)
  }

  // MARK: shuffling

  @Test func `a seed is an order, of pytest also where a plugin has workers`() throws {
    let workspace = try python()
    let first = try run(["--shuffle", "7"], in: workspace).answer
    let shuffle = first["shuffle"] as? [String: Any]
    #expect(shuffle?["seed"] as? Int == 7)
    #expect(shuffle?["projects"] as? [String] == ["pytest"])
    try folder.write("[pytest]\naddopts = -n 2\n", to: "workspace/pytest.ini")
    let again = try run(["--shuffle", "7"], in: workspace).answer
    #expect(order(again) == order(first))
    #expect((again["shuffle"] as? [String: Any])?["projects"] as? [String] == ["pytest"])
    #expect(order(first).count == 15)
    #expect(order(first) != order(first).sorted())
    let random = try run(["--shuffle", "random", "--filter", "Many"], in: workspace).answer
    #expect((random["shuffle"] as? [String: Any])?["seed"] is Int)
  }

  @Test func `an order that somebody else changed is not called shuffled`() throws {
    let workspace = try python()
    try folder.write(
      """
      def pytest_runtestloop(session):
          session.items.reverse()
      """, to: "workspace/conftest.py")
    let (answer, _) = try run(["--shuffle", "7", "--filter", "Many"], in: workspace)
    #expect((answer["shuffle"] as? [String: Any])?["projects"] as? [String] == [])
    let notes = answer["notes"] as? [String] ?? []
    #expect(notes.contains { $0.contains("not called shuffled") })
  }

  @Test func `jest is shuffled within its blocks, and others are refused`() throws {
    try folder.write(#"{"jest": {}}"#, to: "js/package.json")
    let inner = (1...6).map { "  test('in \($0)', () => {});" }.joined(separator: "\n")
    let outer = (1...6).map { "test('out \($0)', () => {});" }.joined(separator: "\n")
    try folder.write("\(outer)\ndescribe('block', () => {\n\(inner)\n});\n", to: "js/a.test.js")
    try folder.write("test('other', () => {});\n", to: "js/b.test.js")
    try FileManager.default.createSymbolicLink(
      atPath: "\(folder.path)/node_modules",
      withDestinationPath: "\(ProctorProcess.repository)/fixtures/node_modules")
    let (answer, status) = try run(["--shuffle", "3"], in: "\(folder.path)/js")
    #expect(status == 0)
    #expect((answer["shuffle"] as? [String: Any])?["projects"] as? [String] == ["jest"])
    let names = order(answer)
    #expect(names.count == 13)
    let inside = names.indices.filter { names[$0].contains("block") }
    #expect(inside.count == 6)
    #expect(inside.last.map { $0 - (inside.first ?? 0) } == 5)
    #expect(names != names.sorted())
    let native = try folder.copy(fixture: "lies/manifest-no_report", as: "native")
    let refused = try ProctorProcess(["run", "--shuffle", "3"], in: native).run()
    #expect(refused.status == 2)
    #expect(refused.stderr.contains("keeps to its own order"))
  }

  // MARK: bisecting

  @Test func `the polluting test is found, and the command shows it again`() throws {
    let workspace = try python()
    let (answer, status) = try bisect(["test_victim"], in: workspace)
    #expect(status == 1)
    #expect(answer["finding"] as? String == "polluted")
    #expect(others(answer) == ["test_a.py::test_pollutes"])
    #expect(answer["outcome_alone"] as? String == "passed")
    #expect(answer["outcome_after"] as? String == "failed")
    #expect(answer["predecessors"] as? Int == 11)
    let commands = answer["commands"] as? [String] ?? []
    #expect(
      commands == [
        "proctor bisect-order 'pytest:.:test_b.py::test_victim' --after 'pytest:.:test_a.py::test_pollutes'",
        "python -m pytest 'test_a.py::test_pollutes' 'test_b.py::test_victim'",
      ])
    let shown = try bisect(
      ["pytest:.:test_b.py::test_victim", "--after", "pytest:.:test_a.py::test_pollutes"],
      in: workspace)
    #expect(others(shown.answer) == ["test_a.py::test_pollutes"])
    #expect(shown.answer["runs"] as? Int == 4)
  }

  @Test func `a test that needs another one is brittle`() throws {
    let workspace = try python()
    let (answer, status) = try bisect(["test_b.py::test_needs"], in: workspace)
    #expect(status == 1)
    #expect(answer["finding"] as? String == "brittle")
    #expect(others(answer) == ["test_a.py::test_pollutes"])
  }

  @Test func `what the order does not matter to is said`() throws {
    let workspace = try python()
    let fine = try bisect(["test_fine"], in: workspace)
    #expect(fine.status == 0)
    #expect(fine.answer["finding"] as? String == "independent")
    let red = try bisect(["test_red", "--after", "test_1"], in: workspace)
    #expect(red.status == 1)
    #expect(red.answer["finding"] as? String == "fails_always")
    let none = try ProctorProcess(["bisect-order", "test_victm"], in: workspace).run()
    #expect(none.status == 2)
    #expect(none.stderr.contains("test_victim"))
  }

  @Test func `in a file of jest the polluting test is found`() throws {
    try folder.write(#"{"jest": {}}"#, to: "js/package.json")
    try folder.write(
      """
      let value = 0;
      test('first', () => {});
      describe('block', () => {
        test('pollutes', () => { value = 1; });
        test('also fine', () => {});
      });
      test('victim', () => { expect(value).toBe(0); });
      """, to: "js/a.test.js")
    try FileManager.default.createSymbolicLink(
      atPath: "\(folder.path)/node_modules",
      withDestinationPath: "\(ProctorProcess.repository)/fixtures/node_modules")
    let (answer, status) = try bisect(["victim"], in: "\(folder.path)/js")
    #expect(status == 1)
    #expect(answer["finding"] as? String == "polluted")
    #expect(others(answer) == ["a.test.js > block > pollutes"])
  }
}

import Foundation
import ProctorFormats
import ProctorModel
import Testing

@testable import ProctorAdapters

/// Manifests, and how the tests of reports and listings become tests of the project.
@Suite struct ManifestReadingTests {
  @Test(arguments: AdapterRegistry.manifests.keys.sorted())
  func `the manifests that come along are right`(name: String) throws {
    let text = try #require(AdapterRegistry.manifests[name])
    let adapter = try ManifestAdapter(text, isTrusted: true)
    #expect(adapter.id.rawValue == name)
    #expect(adapter.isEnabledByDefault == (name != "unittest"))
  }

  @Test(arguments: [
    ("*_test.go", "deep/x_test.go", true), ("*_test.go", "x_test.goo", false),
    ("t/*.t", "t/a.t", true), ("t/*.t", "lib/t/a.t", true), ("t/*.t", "a.t", false),
    ("go.mod", "a/go.mod", true), ("go.mod", "ago.mod", false), ("Test*.java", "TestIt.java", true),
    ("*a*b*", "xaxbx", true), ("*a*b*", "xbxax", false),
  ])
  func `patterns match the end of a path`(pattern: String, path: String, expected: Bool) {
    #expect(ManifestDetection.matches(pattern, path) == expected)
  }

  func detect(_ files: [String: String]) throws -> [String] {
    let tree = WorkspaceTree(root: "/w", files: files.keys.sorted()) {
      files[$0].map { Data($0.utf8) }
    }
    let manifest = try #require(AdapterRegistry.manifests["mocha"])
    return try ManifestAdapter(manifest, isTrusted: true).detect(in: tree).map(\.root)
  }

  @Test func `a project needs its mark, the mark's text, and tests`() throws {
    let mark = #"{"devDependencies": {"mocha": "*"}}"#
    #expect(try detect(["package.json": mark, "test/a.js": ""]) == ["."])
    #expect(try detect(["package.json": "{}", "test/a.js": ""]).isEmpty)
    #expect(try detect(["package.json": mark, "lib/a.js": ""]).isEmpty)
    // A project holds the ones below it.
    #expect(
      try detect([
        "package.json": mark, "test/a.js": "", "packages/x/package.json": mark,
        "packages/x/test/b.js": "",
      ]) == ["."])
    #expect(
      try detect([
        "a/package.json": mark, "a/test/a.js": "", "b/package.json": mark, "b/test/b.js": "",
      ])
        == ["a", "b"])
  }

  @Test func `CMake files that packages of other languages bring are no project`() throws {
    let cmake = "enable_testing()"
    func roots(_ files: [String: String]) throws -> [String] {
      let tree = WorkspaceTree(root: "/w", files: files.keys.sorted()) {
        files[$0].map { Data($0.utf8) }
      }
      let manifest = try #require(AdapterRegistry.manifests["ctest"])
      return try ManifestAdapter(manifest, isTrusted: true).detect(in: tree).map(\.root)
    }
    #expect(try roots(["CMakeLists.txt": cmake]) == ["."])
    #expect(try roots(["CMakeLists.txt": cmake, "Package.swift": ""]).isEmpty)
    #expect(try roots(["c/CMakeLists.txt": cmake, "Package.swift": ""]) == ["c"])
  }

  @Test func `tests of one name are told apart by their order`() {
    let (first, second) = (Sample.test("same"), Sample.test("same", occurrence: 2))
    // Only the second was chosen, and one ran: it is the one.
    var one = Chosen([second])
    one.count(first)
    #expect(one.take(first) == second)
    // Only the second was chosen, and both ran.
    var both = Chosen([second])
    both.count(first)
    both.count(second)
    #expect(both.take(first) == nil)
    #expect(both.take(second) == second)
    var all = Chosen(nil)
    all.count(first)
    #expect(all.take(first) == first)
  }

  @Test func `JSON of any shape is read by the names of its fields`() throws {
    let manifest = try AdapterManifest.read(
      """
      name = "x"
      extensions = []
      [detect]
      files = ["x"]
      [tool]
      program = "x"
      install = "x"
      [run]
      command = ["x"]
      format = "json"
      fields = { items = "a.b", name = "n", status = "s", message = "m.text", duration = "d", note = "why" }
      status = { passed = ["ok"], skipped = ["later"], failed = ["ko"] }
      duration_unit = "s"
      """)
    let table = TestTable(fields: manifest.run.fields, context: Sample.context())
    let data = Data(
      #"""
      {"a": {"b": [
        {"n": "one", "s": "ok", "d": 0.5}, {"n": "two", "s": "ko", "m": {"text": "broken"}},
        {"n": "three", "s": "later", "why": "busy"}, {"n": "four", "s": "odd"}]}}
      """#.utf8)
    let (cases, reading) = table.results(data, run: manifest.run)
    #expect(reading.isComplete)
    #expect(cases.map(\.name) == ["one", "two", "three", "four"])
    #expect(cases.map(\.outcome) == [.passed, .failed, .skipped, .errored])
    #expect(cases[0].attempts[0].durationMS == 500)
    #expect(cases[1].attempts[0].failures[0].message == "broken")
    #expect(cases[2].attempts[0].note == "busy")
    // A result that is nobody's must not be lost.
    let nameless = Data(#"{"a": {"b": [{"n": "one", "s": "ok"}, {"s": "ko"}]}}"#.utf8)
    #expect(!table.results(nameless, run: manifest.run).reading.isComplete)
    #expect(!table.results(Data("{\"a\": 1}".utf8), run: manifest.run).reading.isComplete)
    #expect(!table.results(Data("{\"a\":".utf8), run: manifest.run).reading.isComplete)
  }
}

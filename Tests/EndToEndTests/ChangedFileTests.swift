import Foundation
import Testing

/// A verdict is of the files as they are, however little tells them from those before.
@Suite(.serialized) struct ChangedFileTests {
  private let folder: TemporaryFolder
  private var workspace: String { "\(folder.path)/workspace" }

  init() throws { folder = try TemporaryFolder() }

  private func verdict() throws -> Int32 {
    try ProctorProcess(["run", "--format", "json"], in: workspace).run().status
  }

  /// Writes a file with one and the same date.
  private func place(_ text: String, at path: String) throws {
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: 1_700_000_000)],
      ofItemAtPath: try folder.write(text, to: "workspace/\(path)"))
  }

  /// What marks its project, a module with a function that adds by an operator, and a test that expects a sum.
  struct Runner: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let mark: (name: String, text: String)
    let module: (name: String, text: @Sendable (String) -> String)
    let test: (name: String, text: @Sendable (String) -> String)
  }

  static let runners = [
    Runner(
      testDescription: "pytest", mark: ("pytest.ini", "[pytest]\npythonpath = src\n"),
      module: ("src/calc.py", { "def add(a, b):\n    return a \($0) b\n" }),
      test: (
        "test_calc.py",
        { "from calc import add\n\n\ndef test_add():\n    assert add(1, 2) == \($0)\n" }
      )),
    Runner(
      testDescription: "jest", mark: ("package.json", "{\"jest\": {}}\n"),
      module: ("src/calc.js", { "exports.add = (a, b) => a \($0) b;\n" }),
      test: (
        "calc.test.js",
        {
          "const { add } = require('./src/calc');\n"
            + "test('adds', () => expect(add(1, 2)).toBe(\($0)));\n"
        }
      )),
  ]

  @Test(arguments: runners) func `other text of the same length and date`(runner: Runner) throws {
    try folder.write(runner.mark.text, to: "workspace/\(runner.mark.name)")
    try FileManager.default.createSymbolicLink(
      atPath: "\(folder.path)/node_modules",
      withDestinationPath: "\(ProctorProcess.repository)/fixtures/node_modules")
    for (sign, sum, status) in [
      ("+", "3", 0), ("-", "3", 1), ("+", "3", 0), ("+", "4", 1), ("+", "3", 0),
    ] as [(String, String, Int32)] {
      try place(runner.module.text(sign), at: runner.module.name)
      try place(runner.test.text(sum), at: runner.test.name)
      #expect(try verdict() == status, "\(sign) \(sum)")
    }
  }

  @Test func `bytecode is kept for what did not change`() throws {
    try folder.write("[pytest]\npythonpath = src\n", to: "workspace/pytest.ini")
    try folder.write("def add(a, b):\n    return a + b\n", to: "workspace/src/calc.py")
    try folder.write("x = 1\n", to: "workspace/src/other.py")
    try folder.write(
      """
      import calc, other


      def test_kept():
          from importlib.util import cache_from_source
          import os
          dates = {n: os.stat(cache_from_source(m.__file__)).st_ctime_ns
                   for n, m in (("calc", calc), ("other", other))}
          print(dates)
          assert 0

      """, to: "workspace/test_it.py")
    func dates() throws -> [String: Int] {
      let outcome = try ProctorProcess(["run", "--format", "json", "--details"], in: workspace)
        .run()
      let line = try #require(
        outcome.text.firstMatch(of: /\{'calc': (\d+), 'other': (\d+)\}/), "\(outcome.text)")
      return ["calc": Int(line.output.1) ?? 0, "other": Int(line.output.2) ?? 0]
    }
    // What changed just before a run is compiled again in the next one.
    Thread.sleep(forTimeInterval: 2.1)
    let first = try dates()
    #expect(try dates() == first)
    try folder.write("def add(a, b):\n    return a - b\n", to: "workspace/src/calc.py")
    let last = try dates()
    #expect(last["other"] == first["other"])
    #expect(last["calc"] != first["calc"])
  }

  @Test func `bytecode that cannot be looked at is not taken`() throws {
    try folder.write("[pytest]\npythonpath = src\n", to: "workspace/pytest.ini")
    try folder.write(
      """
      import calc, os, sys


      def test_add():
          assert calc.add(1, 2) == 3


      def test_shut():
          made = sys.pycache_prefix + os.getcwd()
          os.rename(made, made + "-other")
          os.symlink(made + "-other", made)

      """, to: "workspace/test_it.py")
    for (sign, status) in [("+", 0), ("-", 1), ("+", 0)] as [(String, Int32)] {
      try place("def add(a, b):\n    return a \(sign) b\n", at: "src/calc.py")
      #expect(try verdict() == status, "\(sign)")
    }
  }

  @Test func `no link in a cache leads anywhere`() throws {
    try folder.write("[pytest]\n", to: "workspace/pytest.ini")
    let own = try folder.write(Data("own".utf8), to: "else/gone.cpython-311.pyc")
    try folder.write(
      """
      import os, shutil, sys


      def test_links():
          place = sys.pycache_prefix + os.getcwd()
          if os.path.islink(place):
              os.unlink(place)
          shutil.rmtree(place, ignore_errors=True)
          os.makedirs(os.path.dirname(place), exist_ok=True)
          os.symlink("\(folder.path)/else", place)
          sys.dont_write_bytecode = True

      """, to: "workspace/test_it.py")
    for _ in 1...3 { #expect(try verdict() == 0) }
    #expect(FileManager.default.fileExists(atPath: own))
  }
}

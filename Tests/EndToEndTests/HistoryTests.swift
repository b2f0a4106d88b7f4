import Foundation
import Testing

/// The history of a workspace, through the built program.
@Suite(.serialized) final class HistoryTests {
  private let folder: TemporaryFolder
  private var workspace: String { "\(folder.path)/workspace" }
  /// Of each test of its own where files of the history matter, else of the whole suite.
  private var cache = ProctorProcess.cache

  init() throws {
    folder = try TemporaryFolder()
    try folder.write("[pytest]\n", to: "workspace/pytest.ini")
    try folder.write(
      """
      import os
      def test_flaky(): assert os.path.exists("lucky"), "no luck"
      def test_ok(): pass
      def test_export(): pass
      """, to: "workspace/test_a.py")
    try folder.write("lucky\n", to: "workspace/.gitignore")
  }

  private func proctor(
    _ arguments: [String], environment: [String: String] = [:]
  ) -> ProctorProcess {
    var process = ProctorProcess(arguments, in: workspace)
    process.environment["PROCTOR_CACHE_DIR"] = cache
    process.environment["XDG_CONFIG_HOME"] = "\(folder.path)/config"
    process.environment.merge(environment) { $1 }
    return process
  }

  /// An answer by the schema.
  private func answer(_ arguments: [String], status: Int32 = 0) throws -> [String: Any] {
    let outcome = try proctor(arguments + ["--format", "json"]).run()
    #expect(outcome.status == status, "\(arguments) \(outcome.stderr)")
    try Schema.validate(outcome.stdout, "history")
    return try outcome.json()
  }

  /// The executions of a test, the newest first.
  private func attempts(_ test: String, _ filter: [String] = []) throws -> [[String: Any]] {
    let tests = try answer(["history", test] + filter)["tests"] as? [[String: Any]]
    #expect(tests?.count == 1)
    return tests?.first?["attempts"] as? [[String: Any]] ?? []
  }

  @discardableResult
  private func git(_ arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/git")
    process.arguments = ["-c", "user.name=n", "-c", "user.email=n@example.org"] + arguments
    process.currentDirectoryURL = URL(filePath: workspace)
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(arguments)")
    return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
  }

  private func commit() throws -> String {
    if !FileManager.default.fileExists(atPath: "\(workspace)/.git") {
      try git(["init", "--quiet", "--initial-branch", "main"])
    }
    try git(["add", "-A"])
    try git(["commit", "--quiet", "--allow-empty", "-m", "one"])
    return try git(["rev-parse", "HEAD"])
  }

  private func run(_ arguments: [String] = [], status: Int32) throws {
    let outcome = try proctor(["run"] + arguments).run()
    #expect(outcome.status == status, "\(outcome.text) \(outcome.stderr)")
    #expect(!outcome.stderr.contains("history"), "\(outcome.stderr)")
  }

  @Test func `runs are told with their code, and what is flaky by evidence`() throws {
    let one = try commit()
    try run(status: 1)
    try folder.write("", to: "workspace/lucky")
    try run(status: 0)
    // Another commit, without luck: that alone would be a change.
    let two = try commit()
    try FileManager.default.removeItem(atPath: "\(workspace)/lucky")
    try run(status: 1)
    try folder.write("def test_new(): pass\n", to: "workspace/test_b.py")
    #expect(try proctor(["test", "test_a.py", "test_flaky"]).run().status == 1)
    let found = try attempts("test_flaky")
    #expect(found.map { $0["outcome"] as? String } == ["failed", "failed", "passed", "failed"])
    #expect(found.map { $0["commit"] as? String } == [two, two, one, one])
    #expect(found.map { $0["clean"] as? Bool } == [false, true, true, true])
    #expect(found.allSatisfy { $0["branch"] as? String == "main" })
    #expect(found[0]["message"] as? String == "AssertionError: no luck")
    #expect(found[0]["file"] as? String == "test_a.py" && found[0]["line"] as? Int == 2)
    #expect(found[0]["duration_ms"] as? Double != nil)
    let flaky = try answer(["flaky"])["tests"] as? [[String: Any]] ?? []
    #expect(flaky.map { $0["id"] as? String } == ["pytest:.:test_a.py::test_flaky"])
    #expect(flaky.first?["probability"] as? Double == 0.5)
    #expect(flaky.first?["codes"] as? Int == 1 && flaky.first?["only_failed_codes"] as? Int == 2)
    #expect(try answer(["flaky", "--branch", "other"])["total_tests"] as? Int == 0)
    let slowest = try answer(["slowest", "--limit", "2"])
    #expect((slowest["tests"] as? [Any])?.count == 2 && slowest["total_tests"] as? Int == 3)
    #expect(try attempts("test_ok", ["--limit", "1"]).count == 1)
    #expect(try attempts("test_ok", ["--since", "2999-01-01"]).isEmpty)
    let text = try proctor(["history", "test_flaky"]).run().text
    #expect(text.contains("newest last: F.FF"), "\(text)")
    #expect(
      text.contains("\(two.prefix(8))+") && text.contains("no luck at test_a.py:2"), "\(text)")
    #expect(try proctor(["flaky"]).run().text.contains("50 % (9 to 91 %) of 2"))
    #expect(try proctor(["slowest"]).run().text.contains("3 tests take"))
  }

  @Test func `a test that is called like a command can be asked for`() throws {
    try folder.write("def export(): pass\n", to: "workspace/test_c.py")
    try folder.write(
      "[pytest]\npython_functions = test_* export\n", to: "workspace/pytest.ini")
    try folder.write("", to: "workspace/lucky")
    try run(status: 0)
    let tests = try answer(["history", "show", "export"])["tests"] as? [[String: Any]]
    #expect(tests?.map { $0["id"] as? String } == ["pytest:.:test_c.py::export"])
    let missing = try answer(["history", "test_exprot"], status: 4)
    #expect(missing["status"] as? String == "no_tests")
    #expect((missing["suggestions"] as? [String])?.contains("test_a.py::test_export") == true)
  }

  @Test func `a patched copy is marked, and no evidence`() throws {
    _ = try commit()
    try run(status: 1)
    try folder.write(
      "def test_flaky(): pass\ndef test_ok(): pass\ndef test_export(): pass\n",
      to: "workspace/test_a.py")
    let diff = try git(["diff"])
    try git(["checkout", "--quiet", "."])
    let patch = try folder.write(diff + "\n", to: "fix.diff")
    try run(["--patch", patch], status: 0)
    let found = try attempts("test_flaky")
    #expect(found.map { $0["patched"] as? Bool } == [true, false])
    #expect(found.map { $0["clean"] as? Bool } == [false, true])
    #expect(try answer(["flaky"])["total_tests"] as? Int == 0)
    #expect(try proctor(["history", "test_flaky"]).run().text.contains("patched"))
  }

  @Test
  func `without git the same files are the same code, and files that change meanwhile are none`()
    throws
  {
    try run(status: 1)
    try folder.write("", to: "workspace/lucky")
    try run(status: 0)
    #expect(try answer(["flaky"])["total_tests"] as? Int == 1)
    #expect(try attempts("test_flaky").allSatisfy { $0["commit"] == nil && $0["clean"] == nil })
    _ = try commit()
    try folder.write("[tests]\nworkspace = \"writable\"\n", to: "workspace/proctor.toml")
    try folder.write(
      "def test_writes(): open('made.txt', 'w').close()\n", to: "workspace/test_w.py")
    _ = try commit()
    try run(status: 0)
    let found = try #require(try attempts("test_writes").first)
    #expect(found["commit"] != nil && found["clean"] == nil)
  }

  @Test func `what one machine exports another one imports`() throws {
    _ = try commit()
    try run(status: 1)
    let exported = try answer(["history", "export", "../made/for/one.ndjson"])
    #expect(exported["runs"] as? Int == 1 && exported["tests"] as? Int == 3)
    let lines = try String(contentsOfFile: "\(folder.path)/made/for/one.ndjson", encoding: .utf8)
    for line in lines.split(separator: "\n") {
      try Schema.validate(Data(line.utf8), "history_line")
    }
    let piped = try proctor(["history", "export"]).run()
    #expect(piped.status == 0 && piped.text == lines)
    let other = ["PROCTOR_CACHE_DIR": "\(folder.path)/other"]
    let import1 = [
      "history", "import", "../made/for/one.ndjson", "../made/for/one.ndjson", "--format", "json",
    ]
    let outcome = try proctor(import1, environment: other).run()
    try Schema.validate(outcome.stdout, "history")
    #expect(try outcome.json()["runs"] as? Int == 1)
    #expect(try outcome.json()["known_runs"] as? Int == 1)
    let shown = try proctor(["history", "test_flaky"], environment: other).run()
    #expect(shown.text.contains("no luck"))
    // The second file is cut off: nothing of the first is taken either.
    try folder.write(String(lines.dropLast(12)), to: "two.ndjson")
    let third = ["PROCTOR_CACHE_DIR": "\(folder.path)/third"]
    let bad = try proctor(
      ["history", "import", "../made/for/one.ndjson", "../two.ndjson", "--format", "json"],
      environment: third
    ).run()
    #expect(bad.status == 2)
    #expect(bad.stderr.contains("../two.ndjson:6: "), "\(bad.stderr)")
    try Schema.validate(bad.stdout, "history")
    #expect(try proctor(["history", "test_flaky"], environment: third).run().status == 4)
  }

  @Test func `processes that record at the same moment lose nothing`() throws {
    try folder.write("", to: "workspace/lucky")
    let running = try (0..<4).map { _ in try proctor(["run"]).start() }
    for process in running {
      let outcome = try process.wait()
      #expect(outcome.status == 0, "\(outcome.text) \(outcome.stderr)")
      #expect(!outcome.stderr.contains("history"), "\(outcome.stderr)")
    }
    #expect(try attempts("test_ok").count == 4)
  }

  @Test func `a file that cannot be used changes no verdict, and is said`() throws {
    let file = try recordedFile()
    try Data(repeating: 0x41, count: 5000).write(to: URL(filePath: file))
    let garbage = try proctor(["run"]).run()
    #expect(garbage.status == 0)
    #expect(garbage.stderr.contains("history.sqlite.corrupt-1"), "\(garbage.stderr)")
    #expect(try attempts("test_ok").count == 1)
    try FileManager.default.removeItem(atPath: file)
    try FileManager.default.createDirectory(atPath: file, withIntermediateDirectories: true)
    let blocked = try proctor(["run"]).run()
    #expect(blocked.status == 0)
    #expect(blocked.stderr.contains("this run is not in the history: \(file)"), "\(blocked.stderr)")
    let unread = try proctor(["history", "test_ok", "--format", "json"]).run()
    #expect(unread.status == 5)
    try Schema.validate(unread.stdout, "history")
  }

  /// The history's file after a first run, in a cache of its own.
  private func recordedFile() throws -> String {
    cache = "\(folder.path)/cache"
    try folder.write("", to: "workspace/lucky")
    try run(status: 0)
    let histories = "\(cache)/history"
    let name = try #require(try FileManager.default.contentsOfDirectory(atPath: histories).first)
    return "\(histories)/\(name)/history.sqlite"
  }

  /// A file system that is full, then one that cannot be written, in the place of the history's folder.
  @Test(.enabled(if: getuid() == 0, "only root may mount"))
  func `a full disk and a folder that cannot be written change no verdict, and are said`() throws {
    let histories = URL(filePath: try recordedFile()).deletingLastPathComponent().path
    for (options, words) in [("size=64k", "full"), ("ro", "Read-only")] {
      let process = Process()
      process.executableURL = URL(filePath: "/usr/bin/unshare")
      let script = """
        mount -t tmpfs -o "$1" none "$2" && { [ "$1" = ro ] || head -c 60k /dev/zero > "$2/rest"; } \
        && exec "$0" run
        """
      process.arguments = [
        "-m", "/bin/sh", "-c", script, ProctorProcess.binary, options, histories,
      ]
      process.currentDirectoryURL = URL(filePath: workspace)
      process.environment = proctor([]).environment
      let (stdout, stderr) = (Pipe(), Pipe())
      (process.standardOutput, process.standardError) = (stdout, stderr)
      try process.run()
      let said = String(decoding: stderr.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      process.waitUntilExit()
      #expect(process.terminationStatus == 0, "\(said)")
      #expect(said.contains("this run is not in the history: \(histories)"), "\(said)")
      #expect(said.contains(words), "\(said)")
    }
    #expect(try attempts("test_ok").count == 1)
  }

  @Test func `it is switched off by the workspace or by the user, and bounded by both`() throws {
    try folder.write("", to: "workspace/lucky")
    try folder.write("[history]\nenabled = false\n", to: "workspace/proctor.toml")
    try run(status: 0)
    try FileManager.default.removeItem(atPath: "\(workspace)/proctor.toml")
    try folder.write("[history]\nenabled = false\n", to: "config/proctor/proctor.toml")
    try run(status: 0)
    #expect(try answer(["slowest"])["total_tests"] as? Int == 0)
    #expect(try answer(["history", "test_ok"], status: 4)["tests"] as? [String] == [])
    try folder.write("[history]\nmax_mb = 0\n", to: "workspace/proctor.toml")
    let wrong = try proctor(["run"]).run()
    #expect(wrong.status == 2 && wrong.stderr.contains("proctor.toml:2"), "\(wrong.stderr)")
    try folder.write("[history]\nmax_mb = 1\nkeep_days = 1\n", to: "workspace/proctor.toml")
    try folder.write("[history]\nmax_mb = 100\n", to: "config/proctor/proctor.toml")
    try run(status: 0)
    #expect(try attempts("test_ok").count == 1)
    for wrong in [["--since", "soon"], ["--limit", "0"]] {
      #expect(try proctor(["flaky"] + wrong).run().status == 2, "\(wrong)")
    }
  }
}

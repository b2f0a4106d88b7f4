import Foundation
import Testing

/// Candidates beside the workspace: patches and revisions, ranked.
@Suite(.serialized) struct CompareTests {
  private let folder: TemporaryFolder
  private var workspace: String { "\(folder.path)/workspace" }

  init() throws {
    folder = try TemporaryFolder()
    try folder.write("[pytest]\npythonpath = src\n", to: "workspace/pytest.ini")
    try folder.write("def add(a, b):\n    return a - b\n", to: "workspace/src/calc.py")
    try folder.write(
      "from calc import add\n\ndef test_add():\n    assert add(1, 2) == 3\n\ndef test_zero():\n    assert add(2, 0) == 2\n",
      to: "workspace/tests/test_calc.py")
  }

  private func git(_ arguments: [String]) throws {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/git")
    process.arguments = ["-c", "user.name=n", "-c", "user.email=n@example.org"] + arguments
    process.currentDirectoryURL = URL(filePath: workspace)
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
  }

  private func patch(_ name: String, _ line: String) throws -> String {
    try folder.write(
      "--- a/src/calc.py\n+++ b/src/calc.py\n@@ -1,2 +1,2 @@\n def add(a, b):\n-    return a - b\n+    \(line)\n",
      to: name)
  }

  private func compare(
    _ arguments: [String], status: Int32
  ) throws -> (answer: [String: Any], rows: [[String: Any]]) {
    let outcome = try ProctorProcess(["compare", "--format", "json"] + arguments, in: workspace)
      .run()
    #expect(outcome.status == status, "\(outcome.text)\(outcome.stderr)")
    try Schema.validate(outcome.stdout, "compare")
    let answer = try outcome.json()
    return (answer, answer["candidates"] as? [[String: Any]] ?? [])
  }

  private func names(_ rows: [[String: Any]]) -> [String] {
    rows.map {
      ($0["candidate"] as? String ?? "").split(separator: "/").last.map(String.init) ?? ""
    }
  }

  @Test func `a link of a revision leads nowhere`() throws {
    let outside = "\(folder.path)/outside"
    let files = FileManager.default
    try files.createDirectory(atPath: outside, withIntermediateDirectories: true)
    try files.createSymbolicLink(atPath: "\(workspace)/x", withDestinationPath: outside)
    try git(["init", "--quiet"])
    try git(["add", "-A"])
    try git(["commit", "--quiet", "-m", "one"])
    // Where the workspace has a folder now, whose dependencies are shown to candidates.
    try files.removeItem(atPath: "\(workspace)/x")
    try folder.write("1", to: "workspace/x/node_modules/f")
    let rows = try compare(["HEAD"], status: 1).rows
    let run = rows.first?["run"] as? [String: Any]
    #expect(run?["status"] as? String == "partial_failure", "\(rows)")
    #expect(try files.contentsOfDirectory(atPath: outside) == [])
  }

  @Test func `patches are ranked by what the tests say, then by whether tests were touched`() throws
  {
    let right = try patch(
      "right.diff", "return a + b  # as it must be, with many more words than it needs")
    let wrong = try patch("wrong.diff", "return 3")
    let none = try folder.write(
      "--- a/gone.py\n+++ b/gone.py\n@@ -1 +1 @@\n-x\n+y\n", to: "none.diff")
    let cheat = try folder.write(
      "--- a/tests/test_calc.py\n+++ b/tests/test_calc.py\n@@ -3,3 +3,3 @@\n def test_add():\n-    assert add(1, 2) == 3\n+    assert True\n \n",
      to: "cheat.diff")
    let (answer, rows) = try compare([none, wrong, cheat, right], status: 0)
    #expect(names(rows) == ["right.diff", "cheat.diff", "wrong.diff", "none.diff"])
    #expect((answer["best"] as? String)?.hasSuffix("right.diff") == true)
    #expect(rows[0]["fixes_count"] as? Int == 1)
    #expect(
      (rows[1]["change"] as? [String: Any])?["touches_tests"] as? [String] == ["tests/test_calc.py"]
    )
    let broken = rows[2]["regressions"] as? [[String: Any]] ?? []
    #expect(broken.map { $0["id"] as? String } == ["pytest:.:tests/test_calc.py::test_zero"])
    #expect((rows[3]["problem"] as? String)?.contains("does not apply") == true)
    #expect(try compare([wrong, none], status: 1).answer["best"] == nil)
  }

  @Test func `a test that is gone or skipped is a regression`() throws {
    let gone = try folder.write(
      "--- a/tests/test_calc.py\n+++ b/tests/test_calc.py\n@@ -3,5 +3,2 @@\n-def test_add():\n-    assert add(1, 2) == 3\n-\n def test_zero():\n     assert add(2, 0) == 2\n",
      to: "failing.diff")
    #expect(try compare([gone], status: 0).rows[0]["regressions_count"] as? Int == 0)
    let skipped = try folder.write(
      "--- a/tests/test_calc.py\n+++ b/tests/test_calc.py\n@@ -5,3 +5,4 @@\n \n-def test_zero():\n+import pytest\n+def test_other():\n     assert add(2, 0) == 2\n",
      to: "skipped.diff")
    let row = try compare([skipped], status: 1).rows[0]
    let regressions = row["regressions"] as? [[String: Any]] ?? []
    #expect(regressions.count == 1)
    #expect(regressions.first?["after"] == nil)
  }

  @Test func `revisions are laid out whatever the repository's settings say`() throws {
    try folder.write("* export-ignore filter=evil\n", to: "workspace/.gitattributes")
    try git(["init", "--quiet", "-b", "main"])
    try git(["add", "-A"])
    try git(["commit", "--quiet", "-m", "one"])
    try folder.write("def add(a, b):\n    return a + b\n", to: "workspace/src/calc.py")
    try git(["commit", "--quiet", "-am", "two"])
    try git(["tag", "fixed"])
    let mark = "\(folder.path)/started"
    let script = try folder.write("#!/bin/sh\ntouch '\(mark)'\ncat\n", to: "evil.sh")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: script)
    for (key, value) in [
      ("filter.evil.smudge", script), ("filter.evil.required", "true"), ("core.fsmonitor", script),
      ("core.pager", script), ("diff.external", script), ("alias.archive", "!\(script)"),
    ] { try git(["config", key, value]) }
    try folder.write("#!/bin/sh\ntouch '\(mark)'\n", to: "workspace/.git/hooks/post-checkout")
    try folder.write("def add(a, b):\n    return 7\n", to: "workspace/src/calc.py")
    let (_, rows) = try compare(["HEAD~1", "fixed", "nowhere", "--", "--upload-pack=x"], status: 0)
    #expect(names(rows) == ["fixed", "HEAD~1", "nowhere", "--upload-pack=x"])
    #expect((rows[1]["run"] as? [String: Any])?["passed"] as? Int == 1)
    #expect((rows[0]["change"] as? [String: Any])?["files_changed"] as? Int == 1)
    #expect(
      (rows[2]["problem"] as? String)?.contains("neither a patch file nor a revision") == true)
    #expect(!FileManager.default.fileExists(atPath: mark))
    #expect(try String(contentsOfFile: "\(workspace)/src/calc.py", encoding: .utf8).contains("7"))
  }

  @Test func `the table is text and Markdown that no name breaks`() throws {
    let right = try patch("a|b_c.diff", "return a + b")
    let markdown = try ProctorProcess(["compare", right, "--format", "markdown"], in: workspace)
      .run()
    #expect(markdown.status == 0)
    let rows = markdown.text.split(separator: "\n").filter { $0.hasPrefix("|") }
    #expect(rows.count == 4)
    #expect(rows[3].contains("a\\|b\\_c.diff"))
    let text = try ProctorProcess(["compare", right], in: workspace).run()
    #expect(text.text.contains("Best: "))
    #expect(try ProctorProcess(["compare"], in: workspace).run().status == 2)
  }

  // MARK: benchmarks

  /// A candidate whose function sleeps so long.
  private func sleeping(_ name: String, _ seconds: String, returning value: String = "n") throws
    -> String
  {
    try folder.write(
      """
      --- a/src/nap.py
      +++ b/src/nap.py
      @@ -1,4 +1,4 @@
       import time
       def nap(n):
      -    time.sleep(0.003)
      -    return n
      +    time.sleep(\(seconds))  # \(name)
      +    return \(value)

      """, to: name)
  }

  private func layOutNap() throws {
    try folder.write("def add(a, b):\n    return a + b\n", to: "workspace/src/calc.py")
    try folder.write(
      "import time\ndef nap(n):\n    time.sleep(0.003)\n    return n\n", to: "workspace/src/nap.py")
    try folder.write(
      "from nap import nap\n\ndef test_nap():\n    assert nap(2) == 2\n",
      to: "workspace/tests/test_nap.py")
  }

  @Test func `what is otherwise equal ranks by the speed of benchmarks`() throws {
    try layOutNap()
    let slow = try sleeping("slow.diff", "0.009")
    let fast = try sleeping("fast.diff", "0.001", returning: "n  # with many more words than slow")
    let wrong = try sleeping("wrong.diff", "0", returning: "3")
    let (_, rows) = try compare(
      [slow, wrong, fast, "--yes", "--bench", "src/nap.py:nap:[1]"], status: 0)
    #expect(names(rows) == ["fast.diff", "slow.diff", "wrong.diff"])
    let timed = try rows.map {
      try #require(($0["benchmarks"] as? [[String: Any]])?.first)
    }
    #expect(
      timed.map { $0["benchmark"] as? String } == .init(repeating: "src/nap.py:nap:[1]", count: 3))
    #expect(timed.map { $0["status"] as? String } == ["measured", "measured", "not_run"])
    let comparisons = timed.compactMap { $0["comparison"] as? [String: Any] }
    #expect(comparisons.map { $0["verdict"] as? String } == ["faster", "slower"])
    #expect(comparisons.allSatisfy { $0["baseline"] as? String == "the workspace" })
    let ratios = rows.compactMap { $0["speed_ratio"] as? Double }
    #expect(ratios.count == 2 && ratios[0] < 0.8 && ratios[1] > 1.5, "\(ratios)")
    #expect((timed[2]["message"] as? String)?.contains("tests do not pass") == true)
  }

  @Test func `a benchmark that fails is told beside those that do not`() throws {
    try layOutNap()
    let raises = try folder.write(
      "--- a/src/nap.py\n+++ b/src/nap.py\n@@ -2,3 +2,3 @@\n def nap(n):\n-    time.sleep(0.003)\n+    assert n == 2\n     return n\n",
      to: "raises.diff")
    let markdown = try ProctorProcess(
      [
        "compare", raises, "--yes", "--format", "markdown", "--bench", "src/nap.py:nap:[1]",
        "--bench", "src/nap.py:none",
      ], in: workspace
    ).run()
    #expect(markdown.status == 0, "\(markdown.text)\(markdown.stderr)")
    let lines = markdown.text.split(separator: "\n")
    #expect(lines[0].contains("src/nap.py:nap:"))
    #expect(lines[3].hasSuffix("| runtime\\_error | not\\_found |"), "\(lines)")
    #expect(markdown.text.contains("AssertionError"))
  }

  @Test(arguments: [
    ("src/nap.py", 2, "FILE:FUNCTION"), (":nap", 2, "FILE:FUNCTION"),
    ("src/none.py:nap", 2, "no file"), ("src/nap.py:nap:[1", 2, "not JSON"),
    ("../x.py:nap", 2, "outside"), ("src/nap.txt:nap", 2, "no file"),
  ])
  func `a benchmark that cannot be is refused before anything runs`(
    name: String, status: Int32, says: String
  ) throws {
    try layOutNap()
    let right = try sleeping("right.diff", "0.003")
    let outcome = try ProctorProcess(
      ["compare", right, "--yes", "--bench", name, "--format", "json"], in: workspace
    ).run()
    #expect(outcome.status == status && outcome.stdout.isEmpty)
    #expect(outcome.stderr.contains(says), "\(outcome.stderr)")
  }

  @Test func `benchmarks ask as bench does`() throws {
    try layOutNap()
    let right = try sleeping("right.diff", "0.003")
    let outcome = try ProctorProcess(
      ["compare", right, "--bench", "src/nap.py:nap:[1]"], in: workspace
    ).run()
    #expect(outcome.status == 8)
    #expect(outcome.stderr.contains("--yes"))
  }
}

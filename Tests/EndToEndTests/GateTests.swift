import Foundation
import Testing

/// `proctor gate` on real repositories.
@Suite(.serialized) struct GateTests {
  private let folder: TemporaryFolder
  private var workspace: String { "\(folder.path)/workspace" }

  /// Three tests on `main`, of which one fails; a branch `feature` is checked out.
  init() throws {
    folder = try TemporaryFolder()
    try folder.write("[pytest]\npythonpath = src\n", to: "workspace/pytest.ini")
    try folder.write("def add(a, b):\n    return a + b\n", to: "workspace/src/calc.py")
    try write(tests: Self.tests)
    try git(["init", "--quiet", "-b", "main"])
    try commit("one")
    try git(["checkout", "--quiet", "-b", "feature"])
  }

  private static let tests = """
    from calc import add

    def test_add():
        assert add(1, 2) == 3
        assert add(2, 2) == 4

    def test_zero():
        assert add(2, 0) == 2

    def test_known():
        assert add(1, 1) == 3

    """

  private func write(tests: String) throws {
    try folder.write(tests, to: "workspace/tests/test_calc.py")
  }

  private func git(_ arguments: [String], in directory: String? = nil) throws {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/git")
    process.arguments =
      [
        "-c", "user.name=n", "-c", "user.email=n@example.org", "-c", "protocol.file.allow=always",
      ] + arguments
    process.currentDirectoryURL = URL(filePath: directory ?? workspace)
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "git \(arguments)")
  }

  private func commit(_ message: String) throws {
    try git(["add", "-A"])
    try git(["commit", "--quiet", "-m", message])
  }

  private func proctor(
    _ arguments: [String], in directory: String? = nil
  ) throws -> ProctorProcess.Outcome {
    var process = ProctorProcess(arguments, in: directory ?? workspace)
    // Of a machine that builds a change these would name another base.
    for name in ["GITHUB_BASE_REF", "CI_DEFAULT_BRANCH"] { process.environment[name] = nil }
    return try process.run()
  }

  private func gate(
    _ arguments: [String] = [], status: Int32, in directory: String? = nil
  ) throws -> [String: Any] {
    let outcome = try proctor(["gate", "--format", "json"] + arguments, in: directory)
    #expect(outcome.status == status, "\(outcome.text)\(outcome.stderr)")
    try Schema.validate(outcome.stdout, "gate")
    return try outcome.json()
  }

  private func rules(_ answer: [String: Any]) -> [String] {
    (answer["blocks"] as? [[String: Any]] ?? []).compactMap { $0["rule"] as? String }
  }

  private func tests(_ answer: [String: Any], _ kind: String) -> [String] {
    (answer["tests"] as? [[String: Any]] ?? []).filter { $0["class"] as? String == kind }
      .compactMap { $0["name"] as? String }
  }

  private func counts(_ answer: [String: Any]) -> [String: Int] {
    (answer["counts"] as? [String: Int] ?? [:]).filter { $0.value > 0 }
  }

  // MARK: what blocks

  @Test func `a new failure blocks, a known one does not`() throws {
    try folder.write("def add(a, b):\n    return a + b + 0\n", to: "workspace/src/calc.py")
    let good = try gate(status: 0)
    #expect(good["may_merge"] as? Bool == true)
    #expect(counts(good) == ["known_failure": 1, "unchanged": 2])
    #expect((good["base"] as? [String: Any])?["name"] as? String == "main")
    // What was run for the first answer is known for the second.
    try folder.write("def add(a, b):\n    return a * b\n", to: "workspace/src/calc.py")
    let comment = "\(folder.path)/comment.md"
    let bad = try gate(["--comment", comment], status: 1)
    #expect((bad["base"] as? [String: Any])?["source"] as? String == "history")
    #expect(rules(bad) == ["new_failures"])
    #expect(tests(bad, "new_failure") == ["test_add", "test_zero"])
    #expect(tests(bad, "known_failure").count == 1)
    let text = try String(contentsOfFile: comment, encoding: .utf8)
    #expect(text.contains("### proctor gate: blocked"))
    #expect(text.contains("test&#95;zero"))
    // A run of base gives what the history has.
    let again = try gate(["--run-base"], status: 1)
    #expect((again["base"] as? [String: Any])?["source"] as? String == "run")
    #expect(counts(again) == counts(bad))
  }

  @Test func `a removed test blocks and is named, unless base's policy lists it`() throws {
    let without = Self.tests.replacing(
      "def test_zero():\n    assert add(2, 0) == 2\n\n", with: "")
    try write(tests: without)
    // A change does not loosen the gate that judges it.
    try folder.write("[gate]\nallow_removed = [\"test_zero\"]\n", to: "workspace/proctor.toml")
    let answer = try gate(status: 1)
    #expect(rules(answer) == ["removed"])
    let change = answer["change"] as? [String: Any]
    #expect(change?["removed"] as? [String] == ["pytest:.:tests/test_calc.py::test_zero"])
    #expect(change?["edits_policy"] as? Bool == true)
    #expect((answer["policy"] as? [String: Any])?["allow_removed"] as? [String] == [])
    #expect((answer["notes"] as? [String] ?? []).contains { $0.contains("[gate]") })
    // Once it is merged it counts.
    try git(["checkout", "--quiet", "--", "tests"])
    try git(["checkout", "--quiet", "main"])
    try commit("the policy")
    try git(["checkout", "--quiet", "-b", "second"])
    try write(tests: without)
    let allowed = try gate(status: 0)
    let row = (allowed["tests"] as? [[String: Any]])?.first { $0["class"] as? String == "removed" }
    #expect(row?["allowed_by"] as? String == "test_zero")
  }

  @Test func `skipped and weakened tests are told with the change that did it`() throws {
    try write(
      tests: Self.tests.replacing("    assert add(2, 2) == 4\n", with: "")
        .replacing(
          "def test_zero", with: "import pytest\n@pytest.mark.skip(reason='later')\ndef test_zero"))
    try folder.write("def add(a, b):\n    return a + b  # shorter\n", to: "workspace/src/calc.py")
    let answer = try gate(status: 1)
    #expect(rules(answer) == ["newly_skipped"])
    #expect(tests(answer, "newly_skipped") == ["test_zero"])
    let change = answer["change"] as? [String: Any]
    #expect(change?["edits_code"] as? Bool == true)
    #expect(change?["touches_tests"] as? [String] == ["tests/test_calc.py"])
    #expect(change?["newly_skipped"] as? [String] == ["pytest:.:tests/test_calc.py::test_zero"])
    let weakened = try #require((change?["weakened"] as? [[String: Any]])?.first)
    #expect(weakened["test"] as? String == "pytest:.:tests/test_calc.py::test_add")
    #expect(weakened["assertions_before"] as? Int == 2)
    #expect(weakened["assertions_after"] as? Int == 1)
  }

  @Test func `what does not collect is never merged, and settings hide nothing`() throws {
    try folder.write("def test_new(:\n", to: "workspace/tests/test_new.py")
    let broken = try gate(status: 1)
    #expect(rules(broken).first == "errors_outside_tests")
    try FileManager.default.removeItem(atPath: "\(workspace)/tests/test_new.py")
    // The change deselects a test: base runs with settings of its own.
    try folder.write(
      "[tests.pytest]\nargs = [\"--deselect\", \"tests/test_calc.py::test_zero\"]\n",
      to: "workspace/proctor.toml")
    let deselected = try gate(["--run-base"], status: 1)
    #expect(rules(deselected) == ["removed"])
    #expect(tests(deselected, "removed") == ["test_zero"])
  }

  @Test func `tests of a file that skips itself as a whole are missed, and its reason is told`()
    throws
  {
    try git(["checkout", "--quiet", "main"])
    try folder.write("def test_more():\n    pass\n", to: "workspace/tests/test_more.py")
    try commit("two")
    try git(["checkout", "--quiet", "-B", "feature"])
    try folder.write(
      "import pytest\npytest.skip('not `today`', allow_module_level=True)\ndef test_more():\n    pass\n",
      to: "workspace/tests/test_more.py")
    let comment = "\(folder.path)/comment.md"
    let answer = try gate(["--comment", comment], status: 1)
    #expect(rules(answer) == ["removed"])
    #expect(tests(answer, "removed") == ["test_more"])
    let note =
      "head: pytest: skipped as a whole, whatever tests it has: tests/test_more.py: not `today`"
    #expect(answer["notes"] as? [String] == [note])
    let text = try String(contentsOfFile: comment, encoding: .utf8)
    #expect(text.contains("Head: <code>pytest: skipped as a whole") && !text.contains("`today`"))
  }

  @Test func `a failure that passed on the same code before is flaky`() throws {
    try folder.write("flag\n__pycache__\n", to: "workspace/.gitignore")
    try folder.write(
      "import os\n\ndef test_flag():\n    assert not os.path.exists('flag')\n",
      to: "workspace/tests/test_flag.py")
    try commit("a test that depends on what git does not see")
    #expect(try gate(status: 0)["status"] as? String == "passed")
    try folder.write("", to: "workspace/flag")
    let answer = try gate(status: 1)
    #expect(rules(answer) == ["flaky"])
    #expect(tests(answer, "flaky") == ["test_flag"])
    #expect(tests(answer, "new_failure") == [])
  }

  // MARK: reports

  @Test func `base from a report is base as it is run, and an incomplete one is no pass`() throws {
    let report = "\(folder.path)/base.json"
    func record(_ arguments: [String]) throws {
      let outcome = try proctor(["run", "--format", "json"] + arguments)
      try outcome.stdout.write(to: URL(filePath: report))
    }
    try record(["--details"])
    try folder.write("def add(a, b):\n    return a - b\n", to: "workspace/src/calc.py")
    let ran = try gate(["--run-base"], status: 1)
    let read = try gate(["--base-report", report], status: 1)
    #expect(counts(read) == counts(ran))
    #expect((read["base"] as? [String: Any])?["source"] as? String == "report")
    try git(["checkout", "--quiet", "--", "src"])
    try folder.write("x = 1\n", to: "workspace/src/other.py")
    let whole = try proctor(["run", "--format", "json", "--details"])
    let head = try folder.write(whole.stdout, to: "head.json")
    try record([])
    let brief = try gate(["--base-report", report, "--head-report", head], status: 5)
    #expect(brief["reason"] as? String == "base_incomplete")
    #expect((brief["message"] as? String)?.contains("--details") == true)
    try record(["--details", "--filter", "test_known|test_add"])
    let some = try gate(["--base-report", report, "--head-report", head], status: 5)
    #expect((some["message"] as? String)?.contains("selection") == true)
    // Cut off, of a shard, of a patched copy.
    let good = try whole.json()
    let tests = good["tests"] as? [Any] ?? []
    let patch: [String: Any] = ["files": [Any](), "touches_tests": [Any]()]
    for (key, value, says) in [
      ("tests", Array(tests.dropLast()) as Any, "lists"),
      (
        "shard", ["index": 1, "count": 2, "plan": "x", "planned": 6, "assigned": 3], "shard 1 of 2"
      ),
      ("patch", patch, "patched"),
    ] {
      try JSONSerialization.data(withJSONObject: good.merging([key: value]) { $1 })
        .write(to: URL(filePath: report))
      let answer = try gate(["--base-report", report, "--head-report", head], status: 5)
      #expect((answer["message"] as? String)?.contains(says) == true, "\(answer)")
      guard key != "patch" else { continue }
      let other = try gate(["--head-report", report, "--base-report", head], status: 5)
      #expect(other["reason"] as? String == "head_incomplete")
    }
    try whole.stdout.prefix(whole.stdout.count / 2).write(to: URL(filePath: report))
    let half = try gate(["--base-report", report, "--head-report", head], status: 2)
    #expect(half["status"] as? String == "error" && half["may_merge"] as? Bool == false)
  }

  @Test func `two reports are compared without a repository`() throws {
    let bare = try TemporaryFolder()
    let before = try proctor(["run", "--format", "json", "--details"])
    try folder.write("def add(a, b):\n    return a - b\n", to: "workspace/src/calc.py")
    let after = try proctor(["run", "--format", "json", "--details"])
    try bare.write(before.stdout, to: "base.json")
    try bare.write(after.stdout, to: "head.json")
    let answer = try gate(
      ["--base-report", "base.json", "--head-report", "head.json"], status: 1, in: bare.path)
    #expect(rules(answer) == ["new_failures"])
    #expect((answer["policy"] as? [String: Any])?["from"] as? String == "workspace")
    let markdown = try proctor(
      [
        "gate", "--base-report", "base.json", "--head-report", "head.json", "--format", "markdown",
      ], in: bare.path)
    let again = try proctor(
      [
        "gate", "--base-report", "base.json", "--head-report", "head.json", "--format", "markdown",
      ], in: bare.path)
    #expect(markdown.status == 1 && markdown.stdout == again.stdout)
  }

  // MARK: the base

  @Test func `base is where the line of head began`() throws {
    try folder.write("x = 1\n", to: "workspace/src/other.py")
    try commit("two")
    // Meanwhile main goes on, with a test that this line does not have.
    try git(["checkout", "--quiet", "main"])
    try write(tests: Self.tests + "def test_later():\n    assert True\n")
    try commit("three")
    try git(["checkout", "--quiet", "--detach", "feature"])
    let answer = try gate(status: 0)
    #expect(counts(answer) == ["known_failure": 1, "unchanged": 2])
    // A revision is judged like what is checked out.
    try git(["checkout", "--quiet", "main"])
    let revision = try gate(["--head", "feature", "--base", "main"], status: 0)
    #expect(counts(revision) == counts(answer))
    let same = try proctor(["gate"])
    #expect(same.status == 2)
    #expect(same.stderr.contains("--base HEAD~1"))
    let older = try gate(["--base", "HEAD~1"], status: 0)
    #expect(tests(older, "new") == ["test_later"])
    #expect(try proctor(["gate", "--base", "nowhere"]).status == 2)
  }

  @Test func `a shallow clone says what it lacks`() throws {
    try folder.write("x = 1\n", to: "workspace/src/other.py")
    try commit("two")
    try git(["checkout", "--quiet", "main"])
    try git(
      [
        "clone", "--quiet", "--depth", "1", "--branch", "feature", "file://\(workspace)",
        "\(folder.path)/clone",
      ], in: folder.path)
    let outcome = try proctor(["gate"], in: "\(folder.path)/clone")
    #expect(outcome.status == 2)
    #expect(outcome.stderr.contains("fetch-depth: 0"), "\(outcome.stderr)")
    try git(
      ["fetch", "--quiet", "--unshallow", "origin", "+refs/heads/*:refs/remotes/origin/*"],
      in: "\(folder.path)/clone")
    let whole = try gate(status: 0, in: "\(folder.path)/clone")
    #expect((whole["base"] as? [String: Any])?["name"] as? String == "origin/main")
  }
}

import Foundation
import Testing

/// Divided runs of the built program, and their merge.
@Suite(.serialized) struct ShardTests {
  private let folder: TemporaryFolder
  private var workspace: String { "\(folder.path)/workspace" }

  init() throws {
    folder = try TemporaryFolder()
    try folder.write("[pytest]\n", to: "workspace/pytest.ini")
    for file in 1...3 {
      try folder.write(
        "import pytest\n\n@pytest.mark.parametrize('n', range(3))\ndef test_\(file)(n):\n    assert n < 3\n",
        to: "workspace/tests/test_\(file).py")
    }
  }

  private func run(
    _ arguments: [String], _ variables: [String: String] = [:]
  ) throws -> ProctorProcess.Outcome {
    var process = ProctorProcess(
      ["run", "--format", "json", "--details"] + arguments, in: workspace)
    process.environment.merge(variables) { $1 }
    return try process.run()
  }

  /// Runs a shard, and keeps its report in the workspace, as people do.
  @discardableResult
  private func shard(_ index: Int, of count: Int, _ more: [String] = []) throws -> [String: Any] {
    let outcome = try run(["--shard", "\(index)/\(count)"] + more)
    try Schema.validate(outcome.stdout, "run_all_tests")
    try folder.write(outcome.stdout, to: "workspace/reports/shard-\(index).json")
    return try outcome.json()
  }

  private func merge(
    status: Int32, _ files: [String] = ["reports"]
  ) throws -> [String: Any] {
    let outcome = try ProctorProcess(
      ["merge", "--format", "json", "--details"] + files, in: workspace
    ).run()
    #expect(outcome.status == status, "\(outcome.text)\(outcome.stderr)")
    try Schema.validate(outcome.stdout, "run_all_tests")
    return try outcome.json()
  }

  private func ids(_ answer: [String: Any]) -> [String] {
    (answer["tests"] as? [[String: Any]] ?? []).compactMap { $0["id"] as? String }
  }

  @Test func `shards together are the whole run, and the merge knows when one is not there`() throws
  {
    let parts = try (1...2).map { try shard($0, of: 2) }
    #expect(parts.allSatisfy { $0["status"] as? String == "passed" })
    #expect(parts.map { ids($0).count }.reduce(0, +) == 9)
    let whole = try run([]).json()
    let merged = try merge(status: 0)
    #expect(Set(ids(merged)) == Set(ids(whole)))
    #expect(merged["shard"] == nil)
    let one = try merge(status: 5, ["reports/shard-1.json"])
    #expect(one["reason"] as? String == "shard_missing")
    #expect(one["message"] as? String == "shard 2 of 2 is missing")
    let text = try ProctorProcess(["merge", "reports"], in: workspace).run()
    #expect(text.status == 0)
    #expect(text.text.contains("9 passed"), "\(text.text)")

    let report = try Data(contentsOf: URL(filePath: "\(workspace)/reports/shard-2.json"))
    try folder.write(report.prefix(report.count / 2), to: "workspace/reports/shard-2.json")
    let cut = try merge(status: 5)
    #expect(cut["reason"] as? String == "report_corrupt")
    #expect((cut["message"] as? String)?.hasPrefix("reports/shard-2.json") == true)

    try folder.write(report, to: "workspace/reports/shard-2.json")
    try folder.write("def test_new():\n    pass\n", to: "workspace/tests/test_1.py")
    try shard(1, of: 2)
    let other = try merge(status: 5)
    #expect(other["reason"] as? String == "shard_conflict")
    #expect((other["message"] as? String)?.contains("different code") == true)
  }

  @Test func `a shard without tests is no failure, and a plan without tests is none`() throws {
    let filter = ["--filter", "test_1.1"]
    try shard(1, of: 2, filter)
    let empty = try run(["--shard", "2/2"] + filter)
    #expect(empty.status == 0)
    try folder.write(empty.stdout, to: "workspace/reports/shard-2.json")
    #expect(try empty.json()["status"] as? String == "no_tests")
    #expect(try empty.json()["reason"] as? String == "empty_shard")
    #expect(ids(try merge(status: 0)).count == 1)
    let nothing = try run(["--shard", "1/2", "--filter", "nothing"])
    #expect(nothing.status == 4)
    #expect(try nothing.json()["reason"] as? String == "empty_selection")
  }

  @Test func `the shard comes from the environment when that is asked for, and only then`() throws {
    let status = "\(folder.path)/status"
    let bazel = [
      "TEST_SHARD_INDEX": "1", "TEST_TOTAL_SHARDS": "3", "TEST_SHARD_STATUS_FILE": status,
    ]
    let asked = try run(["--shard", "auto"], bazel).json()
    let facts = asked["shard"] as? [String: Any]
    #expect(facts?["index"] as? Int == 2)
    #expect(facts?["count"] as? Int == 3)
    #expect(ids(asked).count == 3)
    #expect(FileManager.default.fileExists(atPath: status))
    let whole = try run([], bazel).json()
    #expect(ids(whole).count == 9)
    #expect(whole["shard"] == nil)
    let wrong = try run(["--shard", "auto"], ["CI_NODE_INDEX": "4", "CI_NODE_TOTAL": "3"])
    #expect(wrong.status == 2)
    #expect(wrong.stderr.contains("CI_NODE_INDEX"))
    for text in ["0/2", "3/2", "1", "a/b", "1/2/3", "/"] {
      let outcome = try run(["--shard", text])
      #expect(outcome.status == 2)
      #expect(outcome.stderr.contains("--shard"), "\(outcome.stderr)")
    }
  }

  @Test func `an earlier report balances the shards`() throws {
    let earlier = try run([])
    var answer = try earlier.json()
    var tests = answer["tests"] as? [[String: Any]] ?? []
    for index in tests.indices {
      tests[index]["duration_ms"] = index == 4 ? 60_000 : 1
    }
    answer["tests"] = tests
    let data = try JSONSerialization.data(withJSONObject: answer)
    try folder.write(data, to: "durations.json")
    let durations = ["--durations", "\(folder.path)/durations.json"]
    let first = try shard(1, of: 2, durations)
    #expect(ids(first) == [tests[4]["id"] as? String])
    #expect(ids(try shard(2, of: 2, durations)).count == 8)
    #expect(try merge(status: 0)["passed"] as? Int == 9)
    let other = try shard(2, of: 2)
    #expect((other["shard"] as? [String: Any])?["plan"] as? String != nil)
    #expect(try merge(status: 5)["reason"] as? String == "shard_conflict")
    let wrong = try run(["--shard", "1/2", "--durations", "pytest.ini"])
    #expect(wrong.status == 2)
    #expect(wrong.stderr.contains("pytest.ini"))
  }

  /// An exported history of one run.
  private func export(_ milliseconds: [String: Double], to name: String) throws -> String {
    let run: [String: Any] = [
      "run": name, "started_at": "2026-11-20T10:00:00Z", "operation": "run_all_tests",
      "status": "passed", "duration_ms": 1, "passed": milliseconds.count, "failed": 0, "skipped": 0,
      "complete": true, "everything": true, "ci": false, "tools": [String: String](),
    ]
    let tests = milliseconds.sorted { $0.key < $1.key }.map { id, ms in
      [
        "test": id, "name": id,
        "attempts": [["outcome": "passed", "duration_ms": ms] as [String: Any]],
      ] as [String: Any]
    }
    let end: [String: Any] = ["end": name, "tests": tests.count]
    let lines = try ([["proctor_history": 1], run] + tests + [end, ["eof": 1]]).map {
      String(decoding: try JSONSerialization.data(withJSONObject: $0), as: UTF8.self) + "\n"
    }
    return try folder.write(lines.joined(), to: name)
  }

  private func plan(_ answer: [String: Any]) -> String {
    (answer["shard"] as? [String: Any])?["plan"] as? String ?? ""
  }

  @Test func `the history balances the shards, here and exported`() throws {
    let history = ["--durations", "history"]
    let unknown = try run(["--shard", "1/2"] + history)
    #expect(unknown.status == 2)
    #expect(unknown.stderr.contains("knows of no test"), "\(unknown.stderr)")
    let ids = try (1...3).flatMap { file in
      (0...2).map { "pytest:.:tests/test_\(file).py::test_\(file)[\($0)]" }
    }
    let slow = try export(
      Dictionary(uniqueKeysWithValues: ids.map { ($0, $0 == ids[4] ? 60_000 : 1) }),
      to: "slow.ndjson")
    let imported = try ProctorProcess(["history", "import", slow], in: workspace).run()
    #expect(imported.status == 0, "\(imported.stderr)")
    let exported = "\(folder.path)/exported.ndjson"
    #expect(try ProctorProcess(["history", "export", exported], in: workspace).run().status == 0)
    let here = try shard(1, of: 2, history)
    #expect(self.ids(here) == [ids[4]])
    let first = try shard(1, of: 2, ["--durations", exported])
    #expect(self.ids(first) == [ids[4]])
    #expect(plan(first) == plan(here))
    let second = try shard(2, of: 2, ["--durations", exported])
    #expect(plan(second) == plan(first))
    #expect(try merge(status: 0)["passed"] as? Int == 9)

    let other = try export([ids[0]: 1, ids[8]: 50_000], to: "other.ndjson")
    let differing = try shard(2, of: 2, ["--durations", other])
    let conflict = try merge(status: 5)
    #expect(conflict["reason"] as? String == "shard_conflict")
    let message = try #require(conflict["message"] as? String)
    for answer in [first, differing] {
      #expect(message.contains(plan(answer).prefix(12)), "\(message)")
    }
    #expect(message.contains("--durations"), "\(message)")

    for (text, words) in [
      ("{\"proctor_history\":1}\n{\"eof\":0}\n", "knows of no test"),
      ("{\"proctor_history\":1}\n", "cut off"),
    ] {
      let file = try folder.write(text, to: "wrong.ndjson")
      let wrong = try run(["--shard", "1/2", "--durations", file])
      #expect(wrong.status == 2)
      #expect(wrong.stderr.contains("wrong.ndjson"), "\(wrong.stderr)")
      #expect(wrong.stderr.contains(words), "\(wrong.stderr)")
    }
  }

  @Test func `a runner that cannot select runs whole in one shard`() throws {
    try folder.write("", to: "workspace/cpanfile")
    for name in ["a", "b"] {
      try folder.write(
        "use Test::More tests => 2;\nok(1, 'one');\nok(1, 'two');\n",
        to: "workspace/t/\(name).t")
    }
    let parts = try (1...3).map { try shard($0, of: 3) }
    let perl = parts.map { ids($0).count { $0.hasPrefix("prove:") } }
    #expect(perl.sorted() == [0, 0, 4])
    let whole = parts.compactMap { ($0["shard"] as? [String: Any])?["projects"] as? [String] }
    #expect(whole == [["prove:.:"]])
    #expect(try merge(status: 0)["passed"] as? Int == 13)
  }

  @Test func `what does not collect is the whole run's failure`() throws {
    try folder.write("import nowhere\n", to: "workspace/tests/test_3.py")
    for index in 1...2 { try shard(index, of: 2) }
    let answer = try merge(status: 3)
    #expect(answer["reason"] as? String == "collection_failed")
    #expect((answer["errors"] as? [Any])?.count == 1)
    #expect(answer["passed"] as? Int == 6)
  }

  @Test func `what is not there or no folder of reports is named`() throws {
    for (path, words) in [("nowhere", "nowhere"), ("tests", "tests")] {
      let outcome = try ProctorProcess(["merge", path], in: workspace).run()
      #expect(outcome.status == 2)
      #expect(outcome.stderr.contains(words))
    }
  }
}

import Foundation
import Testing

/// `proctor merge` of other tools' reports, alone and beside proctor's own.
@Suite struct MergeTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func junit(_ cases: [String: String], in file: String) throws {
    let rows = cases.sorted { $0.key < $1.key }
      .map { "<testcase classname=\"suite\" name=\"\($0)\">\($1)</testcase>" }.joined()
    try folder.write("<testsuite tests=\"\(cases.count)\">\(rows)</testsuite>", to: file)
  }

  private static let failure = "<failure message=\"no\">no</failure>"

  /// A report of proctor's own with one passing test for each name.
  private func own(_ names: [String], in file: String, shard: [String: Any]? = nil) throws {
    let tests = names.map { name in
      [
        "id": "pytest:.:t.py::\(name)", "name": name, "full_name": "t.py::\(name)",
        "adapter": "pytest", "suite": "t.py", "outcome": "passed", "raw_status": "passed",
        "attempts": 1,
      ]
    }
    var answer: [String: Any] = [
      "status": "passed", "total_tests": names.count, "passed": names.count, "failed": 0,
      "skipped": 0, "execution_time_ms": 7, "failures": [Any](), "tests": tests,
      "adapters": [
        [
          "adapter": "pytest", "root": ".", "total_tests": names.count, "passed": names.count,
          "failed": 0, "skipped": 0, "execution_time_ms": 7,
        ]
      ],
    ]
    answer["shard"] = shard
    try folder.write(try JSONSerialization.data(withJSONObject: answer), to: file)
  }

  private func merge(
    _ files: [String], status: Int32, _ reason: String? = nil
  ) throws -> [String: Any] {
    let outcome = try ProctorProcess(
      ["merge", "--format", "json", "--details"] + files, in: folder.path
    ).run()
    #expect(outcome.status == status, "\(outcome.text)\(outcome.stderr)")
    try Schema.validate(outcome.stdout, "run_all_tests")
    let answer = try outcome.json()
    #expect(answer["reason"] as? String == reason)
    return answer
  }

  private func counts(_ answer: [String: Any]) -> [Int] {
    ["total_tests", "passed", "failed", "skipped"].compactMap { answer[$0] as? Int }
  }

  private func reports(_ answer: [String: Any]) -> [String: String?] {
    let files = answer["reports"] as? [[String: Any]] ?? []
    let pairs = files.map { ($0["file"] as? String ?? "", $0["format"] as? String) }
    return Dictionary(pairs) { first, _ in first }
  }

  @Test func `other tools' reports are one run, whatever their formats`() throws {
    try junit(["a": "", "b": "<skipped/>"], in: "all/junit.xml")
    try folder.write("TAP version 13\n1..1\nok 1 - c\n", to: "all/below/run.tap")
    try folder.write(
      """
      {"Action":"run","Package":"p","Test":"TestD"}
      {"Action":"pass","Package":"p","Test":"TestD","Elapsed":0.5}
      {"Action":"output","Package":"p","Output":"PASS\\n"}
      {"Action":"pass","Package":"p","Elapsed":0.6}

      """, to: "all/go.json")
    try folder.write("<project/>", to: "all/pom.xml")
    try folder.write("Dear reader", to: "all/letter.txt")
    let answer = try merge(["all"], status: 0)
    #expect(counts(answer) == [4, 3, 0, 1])
    #expect(
      reports(answer) == [
        "all/junit.xml": "junit", "all/below/run.tap": "tap", "all/go.json": "go-json",
        "all/pom.xml": nil,
      ])
    #expect((answer["tests"] as? [Any])?.count == 4)
    // A file of a folder, named again, and a link to it are counted once.
    try FileManager.default.createSymbolicLink(
      atPath: "\(folder.path)/all/link.xml", withDestinationPath: "junit.xml")
    #expect(counts(try merge(["all", "all/junit.xml"], status: 0)) == [4, 3, 0, 1])
    let text = try ProctorProcess(["merge", "all"], in: folder.path).run()
    #expect(text.text.contains("PASSED 3 passed"), "\(text.text)")
    #expect(text.text.contains("not_a_report"), "\(text.text)")
  }

  @Test func `what failed in one file failed, and is placed and written on`() throws {
    try folder.write("def test_b():\n    assert False\n", to: "tests/test_b.py")
    let trace = "tests/test_b.py:2: AssertionError"
    try junit(["a": "", "b": "<failure message=\"no\">\(trace)</failure>"], in: "red.xml")
    try own(["x", "y"], in: "own.json")
    let answer = try merge(
      ["own.json", "red.xml", "--report", "junit=out.xml"], status: 1, "tests_failed")
    #expect(answer["status"] as? String == "partial_failure")
    #expect(counts(answer) == [4, 3, 1, 0])
    let failure = (answer["failures"] as? [[String: Any]])?.first
    #expect(failure?["id"] as? String == "junit:.:suite > b")
    #expect(failure?["file"] as? String == "tests/test_b.py")
    #expect(failure?["line"] as? Int == 2)
    #expect(reports(answer) == ["own.json": "proctor", "red.xml": "junit"])
    // What was written is read again, and says the same.
    #expect(counts(try merge(["out.xml"], status: 1, "tests_failed")) == [4, 3, 1, 0])
  }

  @Test func `the same test in two files has its worst outcome, in any order`() throws {
    try junit(["a": "", "b": "", "c": "<skipped/>"], in: "one.xml")
    try junit(["a": Self.failure, "b": "", "c": ""], in: "two.xml")
    for files in [["one.xml", "two.xml"], ["two.xml", "one.xml"]] {
      let answer = try merge(files, status: 1, "tests_failed")
      #expect(counts(answer) == [3, 2, 1, 0])
      let failure = (answer["failures"] as? [[String: Any]])?.first
      #expect(failure?["id"] as? String == "junit:.:suite > a")
      #expect(failure?["attempts"] as? Int == 2)
      let last = (answer["reports"] as? [[String: Any]])?.last
      let notes = last?["notes"] as? [[String: Any]]
      #expect(
        (notes?.first?["message"] as? String)?.hasPrefix("3 tests are in files before") == true)
    }
  }

  @Test func `no other tool's report stands in for a shard`() throws {
    // The digest is of another plan: what is missing is found before.
    let plan = String(repeating: "a", count: 64)
    try own(
      ["x"], in: "shard-1.json",
      shard: ["index": 1, "count": 2, "plan": plan, "planned": 2, "assigned": 1])
    try folder.write(
      "<testsuite tests=\"1\"><testcase classname=\"t.py\" name=\"y\"/></testsuite>",
      to: "shard-2.xml")
    let answer = try merge(["shard-1.json", "shard-2.xml"], status: 5, "shard_missing")
    #expect(answer["message"] as? String == "shard 2 of 2 is missing")
    #expect(counts(answer) == [2, 2, 0, 0])
  }

  @Test func `shards that are all there are green beside another tool's report`() throws {
    try folder.write("[pytest]\n", to: "pytest.ini")
    try folder.write("def test_a(): pass\ndef test_b(): pass\n", to: "test_it.py")
    for index in 1...2 {
      let shard = try ProctorProcess(
        ["run", "--shard", "\(index)/2", "--format", "json", "--details"], in: folder.path
      ).run()
      try folder.write(shard.stdout, to: "reports/shard-\(index).json")
    }
    try junit(["a": ""], in: "reports/web/junit.xml")
    let answer = try merge(["reports"], status: 0)
    #expect(counts(answer) == [3, 3, 0, 0])
    #expect(reports(answer).count == 3)
    try FileManager.default.removeItem(atPath: "\(folder.path)/reports/shard-1.json")
    _ = try merge(["reports"], status: 5, "shard_missing")
  }

  /// Among good ones, what must spoil the whole, by its reason.
  @Test(
    arguments: [
      ("cut.xml", "<testsuite tests=\"2\"><testcase name=\"a\"/>", "report_lost", Int32(5)),
      ("empty.xml", "", "report_lost", 5),
      ("empty.json", "", "report_corrupt", 5),
      (
        "more.xml", "<testsuite tests=\"5\"><testcase name=\"a\"/></testsuite>", "tests_missing", 5
      ),
      ("other.json", "{\"name\": \"package\"}", "report_corrupt", 5),
      ("half.json", "{\"status\": \"passed\", \"total_tests\": 1, ", "report_corrupt", 5),
      ("none.xml", "<testsuites/>", "empty_selection", 4),
      ("bail.tap", "TAP version 13\nBail out! no database\n", nil, 5),
      ("early.tap", "Bail out! no database\n", nil, 5),
    ] as [(String, String, String?, Int32)])
  func `no good report makes another one green`(
    _ file: String, _ content: String, _ reason: String?, _ status: Int32
  ) throws {
    try junit(["a": ""], in: "all/good.xml")
    try own(["x"], in: "all/own.json")
    try folder.write(content, to: "all/\(file)")
    for files in [["all"], ["all/own.json", "all/\(file)", "all/good.xml"]] {
      let outcome = try ProctorProcess(["merge", "--format", "json"] + files, in: folder.path).run()
      #expect(outcome.status == status, "\(outcome.text)")
      let answer = try outcome.json()
      if let reason { #expect(answer["reason"] as? String == reason) }
      let message = answer["message"] as? String ?? ""
      #expect(message.hasPrefix("all/\(file)"), "\(message)")
      #expect(!message.contains("\(file): all/"), "\(message)")
    }
  }

  @Test func `what is no report is named`() throws {
    try folder.write("Dear reader", to: "letter.txt")
    try folder.write("<project/>", to: "only/pom.xml")
    try FileManager.default.createDirectory(
      atPath: "\(folder.path)/empty", withIntermediateDirectories: false)
    try junit(["a": ""], in: "good.xml")
    let answer = try merge(["good.xml", "letter.txt"], status: 5, "report_corrupt")
    #expect((answer["message"] as? String)?.hasPrefix("letter.txt: it begins with") == true)
    for (path, words) in [
      ("empty", "no file in it is named *.xml, *.json"), ("only", "only/pom.xml is no report"),
      ("nowhere.xml", "nowhere.xml cannot be read"),
    ] {
      let outcome = try ProctorProcess(["merge", "good.xml", path], in: folder.path).run()
      if path != "only" { #expect(outcome.status == 2, "\(path)") }
      let alone = try ProctorProcess(["merge", path], in: folder.path).run()
      #expect(alone.status == 2, "\(path)")
      #expect(alone.stderr.contains(words), "\(alone.stderr)")
    }
  }
}

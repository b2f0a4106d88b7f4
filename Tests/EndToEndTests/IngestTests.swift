import Foundation
import Testing

/// `proctor ingest`: what each file of `fixtures/reports` comes to, and what is said of it.
@Suite struct IngestTests {
  struct Row: CustomTestStringConvertible {
    let report: String
    let status: String
    let reason: String?
    let exit: Int32
    let counts: [Int]
    var testDescription: String { report }

    init(_ report: String, _ status: String, _ reason: String?, _ exit: Int32, _ counts: [Int]) {
      (self.report, self.status, self.reason) = (report, status, reason)
      (self.exit, self.counts) = (exit, counts)
    }
  }

  /// Passed, failed and skipped, counted by hand.
  static let rows = [
    Row("junit/nextest", "partial_failure", "tests_failed", 1, [2, 1, 0]),
    Row("junit/bazel", "failed", "tests_failed", 1, [0, 1, 0]),
    Row("junit/surefire_reruns", "partial_failure", "tests_failed", 1, [2, 2, 1]),
    Row("junit/no_names", "partial_failure", "tests_failed", 1, [3, 1, 0]),
    Row("junit/many_failures", "failed", "tests_failed", 1, [0, 1, 0]),
    Row("junit/suite_errors", "failed", "suite_failed", 1, []),
    Row("junit/counts_disagree", "error", "tests_missing", 5, [2, 1, 0]),
    Row("junit/truncated", "error", "report_lost", 5, []),
    Row("junit/malformed", "error", "report_corrupt", 5, []),
    Row("junit/empty", "error", "report_lost", 5, [0, 0, 0]),
    Row("junit/entity_bomb", "error", "report_corrupt", 5, [0, 0, 0]),
    Row("junit/external_entity", "error", "report_corrupt", 5, [0, 0, 0]),
    Row("junit/not_junit", "error", "report_corrupt", 5, [0, 0, 0]),
    Row("ctrf/unhealthy", "error", "report_corrupt", 5, []),
    Row("tap/plan_mismatch", "error", nil, 5, []),
    Row("tap/skip_all", "no_tests", "empty_selection", 4, []),
    Row("go-json/unfinished", "error", "report_lost", 5, []),
    Row("jest-json/kitchen", "failed", "collection_failed", 3, [1, 2, 2]),
    Row("jest-json/cut", "error", "report_lost", 5, [1, 1, 0]),
    Row("mocha-json/kitchen", "failed", "suite_failed", 1, [1, 2, 2]),
    Row("mocha-json/counts_disagree", "error", "tests_missing", 5, [1, 0, 0]),
    Row("rspec-json/kitchen", "partial_failure", "tests_failed", 1, [1, 2, 2]),
    Row("rspec-json/outside", "failed", "collection_failed", 3, [0, 0, 0]),
    Row("pytest-reportlog/kitchen", "partial_failure", "tests_failed", 1, [4, 3, 2]),
    Row("pytest-reportlog/collection", "failed", "collection_failed", 3, [0, 0, 0]),
    Row("pytest-reportlog/cut", "error", "report_lost", 5, [1, 1, 0]),
    Row("pytest-json-report/kitchen", "partial_failure", "tests_failed", 1, [4, 3, 2]),
    Row("pytest-json-report/collection", "failed", "collection_failed", 3, [0, 0, 0]),
    Row("libtest-json/kitchen", "partial_failure", "tests_failed", 1, [3, 1, 1]),
    Row("libtest-json/utf16", "partial_failure", "tests_failed", 1, [3, 1, 1]),
    Row("libtest-json/cut", "error", "report_lost", 5, [1, 1, 0]),
    Row("swift-testing/kitchen", "partial_failure", "tests_failed", 1, [1, 3, 2]),
    Row("xunit/kitchen", "failed", "suite_failed", 1, [3, 1, 1]),
    Row("xunit/claims_more", "error", "tests_missing", 5, [1, 0, 0]),
    Row("nunit/version3", "failed", "suite_failed", 1, [1, 3, 2]),
    Row("nunit/version2", "partial_failure", "tests_failed", 1, [1, 2, 1]),
    Row("trx/kitchen", "failed", "suite_failed", 1, [2, 3, 1]),
    Row("cargo-text/kitchen", "partial_failure", "tests_failed", 1, [4, 1, 1]),
    Row("cargo-text/build_error", "failed", "build_failed", 3, [0, 0, 0]),
    Row("cargo-text/totals_disagree", "error", "report_corrupt", 5, [2, 0, 0]),
    Row("go-text/verbose", "failed", "build_failed", 3, [3, 2, 1]),
    Row("go-text/short", "failed", "tests_failed", 1, [0, 2, 0]),
  ]

  private static func input(_ report: String) throws -> String {
    let folder = "\(ProctorProcess.repository)/fixtures/reports/\(report)"
    let names = try FileManager.default.contentsOfDirectory(atPath: folder)
    return "\(folder)/\(try #require(names.first { $0.hasPrefix("input.") }))"
  }

  private static func ingest(
    _ arguments: [String], in directory: String
  ) throws -> (answer: [String: Any], status: Int32) {
    let outcome = try ProctorProcess(["ingest", "--format", "json"] + arguments, in: directory)
      .run()
    return (try outcome.json(), outcome.status)
  }

  @Test(arguments: rows) func `comes to`(_ row: Row) throws {
    let folder = try TemporaryFolder()
    let (answer, status) = try Self.ingest([try Self.input(row.report)], in: folder.path)
    #expect(answer["status"] as? String == row.status)
    if let reason = row.reason { #expect(answer["reason"] as? String == reason) }
    #expect(status == row.exit)
    let counts = ["passed", "failed", "skipped"].compactMap { answer[$0] as? Int }
    if !row.counts.isEmpty { #expect(counts == row.counts) }
    let reports = answer["reports"] as? [[String: Any]]
    #expect(reports?.count == 1)
    let format = row.report.split(separator: "/").first.map(String.init)
    let isRead = reports?.first?["format"] != nil
    if isRead { #expect(reports?.first?["format"] as? String == format) }
  }

  /// All that can be passed at once: the answer must keep its schema, whatever the files hold.
  @Test func `answers keep the schema`() throws {
    let folder = try TemporaryFolder()
    let root = "\(ProctorProcess.repository)/fixtures/reports"
    let outcome = try ProctorProcess(
      ["ingest", "--format", "json", "--details", root], in: folder.path
    ).run()
    try Schema.validate(outcome.stdout, "run_all_tests")
    let answer = try outcome.json()
    #expect(answer["status"] as? String == "error")
    let tests = try #require(answer["tests"] as? [[String: Any]])
    #expect(tests.count == answer["total_tests"] as? Int)
    #expect(Set(tests.compactMap { $0["id"] as? String }).count == tests.count)
    let text = try ProctorProcess(["ingest", "--format", "text", root], in: folder.path).run()
    #expect(text.status == 5)
    #expect(text.text.contains("NO VERDICT"))
  }

  @Test func `an encoding that is broken is told by proctor alone`() throws {
    let folder = try TemporaryFolder()
    var file = Data(#"<?xml version="1.0" encoding="EUC-JP"?><testsuite><testcase name=""#.utf8)
    file += [0x8f, 0x86, 0x8c, 0x8b, 0xff] + Data(#""/></testsuite>"#.utf8)
    _ = try folder.write(file, to: "TEST-a.xml")
    let outcome = try ProctorProcess(["ingest", "TEST-a.xml"], in: folder.path).run()
    #expect(outcome.status == 5)
    #expect(!outcome.stderr.contains("encod"))
  }

  @Test func `reports are written on in other formats, with every test`() throws {
    let folder = try TemporaryFolder()
    let (answer, status) = try Self.ingest(
      [
        try Self.input("junit/nextest"), "--report", "junit=out/all.xml", "--report", "tap=all.tap",
        "--report", "ctrf=all.ctrf.json",
      ],
      in: folder.path)
    #expect(status == 1)
    #expect(answer["tests"] == nil)
    for name in ["out/all.xml", "all.tap", "all.ctrf.json"] {
      let (again, code) = try Self.ingest([name], in: folder.path)
      #expect(code == 1)
      for key in ["passed", "failed", "skipped"] {
        #expect(again[key] as? Int == answer[key] as? Int)
      }
    }
  }

  @Test func `what is no report is named, or passed over in a folder`() throws {
    let folder = try TemporaryFolder()
    let good = #"<testsuite tests="1"><testcase name="a"/></testsuite>"#
    _ = try folder.write(Data(good.utf8), to: "reports/TEST-a.xml")
    _ = try folder.write(Data("<project/>".utf8), to: "reports/pom.xml")
    _ = try folder.write(Data("Dear reader".utf8), to: "letter.txt")
    _ = try folder.write(Data(), to: "empty/TEST-b.xml")
    let (passed, status) = try Self.ingest(["reports"], in: folder.path)
    #expect(status == 0)
    #expect((passed["reports"] as? [[String: Any]])?.count == 2)
    let (refused, code) = try Self.ingest(["letter.txt"], in: folder.path)
    #expect(code == 5)
    let message = try #require(refused["message"] as? String)
    for word in ["letter.txt", "\"Dear reader\"", "JUnit XML", "TRX"] {
      #expect(message.contains(word))
    }
    #expect(try Self.ingest(["reports/pom.xml"], in: folder.path).status == 5)
    #expect(try Self.ingest(["empty"], in: folder.path).status == 5)
    #expect(try Self.ingest(["not_there.xml"], in: folder.path).status == 5)
    // What nothing but a report is called must be one.
    for text in ["Bail out! no database\n", "killed"] {
      _ = try folder.write(Data(text.utf8), to: "tap/early.tap")
      _ = try folder.write(Data(good.utf8), to: "tap/TEST-a.xml")
      #expect(try Self.ingest(["tap"], in: folder.path).status == 5, "\(text)")
    }
    // Given twice, by whatever name, it is read once.
    let (once, _) = try Self.ingest(
      ["reports", "./reports/../reports/TEST-a.xml"], in: folder.path)
    #expect(once["total_tests"] as? Int == 1)
  }

  @Test func `names that come again are counted in ids`() throws {
    let folder = try TemporaryFolder()
    let failing = #"<testcase classname="C" name="t"><failure message="f"/></testcase>"#
    let passing = #"<testcase classname="C" name="t"/>"#
    for name in ["a.xml", "b.xml"] {
      let text = "<testsuite>\(passing)\(failing)</testsuite>"
      _ = try folder.write(Data(text.utf8), to: name)
    }
    let (answer, status) = try Self.ingest(["a.xml", "b.xml"], in: folder.path)
    #expect(status == 1)
    let failures = try #require(answer["failures"] as? [[String: Any]])
    #expect(
      failures.compactMap { $0["id"] as? String } == ["junit:.:C > t#2", "junit:.:C > t#4"])
    let notes = (answer["reports"] as? [[String: Any]])?.compactMap {
      ($0["notes"] as? [[String: Any]])?.first?["message"] as? String
    }
    #expect(notes?.first?.hasPrefix("1 test has a name that came before") == true)
    #expect(notes?.last?.hasPrefix("2 tests have a name that came before") == true)
  }

  // MARK: places

  struct Place: CustomTestStringConvertible {
    let text: String
    let file: String?
    let line: Int?
    let source: String?
    let confidence: String?
    var testDescription: String { String(text.prefix(40)) }

    init(_ text: String, _ file: String?, _ line: Int?, _ source: String?, _ confidence: String?) {
      (self.text, self.file, self.line) = (text, file, line)
      (self.source, self.confidence) = (source, confidence)
    }
  }

  static let files = [
    "src/app/test_sum.py", "web/sum.test.ts", "crates/sum/src/lib.rs", "pkg/sum_test.go",
    "app/src/test/java/org/example/SumTest.java", "Tests/KitTests/SumTests.swift",
    "Sum.Tests/AdderTests.cs", "spec/sum_spec.rb", "tests/SumTest.php", "native/sum_test.cc",
    "one/same.py", "two/same.py",
  ]

  static let places = [
    Place("src/app/test_sum.py:12: AssertionError", "src/app/test_sum.py", 12, "message", "high"),
    Place(
      "Traceback (most recent call last):\n  File \"/usr/lib/python3/unittest/case.py\", line 59, in run\n  File \"/home/ci/work/src/app/test_sum.py\", line 7, in test_x\n    self.fail()",
      "src/app/test_sum.py", 7, "trace", "high"),
    Place(
      "Error: no\n    at Object.toBe (/ci/repo/node_modules/expect/index.js:3:1)\n    at Object.<anonymous> (/ci/repo/web/sum.test.ts:9:17)",
      "web/sum.test.ts", 9, "trace", "high"),
    Place(
      "thread 'tests::a' (12) panicked at src/lib.rs:14:9:\nassertion failed",
      "crates/sum/src/lib.rs", 14, "message", "high"),
    Place("    sum_test.go:6: 1+1 = 3", "pkg/sum_test.go", 6, "message", "medium"),
    Place(
      "java.lang.AssertionError\n\tat org.junit.Assert.fail(Assert.java:89)\n\tat org.example.SumTest.adds(SumTest.java:21)",
      "app/src/test/java/org/example/SumTest.java", 21, "trace", "high"),
    Place(
      "/ci/Kit/Tests/KitTests/SumTests.swift:8: error: SumTests.adds : XCTAssertEqual failed",
      "Tests/KitTests/SumTests.swift", 8, "message", "high"),
    Place(
      "Expected: 3\n   at Sum.Tests.AdderTests.IsWrong() in C:\\build\\Sum.Tests\\AdderTests.cs:line 14",
      "Sum.Tests/AdderTests.cs", 14, "trace", "high"),
    Place("expected 3\n# ./spec/sum_spec.rb:5:in `block'", "spec/sum_spec.rb", 5, "trace", "high"),
    Place(
      "Failed asserting that 2 is 3.\n\n/ci/tests/SumTest.php:11", "tests/SumTest.php", 11, "trace",
      "high"),
    Place(
      "/ci/build/native/sum_test.cc:17: Failure\nExpected equality", "native/sum_test.cc", 17,
      "message", "high"),
    // Two files of that name, no such file, and a line that the file does not have.
    Place("same.py:3: AssertionError", nil, nil, nil, nil),
    Place("gone.py:3: AssertionError", nil, nil, nil, nil),
    Place("src/app/test_sum.py:4000: AssertionError", nil, nil, nil, nil),
    Place("it took 3:12 and failed", nil, nil, nil, nil),
  ]

  @Test func `failures are placed in the files of the workspace`() throws {
    let folder = try TemporaryFolder()
    let lines = Data(String(repeating: "//\n", count: 30).utf8)
    for file in Self.files { _ = try folder.write(lines, to: file) }
    let cases = Self.places.enumerated().map { index, place in
      "<testcase name=\"t\(index)\"><failure><![CDATA[\(place.text)]]></failure></testcase>"
    }
    _ = try folder.write(Data("<testsuite>\(cases.joined())</testsuite>".utf8), to: "r.xml")
    let (answer, _) = try Self.ingest(["r.xml"], in: folder.path)
    let failures = try #require(answer["failures"] as? [[String: Any]])
    #expect(failures.count == Self.places.count)
    for (failure, place) in zip(failures, Self.places) {
      #expect(failure["file"] as? String == place.file, "\(place.text)")
      #expect(failure["line"] as? Int == place.line, "\(place.text)")
      #expect(failure["location_source"] as? String == place.source, "\(place.text)")
      #expect(failure["location_confidence"] as? String == place.confidence, "\(place.text)")
    }
  }

  @Test func `a field of the report is believed before its text`() throws {
    let folder = try TemporaryFolder()
    let lines = Data(String(repeating: "#\n", count: 30).utf8)
    for file in ["a.py", "b.py"] { _ = try folder.write(lines, to: file) }
    let text =
      #"<testsuite><testcase name="t"><failure file="/ci/a.py" line="4">b.py:9: Error</failure></testcase></testsuite>"#
    _ = try folder.write(Data(text.utf8), to: "r.xml")
    let (answer, _) = try Self.ingest(["r.xml"], in: folder.path)
    let failure = try #require((answer["failures"] as? [[String: Any]])?.first)
    #expect(failure["file"] as? String == "a.py")
    #expect(failure["line"] as? Int == 4)
    #expect(failure["location_source"] as? String == "attribute")
    #expect(failure["location_confidence"] as? String == "low")
  }

  /// What is kept is bounded, what is counted is not.
  @Test func `failures that are not kept are counted`() throws {
    let folder = try TemporaryFolder()
    let text = String(repeating: "x", count: 15_000)
    let cases = (0..<1000).map { "<testcase name=\"t\($0)\"><failure>\(text)</failure></testcase>" }
    _ = try folder.write(
      Data("<testsuite tests=\"1000\">\(cases.joined())</testsuite>".utf8), to: "r.xml")
    let (answer, _) = try Self.ingest(["r.xml"], in: folder.path)
    let shown = (answer["failures"] as? [[String: Any]])?.count ?? 0
    #expect(answer["failed"] as? Int == 1000)
    #expect(shown > 100 && shown < 1000)
    #expect(answer["failures_omitted"] as? Int == 1000 - shown)
  }

  /// The same operation for agents and over HTTP; only what is inside the workspace.
  @Test func `agents ask for it`() throws {
    try PythonScript(name: "mcp_server.py", arguments: ["Reports"], environment: "mcp").check()
  }
}

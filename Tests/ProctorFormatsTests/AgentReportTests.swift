import Foundation
import ProctorFormats
import ProctorModel
import Testing

/// What a model is told of runs.
@Suite struct AgentReportTests {
  private static func failing(
    _ name: String, _ message: String, line: Int = 5, file: String = "src/a.py",
    outcome: Outcome = .failed
  ) -> TestResult {
    TestResult(
      test: Samples.test(name),
      first: Attempt(
        outcome: outcome, rawStatus: "failed",
        failures: [Failure(message: message, location: SourceLocation(file: file, line: line))]))
  }

  private static func report(
    _ tests: [TestResult], errors: [RunError] = [], missing: [TestCase] = []
  ) -> Report {
    Report(
      verdict: Verdict(status: .partialFailure, reason: .testsFailed, message: "tests failed"),
      tests: tests, errors: errors, missing: missing, adapters: [], sandbox: nil, durationMS: 12)
  }

  /// Two causes of several tests, one of a single one that stands first, and two that only look alike.
  private static let grouped = report([
    failing("test_first", "KeyError: 'a'", line: 9),
    failing("test_1", "expected 1 in /tmp/x1/a at 0x7f01"),
    failing("test_2", "expected 22 in /tmp/y/b at 0x8f02"),
    failing("test_3", "expected 333 in /var/c at 0x9f03"),
    failing("test_4", "expected 4 in /c at 0x1"),
    failing("test_5", "no connection to \"one\"", file: "src/b.py"),
    failing("test_6", "no connection to \"two\"", file: "src/b.py"),
    failing("test_7", "no connection to \"two\"", line: 6, file: "src/b.py"),
    failing("test_8", "no connection to \"two\"", line: 6, file: "src/b.py", outcome: .timedOut),
    Samples.passed("test_ok"),
  ])

  private static let long = report([
    failing(
      "test_long",
      (["AssertionError: lists differ"] + (1...30).map { "context \($0)" }
        + ["Expected: [1, 2]", "Received: [1, 3]", "  - 2", "  + 3"]).joined(separator: "\n"))
  ])

  /// What no test file can import, and what only one has.
  private static let imports = report(
    [],
    errors: [
      ("a", "No module named 'shop'"), ("b", "invalid syntax"), ("c", "No module named 'shop'"),
      ("d", "No module named 'shop'"), ("e", "No module named 'shop'"),
      ("f", "No module named 'shop'"),
      ("g", "No module named 'till'"),
    ].map { name, message in
      RunError(
        stage: .collection, adapter: Samples.pytest.adapter, message: message + "\nin \(name)",
        location: SourceLocation(file: "test_\(name).py", line: 1))
    })

  private static func text(
    _ report: Report, since: RunDifference? = nil, tokens: Int = AgentReport.defaultTokens
  ) -> String {
    AgentReport(report, run: "run-1", since: since, workspace: "/home/me/shop").text(tokens: tokens)
  }

  static let texts: [(String, String)] = [
    ("agent_mixed.txt", text(Samples.mixed)),
    ("agent_green.txt", text(Samples.green)),
    ("agent_unbuilt.txt", text(Samples.unbuilt)),
    ("agent_unmatched.txt", text(Samples.unmatched)),
    ("agent_lost.txt", text(Samples.lost)),
    ("agent_grouped.txt", text(grouped)),
    ("agent_long.txt", text(long)),
    ("agent_imports.txt", text(imports)),
    ("agent_tiny.txt", text(long, tokens: 130)),
    ("agent_short.txt", text(grouped, tokens: 260)),
    (
      "agent_since.txt",
      text(
        report([Samples.skipped, Samples.passed("test_ok")]),
        since: RunDifference(
          from: [
            Samples.skipped.test.id: .failed, Samples.test("test_away").id: .passed,
            Samples.test("test_ok").id: .skipped,
          ], to: report([Samples.skipped, Samples.passed("test_ok")])))
    ),
  ]

  @Test(arguments: texts) func `a text is as recorded`(_ name: String, _ text: String) throws {
    try Golden.check(Data(text.utf8), "fixtures/answers/\(name)")
  }

  @Test func `paths of the machine are left out`() {
    let text = Self.text(
      Self.report([Self.failing("test_a", "no /home/me/shop/data/x.csv and no /home/me/other")]))
    #expect(text.contains("no data/x.csv and no /home/me/other"))
  }

  @Test func `the time is not told`() {
    #expect(!Self.text(Samples.mixed).contains("5.4"))
    #expect(!Self.text(Samples.mixed).contains(" ms"))
  }

  @Test(arguments: [1, 50, 5000]) func `any number of failures fits`(count: Int) throws {
    let results = (0..<count).map { number in
      Self.failing(
        "test_\(number)_ü", "own cause \(String(repeating: "äb ", count: number % 97))",
        line: number + 1)
    }
    let report = Self.report(
      results,
      errors: (0..<count).map {
        RunError(
          stage: .collection, adapter: nil,
          message: "error \($0) " + String(repeating: "x ", count: 500))
      }, missing: (0..<count).map { Samples.test("missing_\($0)") })
    let text = Self.text(report)
    // Four bytes a token is what prose has.
    #expect(text.utf8.count < 4 * AgentReport.defaultTokens)
    #expect(text.hasPrefix("FAILED (tests_failed)"))
    #expect(text.contains("NOT SHOWN") == (count > 1))
    for json in [
      ContractJSON.runAllTests(report, within: AgentBounds(run: "run-1")),
      ContractJSON.runTest(report, within: AgentBounds(run: "run-1")),
    ] {
      #expect(JSONText.compacted(json).count < 4 * AgentReport.defaultTokens)
      let answer = try #require(
        try JSONSerialization.jsonObject(with: json) as? [String: Any])
      #expect(answer["run"] as? String == "run-1")
      #expect((answer["failures"] as? [Any])?.isEmpty == false)
    }
  }

  @Test func `pages of every section join to the whole`() throws {
    let results = (0..<150).map { Self.failing("test_\($0)", "own cause ü \($0)", line: $0 + 1) }
    let report = Self.report(results)
    for section in RunPage.Section.allCases {
      var (offset, parts, pages) = (0, "", 0)
      while true {
        let page = RunPage(
          section, of: report, run: "run-1", tool: "run_all_tests", from: offset, workspace: "")
        parts += page.text
        pages += 1
        let json = try #require(
          try JSONSerialization.jsonObject(with: page.json) as? [String: Any])
        guard let next = json["next_offset"] as? Int else { break }
        #expect(next > offset)
        offset = next
      }
      if section == .errors { continue }
      #expect(pages > 1)
      #expect(results.allSatisfy { parts.contains($0.test.id.text) })
    }
  }

  @Test func `what makes a run look better is told`() {
    let id = { (name: String) in Samples.test(name).id }
    let old: [TestID: Outcome] = [
      id("test_ok"): .failed, Samples.skipped.test.id: .passed, id("test_a"): .passed,
      id("test_lost"): .passed,
    ]
    let difference = RunDifference(
      from: old,
      to: Self.report(
        [Samples.passed("test_ok"), Samples.skipped], missing: [Samples.test("test_lost")]))
    #expect(difference.newlySkipped == [Samples.skipped.test.id])
    #expect(difference.gone == [id("test_a")])
  }
}

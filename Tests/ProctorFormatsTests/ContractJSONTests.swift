import Foundation
import ProctorFormats
import ProctorModel
import Testing

@Suite struct ContractJSONTests {
  /// Name of the golden, its schema, the encoder's output.
  static let answers: [(String, String, Data)] = [
    ("run_mixed", "run_all_tests", ContractJSON.runAllTests(Samples.mixed, details: true)),
    ("run_green", "run_all_tests", ContractJSON.runAllTests(Samples.green, details: false)),
    ("run_unbuilt", "run_all_tests", ContractJSON.runAllTests(Samples.unbuilt, details: true)),
    ("run_unmatched", "run_all_tests", ContractJSON.runAllTests(Samples.unmatched, details: false)),
    ("run_lost", "run_all_tests", ContractJSON.runAllTests(Samples.lost, details: false)),
    ("test_mixed", "run_test", ContractJSON.runTest(Samples.mixed)),
    ("test_green", "run_test", ContractJSON.runTest(Samples.green)),
    ("test_unbuilt", "run_test", ContractJSON.runTest(Samples.unbuilt)),
    ("test_unmatched", "run_test", ContractJSON.runTest(Samples.unmatched)),
    ("list", "list_tests", ContractJSON.list(Samples.listing)),
    ("status", "status", ContractJSON.status(Samples.status)),
    ("agent_run", "run_all_tests", ContractJSON.runAllTests(Samples.mixed, within: bounds)),
    ("agent_test", "run_test", ContractJSON.runTest(Samples.mixed, within: bounds)),
    ("agent_running", "run_all_tests", ContractJSON.runAllTests(running)),
    ("agent_running_test", "run_test", ContractJSON.runTest(running)),
    ("agent_running_page", "get_run", ContractJSON.getRun(running, tool: "run_test")),
    ("agent_list", "list_tests", ContractJSON.list(Samples.listing, from: 1).json),
    (
      "agent_summary", "get_run",
      RunPage(
        summaryOf: Samples.mixed, run: "run-1", tool: "run_all_tests", since: since, workspace: ""
      ).json
    ),
    ("agent_page", "get_run", page(.failures, from: 1)),
    ("agent_log", "get_run", page(.log, from: 0)),
    ("agent_failed", "get_run", ContractJSON.getRun(failed: Samples.lost, run: nil)),
  ]

  private static let since = RunDifference(
    from: [
      Samples.skipped.test.id: .passed, Samples.test("test_away").id: .failed,
      Samples.test("test_gone").id: .passed,
    ], to: Samples.mixed)
  private static let bounds = AgentBounds(run: "run-1", since: since)
  private static let running = RunningState(
    run: "run-1", message: "2 of 9 tests", passed: 1, failed: 1, skipped: 0, durationMS: 500)

  private static func page(_ section: RunPage.Section, from offset: Int) -> Data {
    RunPage(
      section, of: Samples.mixed, run: "run-1", tool: "run_all_tests", from: offset, workspace: ""
    ).json
  }

  @Test(arguments: answers)
  func `an answer is as recorded and conforms to its schema`(
    _ name: String, _ schema: String, _ data: Data
  ) throws {
    try Golden.check(data, "fixtures/answers/\(name).json")
    #expect(try Validator.problems(data, schema) == nil)
    let text = String(decoding: data, as: UTF8.self)
    #expect(text.hasSuffix("}\n"))
    #expect(!text.contains("null"))
  }

  /// Each edit breaks a conforming document in one way.
  @Test(arguments: [
    ("run_all_tests", #""partial_failure""#, #""green""#),
    ("run_all_tests", #""tests_failed""#, #""because""#),
    ("run_all_tests", #""total_tests" : 4"#, #""total" : 4"#),
    ("run_all_tests", #""total_tests" : 4"#, #""total_tests" : "4""#),
    ("run_all_tests", #""line" : 42"#, #""line" : 0"#),
    ("run_all_tests", #""code" : "E0425""#, #""code" : null"#),
    ("run_all_tests", #""stage" : "build""#, #""stage" : "link""#),
    ("run_all_tests", #""outcome" : "crashed""#, #""outcome" : "passed""#),
    ("run_all_tests", #""signal" : 11"#, #""signal" : "SIGSEGV""#),
    ("run_test", #""tests_run" : 4"#, #""tests" : 4"#),
    ("run_test", #""status" : "crashed""#, #""status" : "died""#),
    ("list_tests", #""full_name""#, #""fullName""#),
    ("status", #""fetch" : false"#, #""fetch" : "no""#),
  ])
  func `the schemas refuse what is wrong`(
    _ schema: String, _ right: String, _ wrong: String
  ) throws {
    let document = Self.answers.first { $0.1 == schema }?.2 ?? Data()
    let text = String(decoding: document, as: UTF8.self)
    let broken = text.replacingOccurrences(of: right, with: wrong)
    try #require(broken != text, "\(right) is not in the document")
    let problems = try Validator.problems(Data(broken.utf8), schema)
    #expect(problems?.hasPrefix("$") == true, "\(problems ?? "accepted")")
  }

  @Test(arguments: ["run_all_tests", "run_test", "list_tests", "get_run"])
  func `the closed lists in a schema are the model's`(_ schema: String) throws {
    let file = Golden.repository.appending(path: "docs/schema/\(schema).schema.json")
    let root = try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any]
    let properties = root?["properties"] as? [String: [String: Any]]
    // What goes on has no verdict yet.
    let more = schema == "list_tests" ? [] : ["running"]
    #expect(
      properties?["status"]?["enum"] as? [String]
        == Verdict.Status.allCases.map(\.rawValue) + more)
    #expect(
      properties?["reason"]?["enum"] as? [String] == Verdict.Reason.allCases.map(\.rawValue))
  }

  @Test func `a duration that no clock shows is absent`() throws {
    for value in [Double.nan, .infinity, -1, 1e308] {
      let test = Samples.test("t")
      let attempt = Attempt(outcome: .failed, rawStatus: "failed", durationMS: value)
      let report = Report(
        verdict: Verdict(status: .failed, reason: .testsFailed),
        tests: [TestResult(test: test, first: attempt)], errors: [], missing: [], adapters: [],
        sandbox: nil, durationMS: 1)
      let data = ContractJSON.runAllTests(report, details: true)
      #expect(!String(decoding: data, as: UTF8.self).contains("duration_ms"), "\(value)")
    }
  }
}

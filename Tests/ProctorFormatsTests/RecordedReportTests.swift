import Foundation
import ProctorModel
import Testing

@testable import ProctorFormats

/// Reports that were written, read and written again.
@Suite struct RecordedReportTests {
  /// Uses every key of the contract that a run on a machine gives.
  static let rich: Report = {
    let place = SourceLocation(file: "src/auth.py", line: 7)
    let flaky = TestResult(
      test: Samples.test("test_flaky"),
      first: Attempt(
        outcome: .failed, rawStatus: "failed", durationMS: 3,
        failures: [Failure(message: "once", location: place)],
        stdout: CapturedText(text: "out"), stderr: CapturedText(text: "err"), startedMS: 1,
        worker: "gw0"),
      more: [
        Attempt(outcome: .timedOut, rawStatus: "timeout"),
        Attempt(
          outcome: .passed, rawStatus: "passed", durationMS: 0.5, note: "third", startedMS: 9,
          worker: "gw1"),
      ])
    let silent = TestResult(
      test: Samples.test("test_silent", file: nil),
      first: Attempt(outcome: .errored, rawStatus: "error"))
    let elsewhere = TestResult(
      test: Samples.test("test_elsewhere"),
      first: Attempt(
        outcome: .failed, rawStatus: "failed",
        failures: [Failure(message: "m", location: SourceLocation(file: "lib/other.py"))]))
    let mixed = Samples.mixed
    var report = Report(
      verdict: mixed.verdict, tests: mixed.tests + [flaky, silent, elsewhere],
      errors: mixed.errors + [
        RunError(
          .threadAssertion, adapter: Samples.pytest.adapter, message: "thread", location: place,
          suite: nil)
      ], missing: mixed.missing, adapters: mixed.adapters, sandbox: mixed.sandbox,
      durationMS: mixed.durationMS, suggestions: ["test_near"],
      writes: [
        WorkspaceWrite(path: "a", change: .added, kept: true),
        WorkspaceWrite(path: "b", change: .deleted, kept: false, note: "why"),
      ])
    report.beginning = mixed.beginning
    report.change = CandidateChange(files: [
      .init(path: "tests/t.py", kind: .modified, insertions: 3, deletions: 1, touchesTests: true),
      .init(path: "x.bin", kind: .added, insertions: nil, deletions: nil, touchesTests: false),
    ])
    return report
  }()

  @Test(arguments: [true, false])
  func `a report that is read and written again is the same to the byte`(
    _ details: Bool
  ) throws {
    let reports = [
      Self.rich, Samples.mixed, Samples.green, Samples.unbuilt, Samples.unmatched, Samples.lost,
    ]
    for report in reports {
      let written = ContractJSON.runAllTests(report, details: details)
      let recorded = try RecordedReport(reading: written)
      let again = ContractJSON.runAllTests(Report(recorded: recorded), details: details)
      #expect(String(decoding: again, as: UTF8.self) == String(decoding: written, as: UTF8.self))
      #expect(recorded.contradiction == nil)
      #expect(recorded.listsAllTests == details)
    }
  }

  @Test func `what is read keeps every attempt, and says what it does not list`() throws {
    func read(details: Bool) throws -> Report {
      Report(
        recorded: try RecordedReport(
          reading: ContractJSON.runAllTests(Self.rich, details: details)))
    }
    let whole = try read(details: true)
    #expect(whole.unlisted == nil)
    #expect(whole.tests.map(\.test.id) == Self.rich.tests.map(\.test.id))
    #expect(whole.tests.map(\.outcome) == Self.rich.tests.map(\.outcome))
    let flaky = try #require(whole.tests.first { $0.test.name == "test_flaky" })
    #expect(flaky == Self.rich.tests.first { $0.test.name == "test_flaky" }.map(Self.untold))
    #expect(whole.tests.map(\.test.project.root).contains("crates/a%:b\u{1b}[2J"))
    let failed = try read(details: false)
    #expect(failed.unlisted == Counts(passed: 2, failed: 0, skipped: 1))
    #expect(failed.counts == Self.rich.counts)
    #expect(failed.tests.allSatisfy { $0.outcome.countsAsFailed })
  }

  /// What the contract does not carry of a test.
  private static func untold(_ result: TestResult) -> TestResult {
    let test = result.test
    let told = TestCase(
      id: test.id, project: test.project, suite: test.suite, name: test.name,
      fullName: test.fullName, definition: test.definition, file: test.file,
      nativeID: test.fullName)
    let attempts = result.attempts.map { attempt in
      attempt.outcome == .timedOut
        ? Attempt(
          outcome: .timedOut, rawStatus: "timeout", failures: [Failure(message: "timeout")])
        : attempt
    }
    return TestResult(test: told, attempts: attempts) ?? result
  }

  /// Each edit makes a report say two things at once.
  static let edits: [(String, @Sendable (inout [String: Any]) -> Void)] = [
    ("counts", { $0["passed"] = 3 }),
    ("a green status", { $0["status"] = "passed" }),
    ("a failure left out", { $0["failures"] = Array(rows($0, "failures").dropFirst()) }),
    ("a test left out", { $0["tests"] = Array(rows($0, "tests").dropFirst()) }),
    (
      "a test in another's place",
      { answer in
        var tests = rows(answer, "tests")
        tests[0] = tests.first { "\($0["id"] ?? "")".hasSuffix("test_flaky") } ?? [:]
        answer["tests"] = tests
      }
    ),
    (
      "another outcome",
      { answer in
        var failures = rows(answer, "failures")
        failures[0]["outcome"] = "errored"
        answer["failures"] = failures
      }
    ),
    ("missing and there", { $0["missing"] = rows($0, "tests").prefix(1).map { $0["id"] } }),
  ]

  private static func rows(_ answer: [String: Any], _ key: String) -> [[String: Any]] {
    answer[key] as? [[String: Any]] ?? []
  }

  @Test(arguments: edits.indices)
  func `a report that contradicts itself is found out`(_ index: Int) throws {
    let written = ContractJSON.runAllTests(Self.rich, details: true)
    var answer = try #require(try JSONSerialization.jsonObject(with: written) as? [String: Any])
    Self.edits[index].1(&answer)
    let edited = try JSONSerialization.data(withJSONObject: answer)
    let contradiction = try RecordedReport(reading: edited).contradiction
    #expect(contradiction != nil, "\(Self.edits[index].0)")
  }

  @Test func `the parts of an id are those it was made of`() {
    for project in [Samples.pytest, Samples.cargo] {
      let id = TestID(project: project, fullName: "a::b:c", occurrence: 2)
      #expect(id.parts?.adapter == project.adapter)
      #expect(id.parts?.root == project.root)
      #expect(id.parts?.fullName == "a::b:c#2")
    }
    #expect(TestID(text: "no id").parts == nil)
  }
}

import Foundation
import ProctorFormats
import ProctorModel
import Testing

@testable import ProctorEngine

/// Shards that all arrived, and every way in which they did not.
@Suite struct ReportMergeTests {
  typealias Answer = [String: Any]

  private static let project = ShardPlanTests.project
  private static let tests = Array(ShardPlanTests.tests.prefix(12))
  private static let plan = ShardPlan(
    tests: tests, whole: [ShardPlanTests.whole], count: 3, selection: nil
  ) { _ in nil }

  private static func passed(_ test: TestCase, _ outcome: Outcome = .passed) -> TestResult {
    TestResult(
      test: test,
      first: Attempt(outcome: outcome, rawStatus: outcome.rawValue, durationMS: 2))
  }

  /// The report of a shard, as a machine writes it.
  private static func shard(
    _ index: Int, failing: String? = nil, errors: [RunError] = []
  ) -> Answer {
    var results = tests.filter { plan.shard(of: $0.id.text) == index }
      .map { passed($0, $0.name == failing ? .failed : .passed) }
    let hasWhole = plan.shard(of: "go:srv:") == index
    if hasWhole {
      let test = TestCase(
        id: TestID(project: ShardPlanTests.whole, fullName: "TestIt"),
        project: ShardPlanTests.whole, suite: "s", name: "TestIt", fullName: "TestIt",
        nativeID: "TestIt")
      results.append(passed(test))
    }
    var outcome = ProjectOutcome(project)
    outcome.selected = results.map(\.test)
    outcome.attempts = Dictionary(uniqueKeysWithValues: results.map { ($0.test.id, $0.attempts) })
    outcome.errors = errors
    let facts = Shard(
      index: index, count: 3, plan: plan.digest, planned: plan.entries,
      assigned: plan.entries(of: index), projects: hasWhole ? ["go:srv:"] : nil, commit: "c0ffee",
      code: "abc")
    var report = Report(
      verdict: Accounting(outcomes: [outcome], interrupted: false, shard: facts).verdict(),
      tests: results, errors: errors, missing: [],
      adapters: [
        AdapterReport(
          project: project, version: "9", counts: Counts(results),
          commands: [
            .init(
              purpose: .run, argv: ["pytest"], status: .exited(0), durationMS: 10, startedMS: 5)
          ], durationMS: 10)
      ], sandbox: nil, durationMS: 100)
    report.beginning = Report.Beginning(date: 1000 + Double(index), codeState: "state-\(index)")
    report.shard = facts
    return json(report)
  }

  private static func json(_ report: Report) -> Answer {
    let data = ContractJSON.runAllTests(report, details: true)
    return (try? JSONSerialization.jsonObject(with: data) as? Answer) ?? [:]
  }

  private static func merge(_ answers: [Answer], cut: Int = 0, plan: String? = nil) throws -> Report
  {
    let parts = try answers.enumerated().map { index, answer in
      let data = try JSONSerialization.data(withJSONObject: answer)
      return ReportMerge.Part(
        name: "part-\(index)",
        content: ReportReader.content(of: index == 0 ? data.dropLast(cut) : data))
    }
    return ReportMerge(parts, plan: plan).report()
  }

  private static var all: [Answer] { (1...3).map { shard($0) } }

  @Test func `all shards of one plan are one run`() throws {
    let report = try Self.merge(Self.all.reversed(), plan: Self.plan.digest)
    #expect(report.verdict == Verdict(status: .passed))
    #expect(report.counts == Counts(passed: 13, failed: 0, skipped: 0))
    #expect(report.adapters.map(\.project.root) == [".", "srv"])
    #expect(report.adapters[0].counts.passed == 12)
    #expect(report.adapters[0].commands.map(\.startedMS) == [5, 1005, 2005])
    #expect(report.beginning == Report.Beginning(date: 1001, codeState: nil))
    #expect(report.durationMS == 2100)
  }

  @Test func `a failed test, and what went wrong outside tests, is the whole's`() throws {
    let failed = try Self.merge((1...3).map { Self.shard($0, failing: "test_11") })
    #expect(failed.verdict.status == .partialFailure)
    #expect(failed.counts == Counts(passed: 12, failed: 1, skipped: 0))
    let error = RunError(stage: .build, adapter: Self.project.adapter, message: "no")
    let unbuilt = try Self.merge((1...3).map { Self.shard($0, errors: [error]) })
    #expect(unbuilt.verdict.status == .failed)
    #expect(unbuilt.verdict.reason == .buildFailed)
    #expect(unbuilt.errors.count == 1)
  }

  /// What was done to the parts, the reason that the verdict must have, and a word of its message.
  static let edits: [(String, @Sendable (inout [Answer]) -> Void, Verdict.Reason, String)] = [
    ("one is missing", { $0.remove(at: 1) }, .shardMissing, "shard 2 of 3 is missing"),
    ("one is there twice", { $0.append($0[2]) }, .shardConflict, "twice"),
    ("one took another's place", { $0[1] = $0[2] }, .shardConflict, "twice"),
    (
      "another plan",
      { change(&$0[1], "plan", String(repeating: "0", count: 64)) }, .shardConflict, "plans"
    ),
    ("another number of shards", { change(&$0[1], "count", 4) }, .shardConflict, "numbers"),
    ("another selection", { change(&$0[1], "selection", "x") }, .shardConflict, "selections"),
    ("other code", { change(&$0[1], "code", "other") }, .shardConflict, "different code"),
    ("another commit", { change(&$0[1], "commit", "other") }, .shardConflict, "different code"),
    ("no such shard", { change(&$0[1], "index", 9) }, .shardConflict, "shard 9 of 3"),
    ("a test was removed", { removeTest(&$0[0], andCount: false) }, .shardConflict, "was given"),
    (
      "a test was removed, and the count with it",
      { removeTest(&$0[0], andCount: true) }, .shardConflict, "not those of the plan"
    ),
    (
      "a test is in two shards",
      { parts in
        let moved = rows(parts[1])[0]
        var tests = rows(parts[0])
        tests[0] = moved
        parts[0]["tests"] = tests
      }, .shardConflict, "in shard 1 and in shard 2"
    ),
    (
      "a test has another name",
      { parts in
        var tests = rows(parts[0])
        tests[0]["id"] = "pytest:.:tests/other.py::test"
        parts[0]["tests"] = tests
      }, .shardConflict, "not those of the plan"
    ),
    (
      "a project that runs whole is nobody's",
      { parts in for index in 0..<3 { change(&parts[index], "projects", nil) } }, .shardConflict,
      "not those of the plan"
    ),
    ("without --details", { $0[1]["tests"] = nil }, .reportIncomplete, "--details"),
    ("counts that were edited", { $0[1]["passed"] = 99 }, .reportCorrupt, "part-1"),
    (
      "one gave no verdict",
      { parts in
        parts[2]["status"] = "error"
        parts[2]["reason"] = "tool_missing"
        parts[2]["message"] = "no node"
      }, .toolMissing, "shard 3 of 3 (part-2): no node"
    ),
    ("one is no report", { $0[1] = ["tests_run": 3] }, .reportCorrupt, "part-1 is no answer"),
  ]

  private static func rows(_ answer: Answer) -> [Answer] { answer["tests"] as? [Answer] ?? [] }

  private static func change(_ answer: inout Answer, _ key: String, _ value: Any?) {
    var shard = answer["shard"] as? Answer ?? [:]
    shard[key] = value
    answer["shard"] = shard
  }

  private static func removeTest(_ answer: inout Answer, andCount: Bool) {
    let tests = Array(rows(answer).dropFirst())
    answer["tests"] = tests
    answer["passed"] = tests.count
    answer["total_tests"] = tests.count
    if andCount {
      let assigned = (answer["shard"] as? Answer)?["assigned"] as? Int ?? 0
      change(&answer, "assigned", assigned - 1)
    }
  }

  @Test(arguments: edits.indices)
  func `parts that do not make a whole have no verdict`(_ index: Int) throws {
    let (what, edit, reason, words) = Self.edits[index]
    var parts = Self.all
    edit(&parts)
    let verdict = try Self.merge(parts).verdict
    #expect(verdict.status == .error, "\(what)")
    #expect(verdict.reason == reason, "\(what): \(verdict)")
    #expect(verdict.message?.contains(words) == true, "\(what): \(verdict.message ?? "")")
  }

  @Test func `a report that ends before its end is no report`() throws {
    let verdict = try Self.merge(Self.all, cut: 5).verdict
    #expect(verdict.reason == .reportCorrupt)
    #expect(verdict.message == "part-0 is not JSON, or only a part of it")
  }

  @Test func `shards must be of the plan that is known`() throws {
    let other = String(repeating: "1", count: 64)
    #expect(try Self.merge(Self.all, plan: other).verdict.reason == .shardConflict)
    #expect(try Self.merge([], plan: other).verdict.reason == .shardMissing)
    let lost = ReportMerge([], plan: other, lost: [2: "TIMEOUT on n1"]).report()
    #expect(lost.verdict.message?.contains("TIMEOUT on n1") == true)
  }

  // MARK: without shards

  private static func run(_ outcomes: [String: Outcome], _ status: Verdict.Status) -> Answer {
    let results = outcomes.sorted { $0.key < $1.key }.map { name, outcome in
      passed(ShardPlanTests.test(name, "t.py"), outcome)
    }
    return json(
      Report(
        verdict: Verdict(status: status, reason: status == .passed ? nil : .testsFailed),
        tests: results, errors: [], missing: [], adapters: [], sandbox: nil, durationMS: 7))
  }

  @Test func `reports without shards are parts of one run`() throws {
    let report = try Self.merge([
      Self.run(["a": .passed], .passed), Self.run(["b": .passed], .passed),
    ])
    #expect(report.verdict.status == .passed)
    #expect(report.counts.passed == 2)
  }

  @Test func `the same test with two outcomes is never green`() throws {
    let (red, green) = (
      Self.run(["a": .failed, "b": .passed], .partialFailure),
      Self.run(["a": .passed, "b": .skipped], .passed)
    )
    for parts in [[red, green], [green, red]] {
      let report = try Self.merge(parts)
      #expect(report.verdict.status == .partialFailure)
      let twice = report.tests.map { ($0.attempts.count, $0.outcome) }
      #expect(twice.map(\.0) == [2, 2])
      #expect(twice.map(\.1) == [.failed, .passed])
    }
  }

  @Test func `a part that is not green by itself makes nothing green`() throws {
    var empty = Self.run([:], .passed)
    empty["status"] = "no_tests"
    empty["reason"] = "empty_selection"
    let verdict = try Self.merge([Self.run(["a": .passed], .passed), empty]).verdict
    #expect(verdict.status == .noTests)
    #expect(verdict.message?.hasPrefix("part-1") == true)
    var policy = Self.run(["b": .passed], .passed)
    policy["status"] = "failed"
    policy["reason"] = "tests_failed"
    #expect(try Self.merge([Self.run(["a": .passed], .passed), policy]).verdict.status == .failed)
    #expect(try Self.merge([]).verdict.status == .noTests)
  }

  // MARK: other tools

  @Test func `tests of other tools that were counted and not kept still count`() throws {
    let kept = ["a": Outcome.failed, "b": .passed].map { name, outcome in
      Self.passed(ShardPlanTests.test(name, "t.py"), outcome)
    }
    var foreign = Report(
      verdict: Verdict(status: .partialFailure, reason: .testsFailed, message: "30 tests failed"),
      tests: kept, errors: [], missing: [], adapters: [], sandbox: nil, durationMS: 5000)
    let counts = Counts(passed: 20, failed: 30, skipped: 0)
    foreign.reading = Report.Reading(
      files: [
        ReportFile(
          file: "x.xml", format: "junit", tool: nil, counts: counts, durationMS: 9, notes: [],
          isComplete: true)
      ], counts: counts, failuresOmitted: 29)
    let data = try JSONSerialization.data(withJSONObject: Self.run(["b": .passed], .passed))
    let report = ReportMerge([
      ReportMerge.Part(name: "own.json", content: ReportReader.content(of: data)),
      ReportMerge.Part(name: "x.xml", foreign: foreign, isPassedOver: false),
    ]).report()
    #expect(report.counts == counts)
    #expect(report.adapters.map(\.counts) == [counts])
    #expect(report.verdict.message == "30 tests failed")
    #expect(report.durationMS == 9)
    #expect(report.reading?.failuresOmitted == 29)
    #expect(report.reading?.files.map(\.format) == ["proctor", "junit"])
    #expect(
      report.reading?.files.last?.notes.first?.message.hasPrefix("1 test is in files") == true)
  }
}

import Foundation
import Testing

/// A test that hangs or takes its process along is named, with the line where it was; the others get
/// their results all the same.
@Suite(.serialized) struct HangTests {
  struct Expected {
    let runner: String
    let passed: Int
    /// Outcome and place by test; nil where the runner cannot tell the place.
    let failed: [String: (outcome: String, place: String?)]
  }

  static let expected = [
    Expected(
      runner: "cargo", passed: 2,
      failed: [
        "tests::hangs": ("timed_out", "src/lib.rs:14"),
        "tests::waits_for_a_lock": ("timed_out", "src/lib.rs:21"),
        "tests::crashes": ("crashed", "src/lib.rs:2"),
      ]),
    Expected(
      runner: "pytest", passed: 2,
      failed: [
        "test_hangs": ("timed_out", "test_hangs.py:12"),
        "test_waits": ("timed_out", "waiting.py:5"),
        "test_crashes": ("crashed", "test_hangs.py:22"),
      ]),
    Expected(
      runner: "jest", passed: 2,
      failed: ["hangs": ("timed_out", "hangs.test.js:4"), "crashes": ("crashed", nil)]),
    Expected(
      runner: "swift", passed: 4,
      failed: [
        "testHangs": ("timed_out", "Tests/HangsTests/HangsTests.swift:10"),
        "testCrashes": ("crashed", "Sources/Hangs/Hangs.swift:2"),
        "hangs()": ("timed_out", "Tests/HangsTests/HangsTests.swift:25"),
        "crashes()": ("crashed", "Tests/HangsTests/HangsTests.swift:30"),
      ]),
  ]

  @Test(arguments: expected.map(\.runner))
  func `hangs and crashes cost only themselves`(runner: String) throws {
    let expected = try #require(Self.expected.first { $0.runner == runner })
    let folder = try TemporaryFolder()
    let workspace = try folder.copy(fixture: "hangs/\(runner)")
    let outcome = try ProctorProcess(
      ["run", "--test-timeout", "3", "--format", "json"], in: workspace
    ).run()
    #expect(outcome.status == 1, "\(outcome.text)\(outcome.stderr)")
    try Schema.validate(outcome.stdout, "run_all_tests")
    let answer = try outcome.json()
    #expect(answer["status"] as? String == "partial_failure")
    #expect(answer["passed"] as? Int == expected.passed)
    let failures = answer["failures"] as? [[String: Any]] ?? []
    #expect(failures.count == expected.failed.count)
    for failure in failures {
      let test = failure["test"] as? String ?? "?"
      guard let wanted = expected.failed[test] else {
        Issue.record("\(test) failed")
        continue
      }
      #expect(failure["outcome"] as? String == wanted.outcome, "\(test): \(failure["error"] ?? "")")
      let line = failure["line"] as? Int
      let place = line.map { "\(failure["file"] as? String ?? "?"):\($0)" }
      #expect(place == wanted.place, "\(test)")
      if test.lowercased().contains("crashes"), runner != "jest", test != "crashes()" {
        #expect((failure["stdout"] as? String)?.contains("before the crash") == true, "\(test)")
      }
    }
  }

  /// A slow test is asked where it is shortly before its limit, and goes on.
  @Test func `a test survives being asked where it is`() throws {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [
      "node", "\(ProctorProcess.repository)/Tests/Support/jest_watch.js",
      "\(ProctorProcess.repository)/adapters/jest/guest/proctor_jest_watch.js",
    ]
    let output = Pipe()
    process.standardError = output
    try process.run()
    let words = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationReason == .exit && process.terminationStatus == 0, "\(words)")
    #expect(words.split(separator: "proctor: javascript stack").count > 30, "\(words)")
  }

  @Test func `paranoid gives each test a process of its own`() throws {
    let folder = try TemporaryFolder()
    try folder.write("[pytest]\n", to: "workspace/pytest.ini")
    try folder.write(
      """
      import os


      def test_first():
          os.environ["SEEN"] = "1"


      def test_second():
          assert "SEEN" not in os.environ
      """, to: "workspace/test_it.py")
    let workspace = "\(folder.path)/workspace"
    #expect(try ProctorProcess(["run"], in: workspace).run().status == 1)
    let outcome = try ProctorProcess(["run", "--paranoid", "--format", "json"], in: workspace).run()
    #expect(outcome.status == 0, "\(outcome.text)\(outcome.stderr)")
    let adapters = try outcome.json()["adapters"] as? [[String: Any]]
    let commands = adapters?.first?["commands"] as? [[String: Any]] ?? []
    #expect(commands.filter { $0["purpose"] as? String == "run" }.count == 2)
  }

  /// The four runners with everything in one go: a process each, and the same totals.
  @Test func `paranoid finds the same as a common run`() throws {
    let folder = try TemporaryFolder()
    let workspace = try folder.copy(fixture: "polyglot")
    let common = try ProctorProcess(["run", "--format", "json"], in: workspace).run().json()
    let apart = try ProctorProcess(["run", "--paranoid", "--format", "json"], in: workspace).run()
      .json()
    for key in ["total_tests", "passed", "failed", "skipped"] {
      #expect(common[key] as? Int == apart[key] as? Int, "\(key)")
    }
  }
}

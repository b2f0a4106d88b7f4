import Foundation
import Testing

/// Failed tests run again: what heals, what never does, and what is said of it.
@Suite(.serialized) struct RetryTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Counts how often it is called, in the private copy of the workspace that all attempts of a run share.
  static let counting = """
    import os, pathlib, pytest

    def times(name):
        file = pathlib.Path(__file__).parent / (name + ".count")
        number = int(file.read_text()) + 1 if file.exists() else 1
        file.write_text(str(number))
        return number


    """

  func python(_ test: String, conftest: String? = nil) throws -> String {
    try folder.write("[pytest]\n", to: "workspace/pytest.ini")
    try folder.write(Self.counting + test, to: "workspace/test_it.py")
    if let conftest { try folder.write(Self.counting + conftest, to: "workspace/conftest.py") }
    return "\(folder.path)/workspace"
  }

  func run(
    _ arguments: [String], in workspace: String
  ) throws -> (answer: [String: Any], status: Int32) {
    let outcome = try ProctorProcess(
      ["run", "--format", "json", "--details"] + arguments, in: workspace
    ).run()
    try Schema.validate(outcome.stdout, "run_all_tests")
    return (try outcome.json(), outcome.status)
  }

  func attempts(_ answer: [String: Any], _ name: String) -> [String] {
    let rows = (answer["tests"] as? [[String: Any]] ?? []) + failures(answer)
    let details = rows.filter { ($0["full_name"] as? String)?.hasSuffix(name) == true }
      .compactMap { $0["attempt_details"] as? [[String: Any]] }.first
    return details?.compactMap { $0["outcome"] as? String } ?? []
  }

  func failures(_ answer: [String: Any]) -> [[String: Any]] {
    answer["failures"] as? [[String: Any]] ?? []
  }

  func flaky(_ answer: [String: Any]) -> [String] {
    (answer["flaky_tests"] as? [[String: Any]] ?? []).compactMap { $0["full_name"] as? String }
  }

  func notes(_ answer: [String: Any]) -> String {
    (answer["notes"] as? [String] ?? []).joined(separator: "\n")
  }

  // MARK: what heals

  static let oneFlaky = """
    def test_flaky():
        print("time", times("flaky"))
        assert times("again") >= 2, "not yet"

    def test_red():
        assert times("red") < 0, "never"

    def test_green():
        times("green")
    """

  @Test func `exactly the failed tests run again, and every attempt is kept`() throws {
    let workspace = try python(Self.oneFlaky)
    let (answer, status) = try run(["--retries", "3"], in: workspace)
    #expect(status == 1)
    #expect(answer["status"] as? String == "partial_failure")
    #expect(attempts(answer, "test_flaky") == ["failed", "passed"])
    #expect(attempts(answer, "test_red") == ["failed", "failed", "failed", "failed"])
    #expect(attempts(answer, "test_green") == [])
    #expect(flaky(answer) == ["test_it.py::test_flaky"])
    #expect(answer["flaky"] as? Int == 1)
    #expect(failures(answer).map { $0["attempts"] as? Int } == [4])
    let once = try run([], in: workspace)
    #expect(once.answer["failed"] as? Int == 2)
    #expect(once.answer["flaky"] == nil)
  }

  @Test func `a flaky test is green with warn and pass, and red with fail`() throws {
    let workspace = try python(Self.oneFlaky)
    let only = ["--retries", "1", "--filter", "flaky|green"]
    let warned = try run(only, in: workspace)
    #expect(warned.status == 0)
    #expect(warned.answer["status"] as? String == "passed")
    #expect(warned.answer["flaky_policy"] as? String == "warn")
    let passed = try run(only + ["--flaky", "pass"], in: workspace)
    #expect(passed.status == 0)
    #expect(passed.answer["flaky"] as? Int == 1)
    let failed = try run(only + ["--flaky", "fail"], in: workspace)
    #expect(failed.status == 1)
    #expect(failed.answer["reason"] as? String == "flaky")
    #expect(failed.answer["failed"] as? Int == 0)
    try folder.write("[tests]\nretries = 1\nflaky = \"fail\"\n", to: "workspace/proctor.toml")
    let configured = try run(["--filter", "flaky|green"], in: workspace)
    #expect(configured.answer["reason"] as? String == "flaky")
    let text = try ProctorProcess(["run", "--flaky", "warn", "--filter", "flaky"], in: workspace)
      .run()
    #expect(text.text.contains("FLAKY 1 test failed and passed:\n  test_it.py::test_flaky: 1 of 2"))
    #expect(text.text.contains("PASSED 1 passed, 0 failed, 0 skipped (1 flaky)"))
  }

  @Test func `a test that ended its process or hung is run again, too`() throws {
    let workspace = try python(
      """
      import time

      def test_leaves():
          if times("leaves") == 1:
              os._exit(3)

      def test_hangs():
          if times("hangs") == 1:
              time.sleep(60)
      """)
    let (answer, status) = try run(["--retries", "1", "--test-timeout", "3"], in: workspace)
    #expect(status == 0)
    #expect(attempts(answer, "test_leaves").first == "crashed")
    #expect(attempts(answer, "test_leaves").last == "passed")
    #expect(attempts(answer, "test_hangs").first == "timed_out")
    #expect(Set(flaky(answer)).contains("test_it.py::test_hangs"))
  }

  @Test func `jest, cargo and swift run their failed tests again`() throws {
    try folder.write(#"{"jest": {}}"#, to: "all/js/package.json")
    try folder.write(
      """
      const fs = require('fs');
      test('twin', () => { expect(1).toBe(2); });
      test('twin', () => {
        const before = fs.existsSync(__dirname + '/seen');
        fs.writeFileSync(__dirname + '/seen', '');
        expect(before).toBe(true);
      });
      test('other', () => {});
      """, to: "all/js/it.test.js")
    try folder.write(
      "[package]\nname = \"it\"\nversion = \"0.1.0\"\nedition = \"2021\"\n", to: "all/rs/Cargo.toml"
    )
    try folder.write(
      """
      #[test]
      fn flaky() {
          let file = concat!(env!("CARGO_MANIFEST_DIR"), "/seen");
          let before = std::fs::metadata(file).is_ok();
          std::fs::write(file, "").unwrap();
          assert!(before);
      }
      #[test]
      fn steady() {}
      """, to: "all/rs/src/lib.rs")
    try folder.write(
      """
      // swift-tools-version: 5.9
      import PackageDescription
      let package = Package(name: "It", targets: [.testTarget(name: "ItTests")])
      """, to: "all/sw/Package.swift")
    try folder.write(
      """
      import Foundation
      import XCTest
      final class ItTests: XCTestCase {
        func testFlaky() throws {
          let file = "\\(#filePath).seen"
          let before = FileManager.default.fileExists(atPath: file)
          try "".write(toFile: file, atomically: false, encoding: .utf8)
          XCTAssert(before)
        }
        func testSteady() {}
      }
      """, to: "all/sw/Tests/ItTests/ItTests.swift")
    try FileManager.default.createSymbolicLink(
      atPath: "\(folder.path)/node_modules",
      withDestinationPath: "\(ProctorProcess.repository)/fixtures/node_modules")
    let (answer, _) = try run(["--retries", "1"], in: "\(folder.path)/all")
    #expect(
      Set(flaky(answer)) == ["it.test.js > twin", "it::flaky", "ItTests.ItTests/testFlaky"])
    // Of two tests of one name only the second one healed.
    #expect(
      failures(answer).compactMap { $0["id"] as? String } == ["jest:js:it.test.js > twin"])
    let rows = answer["flaky_tests"] as? [[String: Any]] ?? []
    #expect(rows.contains { $0["id"] as? String == "jest:js:it.test.js > twin#2" })
    #expect(answer["passed"] as? Int == 6)
  }

  // MARK: what never heals

  @Test func `a retry that matches nothing is no pass`() throws {
    let workspace = try python(
      """
      if times("imported") == 1:
          def test_gone():
              assert False

      def test_stays():
          pass
      """)
    let (answer, status) = try run(["--retries", "2"], in: workspace)
    #expect(status == 1)
    #expect(answer["failed"] as? Int == 1)
    #expect(flaky(answer) == [])
    #expect(notes(answer).contains("retry 1 counts for no pass: no result came for"))
  }

  @Test func `an error outside tests in the first run stays, whatever passes later`() throws {
    let workspace = try python("def test_flaky():\n    assert times(\"it\") >= 2\n")
    try folder.write(
      Self.counting + "assert times('module') >= 2\ndef test_late():\n    pass\n",
      to: "workspace/test_module.py")
    let (answer, status) = try run(["--retries", "3"], in: workspace)
    #expect(status == 3)
    #expect(answer["status"] as? String == "failed")
    #expect(answer["reason"] as? String == "collection_failed")
  }

  @Test(arguments: [
    ("the retry's exit status does not fit", "session.exitstatus = 1", "does not fit"),
    ("the retry ends without its report", "os._exit(0)", "retry 1 counts for no pass"),
  ])
  func `a pass counts only from a run that is accounted for`(
    what: String, action: String, words: String
  ) throws {
    let workspace = try python(
      "def test_flaky():\n    assert times(\"it\") >= 2\n\ndef test_green():\n    pass\n",
      conftest: """
        @pytest.hookimpl(tryfirst=True)
        def pytest_sessionfinish(session):
            if times("session") == 2:
                \(action)
        """)
    let (answer, status) = try run(["--retries", "1"], in: workspace)
    #expect(status == 1, "\(what)")
    #expect(answer["failed"] as? Int == 1, "\(what)")
    #expect(flaky(answer) == [], "\(what)")
    #expect(notes(answer).contains(words), "\(what)")
  }

  @Test func `a lost report of the first run is not healed`() throws {
    let workspace = try python(
      "def test_flaky():\n    assert times(\"it\") >= 2\n",
      conftest: """
        def pytest_sessionfinish(session):
            if times("session") == 1:
                os._exit(1)
        """)
    let (answer, status) = try run(["--retries", "2"], in: workspace)
    #expect(status == 5)
    #expect(answer["status"] as? String == "error")
    #expect(answer["flaky"] == nil)
  }

  @Test func `a test that skips itself in its retry stays failed`() throws {
    let workspace = try python(
      """
      def test_shy():
          if times("shy") > 1:
              pytest.skip("not again")
          assert False

      def test_green():
          pass
      """)
    let (answer, status) = try run(["--retries", "2"], in: workspace)
    #expect(status == 1)
    #expect(answer["failed"] as? Int == 1)
    #expect(answer["skipped"] as? Int == 0)
    #expect(notes(answer).contains("test_shy was skipped in retry 1"))
  }

  @Test func `a runner that cannot select cannot retry, and says so`() throws {
    let alone = try folder.copy(fixture: "lies/manifest-no_report", as: "alone")
    let refused = try ProctorProcess(["run", "--retries", "1", "--format", "json"], in: alone).run()
    #expect(refused.status == 2)
    #expect(refused.stderr.contains("cannot be run again here"))
    // Configured for a workspace, it must not stop a run of one such project.
    try folder.write("[tests]\nretries = 1\n", to: "alone/proctor.toml")
    #expect(try ProctorProcess(["run"], in: alone).run().status == 5)
    let beside = try folder.copy(fixture: "lies/manifest-paranoid_unlisted", as: "beside")
    let (answer, _) = try run(["--retries", "1"], in: beside)
    #expect(notes(answer).contains("prove at perl: failed tests were not run again"))
    let wrong = try ProctorProcess(["run", "--retries", "1", "--repeat", "2"], in: alone).run()
    #expect(wrong.status == 2)
  }

  // MARK: repeating

  @Test func `each repetition must pass, and all attempts are kept in order`() throws {
    let workspace = try python(
      """
      def test_sometimes():
          assert times("it") != 2, "the second time"

      def test_green():
          pass
      """)
    let (answer, status) = try run(["--repeat", "4"], in: workspace)
    #expect(status == 1)
    #expect(attempts(answer, "test_sometimes") == ["passed", "failed", "passed", "passed"])
    #expect(attempts(answer, "test_green") == ["passed", "passed", "passed", "passed"])
    #expect(flaky(answer) == ["test_it.py::test_sometimes"])
    #expect(answer["repetitions"] as? Int == 4)
    #expect((failures(answer).first?["error"] as? String)?.contains("the second time") == true)
    let found = try run(["--until-fail", "--repeat", "9"], in: workspace)
    #expect(found.status == 1)
    #expect(found.answer["repetitions"] as? Int == 2)
    let none = try run(["--until-fail", "--repeat", "3", "--filter", "green"], in: workspace)
    #expect(none.status == 0)
    #expect(none.answer["repetitions"] as? Int == 3)
  }

  @Test func `there is one time limit for all repetitions and retries, however short they are`()
    throws
  {
    let workspace = try python(
      """
      def test_red():
          assert False

      def test_green():
          pass
      """)
    let repeated = try run(["--repeat", "10000", "--timeout", "3"], in: workspace)
    #expect(repeated.status == 6)
    #expect(repeated.answer["reason"] as? String == "timed_out")
    #expect((repeated.answer["message"] as? String)?.contains("repetition") == true)
    let retried = try run(["--retries", "100", "--timeout", "3"], in: workspace)
    #expect(retried.status == 1)
    #expect(notes(retried.answer).contains("time limit"))
    let searched = try run(
      ["--until-fail", "--timeout", "3", "--filter", "green"], in: workspace)
    #expect(searched.status == 0)
    #expect(searched.answer["repetitions"] as? Int ?? 0 > 1)
  }

  @Test func `a repetition in which tests are missing is no verdict`() throws {
    let workspace = try python(
      """
      if times("imported") < 3:
          def test_gone():
              pass

      def test_stays():
          pass
      """)
    let (answer, status) = try run(["--repeat", "4"], in: workspace)
    #expect(status == 5)
    #expect(answer["reason"] as? String == "tests_missing")
    #expect((answer["message"] as? String)?.contains("repetition 3") == true)
  }
}

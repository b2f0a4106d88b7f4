import Foundation
import ProctorModel
import Testing

@testable import ProctorEngine

@Suite struct GateChangeTests {
  @Test(arguments: [
    ("a.py", "def test_a():\n    assert 1\n    # assert 2\n    assert_that(3)\n\nassert 4\n", 1, 1),
    ("a.py", "@mark\ndef test_a(\n    x,\n):\n    assert x\n    assert x\n", 1, 2),
    (
      "a.py",
      "class T:\n    def test_a(self):\n        self.assertEqual(1, 1)\n\n    def test_b(self):\n        assert 1\n",
      2, 1
    ),
    (
      "a.rs",
      "#[test]\nfn a() {\n    assert!(x);\n    assert_eq!(1, 1);\n    debug_assert!(y);\n}\nfn b() { assert!(z); }\n",
      1, 3
    ),
    ("a.test.ts", "test('a', () => {\n  expect(1).toBe(1)\n  // expect(2)\n})\nexpect(3)\n", 1, 1),
    (
      "A.swift",
      "  @Test func a() {\n    #expect(x)\n    XCTAssertEqual(1, 1)\n  }\n  #expect(y)\n", 1, 2
    ),
    (
      "a_test.go", "func TestA(t *testing.T) {\n\tt.Errorf(\"x\")\n\trequire.NoError(t, err)\n}\n",
      1, 2
    ),
  ])
  func `assertions of a test are counted`(
    file: String, text: String, line: Int, count: Int
  ) throws {
    let counter = try #require(AssertionCounter(file: file, text: text))
    #expect(counter.count(from: line, upTo: nil) == count)
    #expect(counter.count(from: 99, upTo: nil) == nil)
  }

  @Test func `of a language without words nothing is counted`() {
    #expect(AssertionCounter(file: "a.txt", text: "assert x") == nil)
  }

  @Test(arguments: [
    (["GITHUB_ACTIONS": "true", "GITHUB_BASE_REF": "release/1"], "release/1"),
    (["GITHUB_ACTIONS": "true", "GITHUB_BASE_REF": ""], nil),
    (
      [
        "GITLAB_CI": "true", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "dev", "CI_DEFAULT_BRANCH": "m",
      ], "dev"
    ),
    (["GITLAB_CI": "true", "CI_DEFAULT_BRANCH": "trunk"], "trunk"),
    (["BUILDKITE": "true", "BUILDKITE_PULL_REQUEST_BASE_BRANCH": "next"], "next"),
    (["BUILDKITE": "true", "BUILDKITE_PIPELINE_DEFAULT_BRANCH": "main"], "main"),
    (["TF_BUILD": "True", "SYSTEM_PULLREQUEST_TARGETBRANCH": "refs/heads/main"], "main"),
    (["TF_BUILD": "True", "SYSTEM_PULLREQUEST_TARGETBRANCH": "main"], "main"),
    (["JENKINS_URL": "x", "CHANGE_TARGET": "develop"], "develop"),
    (["CI": "true", "BITBUCKET_PR_DESTINATION_BRANCH": "prod"], "prod"),
    (["CIRCLECI": "true", "CIRCLE_BRANCH": "feature"], nil),
    // Not in CI: what is left in a shell says nothing.
    (["GITHUB_BASE_REF": "main"], nil),
  ])
  func `engines name the branch that a change is to be merged into`(
    environment: [String: String], branch: String?
  ) {
    #expect(CIEngine.target(environment) == branch)
    let names = GateRevisions.candidates(nil, environment)
    #expect(names.first == "refs/remotes/origin/\(branch ?? "HEAD")")
    #expect(GateRevisions.candidates("v1", environment).first == "v1")
  }

  @Test func `the policy is read, and nothing else`() throws {
    func read(_ text: String) throws -> GatePolicy {
      try ConfigurationReader.read(text, adapters: ["pytest"].map(AdapterID.init)).gate
    }
    #expect(try read("") == GatePolicy())
    let policy = try read(
      """
      [gate]
      block_new_failures = false
      block_known_failures = true
      block_removed = false
      block_newly_skipped = false
      block_weakened = true
      block_fewer_tests = true
      allow_removed = ["pytest:.:tests/test_a.py::test_x[1-(]", "legacy"]
      allow_skipped = ["^slow"]
      flaky = "fail"
      min_tests = 10
      max_slowdown_percent = 25
      """)
    #expect(!policy.blocksNewFailures && policy.blocksKnownFailures && !policy.blocksRemoved)
    #expect(!policy.blocksNewlySkipped && policy.blocksWeakened && policy.blocksFewerTests)
    #expect(
      policy.allowRemoved == [
        .id(TestID(text: "pytest:.:tests/test_a.py::test_x[1-(]")), .pattern("legacy"),
      ])
    #expect(policy.allowSkipped == [.pattern("^slow")])
    #expect(policy.flaky == .fail && policy.minTests == 10 && policy.maxSlowdownPercent == 25)
    for wrong in [
      "blok = true", "flaky = \"maybe\"", "min_tests = 0", "allow_removed = [\"(\"]",
      "allow_removed = [\"\"]", "allow_skipped = \"x\"",
    ] {
      let error = #expect(throws: EngineError.self) { try read("[gate]\n\(wrong)\n") }
      #expect(error?.message.contains("proctor.toml:2") == true, "\(wrong)")
    }
  }
}

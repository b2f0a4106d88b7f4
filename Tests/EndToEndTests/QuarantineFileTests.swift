import Foundation
import Testing

/// What `proctor-quarantine.toml` does to a run, and what it cannot hide.
@Suite(.serialized) struct QuarantineFileTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try folder.write("[pytest]\n", to: "workspace/pytest.ini")
  }

  var workspace: String { "\(folder.path)/workspace" }

  func quarantine(_ subject: String, expires: String = "2999-12-31") throws {
    try folder.write(
      """
      [[quarantine]]
      \(subject)
      owner = "team-a"
      reason = "waits for the new clock"
      expires = \(expires)

      """, to: "workspace/proctor-quarantine.toml")
  }

  func run(_ arguments: String...) throws -> (answer: [String: Any], status: Int32) {
    let outcome = try ProctorProcess(
      ["run", "--format", "json", "--details"] + arguments, in: workspace
    ).run()
    try Schema.validate(outcome.stdout, "run_all_tests")
    return (try outcome.json(), outcome.status)
  }

  @Test func `a quarantined failure is skipped, counted and listed with its owner`() throws {
    try folder.write(
      "def test_known():\n    assert 1 == 2\n\ndef test_fine():\n    pass\n",
      to: "workspace/test_it.py")
    try quarantine("test = \"pytest:.:test_it.py::test_known\"")
    let (answer, status) = try run("--retries", "2")
    #expect(status == 0)
    #expect(answer["passed"] as? Int == 1)
    #expect(answer["failed"] as? Int == 0)
    #expect(answer["skipped"] as? Int == 1)
    #expect(answer["total_tests"] as? Int == 2)
    #expect(answer["quarantined"] as? Int == 1)
    let listed = (answer["quarantined_tests"] as? [[String: Any]])?.first
    #expect(listed?["owner"] as? String == "team-a")
    #expect(listed?["outcome"] as? String == "failed")
    #expect((listed?["error"] as? String)?.contains("assert 1 == 2") == true)
    let rows = answer["tests"] as? [[String: Any]] ?? []
    let row = rows.first { $0["name"] as? String == "test_known" }
    #expect(row?["raw_status"] as? String == "quarantined")
    // It cannot make the run red, so that it is not tried again.
    #expect(row?["attempts"] as? Int == 1)
    let text = try ProctorProcess(["run"], in: workspace).run().text
    #expect(text.contains("QUARANTINED 1 test failed and does not count:"))
    #expect(text.contains("PASSED 1 passed, 0 failed, 1 skipped (1 quarantined)"))
  }

  @Test func `an entry that is over counts no longer, and it is said`() throws {
    try folder.write(
      "def test_known():\n    assert False\n\ndef test_fine():\n    pass\n",
      to: "workspace/test_it.py")
    try quarantine("pattern = \"known\"", expires: "2020-01-31")
    let (answer, status) = try run()
    #expect(status == 1)
    #expect(answer["failed"] as? Int == 1)
    let notes = answer["notes"] as? [String] ?? []
    #expect(notes.contains { $0.contains("expired on 2020-01-31") })
  }

  @Test func `a crash, an error outside tests and nothing else that ran are not hidden`() throws {
    try folder.write(
      "import os\n\ndef test_known():\n    os._exit(7)\n\ndef test_fine():\n    pass\n",
      to: "workspace/test_it.py")
    try quarantine("pattern = \"test_known|test_broken\"")
    #expect(try run().answer["failed"] as? Int == 1)
    try folder.write(
      "def test_known():\n    assert False\n\ndef test_fine():\n    pass\n",
      to: "workspace/test_it.py")
    try folder.write("import nothing_like_it\n", to: "workspace/test_broken.py")
    let broken = try run()
    #expect(broken.status == 3)
    #expect(broken.answer["reason"] as? String == "collection_failed")
    try FileManager.default.removeItem(atPath: "\(workspace)/test_broken.py")
    try folder.write("def test_known():\n    assert False\n", to: "workspace/test_it.py")
    let only = try run()
    #expect(only.status == 4)
    #expect(only.answer["reason"] as? String == "all_skipped")
    #expect(only.answer["quarantined"] as? Int == 1)
  }

  @Test func `a quarantined test that vanished is no verdict over everything`() throws {
    try folder.write(
      "def test_fine():\n    pass\n\ndef test_other():\n    pass\n", to: "workspace/test_it.py")
    try quarantine("test = \"pytest:.:test_it.py::test_known\"")
    let (answer, status) = try run()
    #expect(status == 5)
    #expect(answer["reason"] as? String == "quarantine_stale")
    #expect(try run("--filter", "fine").status == 0)
  }

  @Test func `an entry without an owner is an error with its line`() throws {
    try folder.write("def test_fine():\n    pass\n", to: "workspace/test_it.py")
    try folder.write(
      "\n[[quarantine]]\ntest = \"x\"\nreason = \"r\"\nexpires = 2999-01-01\n",
      to: "workspace/proctor-quarantine.toml")
    let outcome = try ProctorProcess(["run"], in: workspace).run()
    #expect(outcome.status == 2)
    #expect(outcome.stderr.contains("proctor-quarantine.toml:2: an entry without owner"))
  }
}

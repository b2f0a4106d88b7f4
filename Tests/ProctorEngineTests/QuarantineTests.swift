import ProctorModel
import Testing

@testable import ProctorEngine

/// What the quarantine file may say, and what it can hide.
@Suite struct QuarantineTests {
  let project = Project(adapter: AdapterID(rawValue: "pytest"), root: ".", evidence: "test")

  func complaint(_ text: String) -> String? {
    let error = #expect(throws: EngineError.self) { try QuarantineReader.read(text) }
    #expect(error?.code == .configuration)
    return error?.message
  }

  static let good = """
    # Known to fail.
    [[quarantine]]
    test = "pytest:.:t.py::a"
    owner = "team"
    reason = "waits"
    expires = 2026-12-31

    [[quarantine]]
    pattern = "::b$"
    owner = "team"
    reason = "waits, too"
    expires = "2027-01-15"

    """

  @Test func `entries are read in order, dates of either kind`() throws {
    let entries = try QuarantineReader.read(Self.good)
    #expect(entries.map(\.text) == ["pytest:.:t.py::a", "::b$"])
    #expect(entries.map(\.expires) == ["2026-12-31", "2027-01-15"])
    #expect(entries[0].owner == "team")
    #expect(try QuarantineReader.read("").isEmpty)
  }

  @Test(arguments: [
    ("[[quarantine]]\ntest = \"x\"\nreason = \"r\"\nexpires = 2026-01-01\n", 8, "without owner"),
    ("[[quarantine]]\ntest = \"x\"\nowner = \"o\"\nexpires = 2026-01-01\n", 8, "without reason"),
    ("[[quarantine]]\ntest = \"x\"\nowner = \"o\"\nreason = \"r\"\n", 8, "without expires"),
    ("[[quarantine]]\ntest = \"x\"\nowner = \" \"\nreason = \"r\"\n", 10, "owner must be a text"),
    (
      "[[quarantine]]\ntest = \"x\"\nowner = \"o\"\nreason = \"r\"\nexpires = \"soon\"\n", 12,
      "must be a day"
    ),
    (
      "[[quarantine]]\ntest = \"x\"\nowner = \"o\"\nreason = \"r\"\nexpires = \"2026-02-30\"\n",
      12, "must be a day"
    ),
    ("[[quarantine]]\ntests = \"x\"\n", 9, "unknown key tests"),
    (
      "[[quarantine]]\nowner = \"o\"\nreason = \"r\"\nexpires = 2026-01-01\n", 8,
      "either a test (its id) or a pattern"
    ),
    (
      "[[quarantine]]\npattern = \"a(\"\nowner = \"o\"\nreason = \"r\"\nexpires = 2026-01-01\n",
      9, "invalid regex"
    ),
    ("[other]\n", 8, "unknown key other"),
    ("[[quarantine]]\ntest = \n", 9, ""),
  ])
  func `a wrong entry is named with its line`(text: String, line: Int, words: String) {
    let whole =
      "[[quarantine]]\ntest = \"first\"\nowner = \"o\"\nreason = \"r\"\nexpires = 2026-01-01\n\n\n"
    let message = complaint(whole + text)
    #expect(message?.hasPrefix("proctor-quarantine.toml:\(line): ") == true, "\(message ?? "")")
    #expect(message?.contains(words) == true, "\(message ?? "")")
  }

  @Test func `the same test twice is an error`() {
    let entry =
      "[[quarantine]]\ntest = \"x\"\nowner = \"o\"\nreason = \"r\"\nexpires = 2026-01-01\n"
    #expect(complaint(entry + entry)?.contains(":6: x is quarantined twice") == true)
  }

  // MARK: what it hides

  func outcome(_ outcomes: [String: Outcome]) -> ProjectOutcome {
    var result = ProjectOutcome(project)
    for (name, outcome) in outcomes.sorted(by: { $0.key < $1.key }) {
      let test = TestCase(
        id: TestID(project: project, fullName: "t.py::\(name)"), project: project, suite: "t.py",
        name: name, fullName: "t.py::\(name)", nativeID: name)
      result.selected.append(test)
      result.attempts[test.id] = [Attempt(outcome: outcome, rawStatus: outcome.rawValue)]
    }
    return result
  }

  func verdict(
    _ outcomes: [String: Outcome], today: String = "2026-12-01",
    change: (inout ProjectOutcome) -> Void = { _ in }
  ) throws -> Verdict {
    var configuration = Configuration()
    configuration.quarantine = try QuarantineReader.read(Self.good)
    let quarantine = try Quarantine(configuration, today: today)
    var outcome = outcome(outcomes)
    change(&outcome)
    quarantine.apply(to: &outcome)
    return Accounting(
      outcomes: [outcome], interrupted: false,
      staleQuarantine: quarantine.stale(among: outcome.selected)
    ).verdict()
  }

  @Test func `a quarantined failure counts as skipped, up to its last day`() throws {
    #expect(try verdict(["a": .failed, "b": .timedOut, "c": .passed]).status == .passed)
    #expect(try verdict(["a": .failed, "b": .passed], today: "2026-12-31").status == .passed)
    let late = try verdict(["a": .failed, "b": .failed, "c": .passed], today: "2027-01-01")
    #expect(late.status == .partialFailure)
    #expect(late.message == "1 test failed")
    #expect(try verdict(["a": .failed, "b": .failed, "c": .failed]).status == .failed)
  }

  @Test func `nothing but quarantined failures is no pass`() throws {
    let verdict = try verdict(["a": .failed, "b": .errored])
    #expect(verdict.status == .noTests)
    #expect(verdict.message == "no test passed: of 2, 2 failed and are quarantined")
  }

  @Test func `crashes, errors outside tests and lost reports are not hidden`() throws {
    #expect(try verdict(["a": .crashed, "b": .passed]).reason == .testsFailed)
    let error = RunError(stage: .collection, adapter: nil, message: "cannot be imported")
    #expect(
      try verdict(["a": .failed, "b": .passed, "c": .passed]) { $0.errors = [error] }.reason
        == .collectionFailed)
    #expect(
      try verdict(["a": .failed, "b": .passed, "c": .passed]) {
        $0.contradictions = ["two results"]
      }.reason == .reportCorrupt)
    #expect(
      try verdict(["a": .failed, "b": .passed]) { outcome in
        outcome.attempts[outcome.selected[1].id] = nil
      }.reason == .testsMissing)
  }

  @Test func `a quarantined test that vanished makes the run no verdict`() throws {
    let verdict = try verdict(["b": .failed, "c": .passed])
    #expect(verdict.status == .error)
    #expect(verdict.reason == .quarantineStale)
    #expect(verdict.message?.contains("pytest:.:t.py::a") == true)
    // An entry that is over is missed by nobody.
    #expect(try self.verdict(["b": .failed, "c": .passed], today: "2027-01-01").status == .passed)
  }

  @Test func `a session keeps to the entries that it began with`() throws {
    var first = Configuration()
    first.quarantine = try QuarantineReader.read(Self.good)
    var later = first
    later.quarantine = try QuarantineReader.read(
      Self.good.replacing("2026-12-31", with: "2029-12-31"))
    let held = later.noLaxer(than: first)
    #expect(held.quarantine.map(\.text) == ["::b$"])
    #expect(held.lateQuarantine.map(\.text) == ["pytest:.:t.py::a"])
    let notes = try Quarantine(held, today: "2026-12-01").notes
    #expect(notes.first?.contains("after this session began") == true)
  }
}

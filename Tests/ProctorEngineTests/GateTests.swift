import ProctorModel
import Testing

@testable import ProctorEngine

@Suite struct GateTests {
  /// What a side has of a test.
  enum State: String, CaseIterable {
    case passed, failed, skipped, flaky, quarantined, absent
  }

  static func test(
    _ state: State, _ name: String = "t", file: String = "tests/test_a.py", ms: Double = 1
  ) -> GateTest? {
    let full = "\(file)::\(name)"
    func make(_ outcome: Outcome, flaky: Bool = false, quarantined: Bool = false) -> GateTest {
      GateTest(
        id: TestID(text: "pytest:.:\(full)"), name: name, fullName: full, file: file,
        outcome: outcome, isFlaky: flaky, isQuarantined: quarantined, durationMS: ms)
    }
    return switch state {
    case .passed: make(.passed)
    case .failed: make(.failed)
    case .skipped: make(.skipped)
    case .flaky: make(.passed, flaky: true)
    case .quarantined: make(.skipped, quarantined: true)
    case .absent: nil
    }
  }

  static func side(
    _ tests: [GateTest?], errors: [RunError] = [], status: Verdict.Status? = nil,
    reason: Verdict.Reason? = nil
  ) -> GateSide {
    let tests = tests.compactMap(\.self)
    let failed = tests.count { $0.outcome.countsAsFailed }
    let settled: Verdict.Status =
      status
      ?? (tests.isEmpty ? .noTests : failed == 0 && errors.isEmpty ? .passed : .partialFailure)
    return GateSide(
      source: .report, verdict: Verdict(status: settled, reason: reason),
      counts: Counts(
        passed: tests.count { $0.outcome == .passed }, failed: failed,
        skipped: tests.count { $0.outcome == .skipped }), tests: tests, errors: errors)
  }

  /// One that is always there, so that neither side is empty.
  static let other = test(.passed, "other")

  static func answer(
    base: [GateTest?], head: [GateTest?], _ policy: GatePolicy = GatePolicy(),
    change: GateChange? = nil, evidence: [TestID: String] = [:]
  ) throws -> GateAnswer {
    try Gate(
      GateInput(
        head: side(head + [other]), base: side(base + [other]), policy: policy, change: change,
        flakyEvidence: evidence)
    ).answer()
  }

  static func row(_ answer: GateAnswer, _ name: String = "t") -> GateRow? {
    answer.rows.first { $0.test?.name == name }
  }

  // MARK: classes

  /// By what base has, what head's states come to, in the order of `State`; the last is head's absence.
  static let table: [(base: State, classes: [GateRow.Class?])] = [
    (.passed, [.unchanged, .newFailure, .newlySkipped, .flaky, .knownFailure, .removed]),
    (.failed, [.fixed, .knownFailure, .newlySkipped, .flaky, .knownFailure, .removed]),
    (.skipped, [.unskipped, .newFailure, .unchanged, .flaky, .knownFailure, .removed]),
    (.flaky, [.unchanged, .flaky, .newlySkipped, .flaky, .knownFailure, .removed]),
    (.quarantined, [.fixed, .knownFailure, .newlySkipped, .flaky, .knownFailure, .removed]),
    (.absent, [.new, .newFailure, .new, .flaky, .knownFailure, nil]),
  ]

  @Test(arguments: table.indices)
  func `every pair of outcomes is in one class`(index: Int) throws {
    let (base, classes) = Self.table[index]
    for (head, expected) in zip(State.allCases, classes) {
      let answer = try Self.answer(base: [Self.test(base)], head: [Self.test(head)])
      #expect(
        Self.row(answer)?.kind == expected, "\(base) in base, \(head) in head")
      #expect(Set(answer.rows.map(\.id)).count == answer.rows.count)
      let blocks: Set<GateRow.Class> = [.newFailure, .newlySkipped, .removed]
      let isFlakyFailure = base == .flaky && head == .failed
      #expect(
        (answer.status == .blocked) == (expected.map(blocks.contains) ?? false || isFlakyFailure),
        "\(base) in base, \(head) in head: \(answer.status)")
    }
  }

  @Test func `a quarantine that the change edits hides nothing`() throws {
    let change = GateChange(files: [], editsQuarantine: true)
    let answer = try Self.answer(
      base: [Self.test(.passed)], head: [Self.test(.quarantined)], change: change)
    #expect(answer.status == .blocked)
    #expect(Self.row(answer)?.kind == .newFailure)
  }

  @Test func `a failure that passed on the same code before is flaky, and blocks by itself`() throws
  {
    let failing = try #require(Self.test(.failed))
    var policy = GatePolicy()
    let evidence = [failing.id: "it passed on the same code before"]
    let warned = try Self.answer(
      base: [Self.test(.passed)], head: [failing], policy, evidence: evidence)
    #expect(warned.blocks.map(\.rule) == [.flaky])
    #expect(Self.row(warned)?.evidence == evidence[failing.id])
    policy.flaky = .pass
    let passed = try Self.answer(
      base: [Self.test(.passed)], head: [failing], policy, evidence: evidence)
    #expect(passed.status == .passed)
    policy.flaky = .fail
    let retried = try Self.answer(base: [Self.test(.passed)], head: [Self.test(.flaky)], policy)
    #expect(retried.blocks.map(\.rule) == [.flaky])
  }

  // MARK: moves

  @Test func `a test of the same name in another file has moved, once`() throws {
    let moved = try Self.answer(
      base: [Self.test(.passed)], head: [Self.test(.passed, file: "tests/test_b.py")])
    #expect(moved.status == .passed)
    #expect(moved.rows(.removed).first?.movedTo?.text == "pytest:.:tests/test_b.py::t")
    #expect(moved.rows(.new).first?.movedFrom?.text == "pytest:.:tests/test_a.py::t")
    let twice = try Self.answer(
      base: [Self.test(.passed)],
      head: [Self.test(.passed, file: "b/x.py"), Self.test(.passed, file: "c/x.py")])
    #expect(twice.blocks.map(\.rule) == [.removed])
    let skipped = try Self.answer(
      base: [Self.test(.passed)], head: [Self.test(.skipped, file: "tests/test_b.py")])
    #expect(skipped.blocks.map(\.rule) == [.newlySkipped])
    let known = try Self.answer(
      base: [Self.test(.failed)], head: [Self.test(.failed, file: "tests/test_b.py")])
    #expect(known.status == .passed)
    #expect(known.rows(.knownFailure).count == 1)
  }

  @Test func `a renamed folder moves files of equal test names`() throws {
    let answer = try Self.answer(
      base: ["one/test_a.py", "one/test_b.py"].map { Self.test(.passed, file: $0) },
      head: ["two/test_a.py", "two/test_b.py"].map { Self.test(.passed, file: $0) })
    #expect(answer.status == .passed)
    #expect(
      answer.rows(.removed).map { $0.movedTo?.text } == [
        "pytest:.:two/test_a.py::t", "pytest:.:two/test_b.py::t",
      ])
  }

  // MARK: policy

  @Test func `what is listed may go`() throws {
    var policy = GatePolicy()
    policy.allowRemoved = [.pattern("test_a.*::t$")]
    let gone = try Self.answer(base: [Self.test(.passed)], head: [], policy)
    #expect(gone.status == .passed)
    #expect(Self.row(gone)?.allowedBy == "test_a.*::t$")
    #expect(
      try Self.answer(base: [Self.test(.passed)], head: [Self.test(.skipped)], policy).status
        == .blocked)
    policy.allowSkipped = [.id(TestID(text: "pytest:.:tests/test_a.py::t"))]
    #expect(
      try Self.answer(base: [Self.test(.passed)], head: [Self.test(.skipped)], policy).status
        == .passed)
    policy.blocksFewerTests = true
    #expect(
      try Self.answer(base: [Self.test(.passed)], head: [], policy).blocks.map(\.rule) == [
        .fewerTests
      ])
  }

  @Test func `the policy is obeyed`() throws {
    var policy = GatePolicy()
    policy.blocksNewFailures = false
    policy.blocksRemoved = false
    policy.blocksNewlySkipped = false
    let lax = try Self.answer(
      base: [Self.test(.passed), Self.test(.passed, "u"), Self.test(.passed, "v")],
      head: [Self.test(.failed), Self.test(.skipped, "u")], policy)
    #expect(lax.status == .passed)
    policy.blocksKnownFailures = true
    policy.minTests = 3
    let strict = try Self.answer(base: [Self.test(.failed)], head: [Self.test(.failed)], policy)
    #expect(strict.blocks.map(\.rule) == [.knownFailures, .minTests])
    policy = GatePolicy()
    policy.blocksWeakened = true
    let id = TestID(text: "pytest:.:tests/test_a.py::t")
    let change = GateChange(
      files: [], weakened: [.init(test: id, file: "tests/test_a.py", line: 3, before: 2, after: 1)])
    let weak = try Self.answer(
      base: [Self.test(.passed)], head: [Self.test(.passed)], policy, change: change)
    #expect(weak.blocks.first?.tests == [id])
  }

  @Test func `slower is told with a margin and with evidence`() throws {
    var policy = GatePolicy()
    policy.maxSlowdownPercent = 20
    func answer(_ count: Int, _ head: Double) throws -> GateAnswer {
      try Self.answer(
        base: (0..<count).map { Self.test(.passed, "t\($0)", ms: 100) },
        head: (0..<count).map { Self.test(.passed, "t\($0)", ms: head) }, policy)
    }
    #expect(try answer(20, 150).blocks.map(\.rule) == [.slower])
    #expect(try answer(20, 115).status == .passed)
    let few = try answer(3, 500)
    #expect(few.status == .passed)
    #expect(few.notes.contains { $0.contains("cannot be told") })
    // One test that is much slower says nothing of the others.
    let one = try Self.answer(
      base: (0..<20).map { Self.test(.passed, "t\($0)", ms: 100) },
      head: (0..<20).map { Self.test(.passed, "t\($0)", ms: $0 == 0 ? 10_000 : 100) }, policy)
    #expect(one.status == .passed)
    #expect(abs(GateSlowdown.chance(of: 7, among: 7) - 1.0 / 128) < 1e-12)
    #expect(GateSlowdown.chance(of: 0, among: 7) == 1)
  }

  // MARK: no verdict

  @Test(arguments: [
    (Verdict(status: .error, reason: .crashed, message: "it crashed"), "has no verdict"),
    (Verdict(status: .noTests, reason: .emptySelection), "selection"),
  ])
  func `an incomplete side is no pass`(verdict: Verdict, says: String) throws {
    let broken = GateSide(source: .report, verdict: verdict, counts: Counts([]), tests: [])
    let good = Self.side([Self.other])
    let base = try Gate(GateInput(head: good, base: broken, policy: GatePolicy())).answer()
    #expect(base.status == .error && base.reason == .baseIncomplete)
    #expect(base.message.contains(says))
    let head = try Gate(GateInput(head: broken, base: good, policy: GatePolicy())).answer()
    #expect(head.status == .error && head.reason == .headIncomplete)
  }

  @Test func `what does not add up is incomplete`() throws {
    let test = try #require(Self.other)
    let good = Self.side([test])
    let counted = GateSide(
      source: .report, verdict: Verdict(status: .passed),
      counts: Counts(passed: 2, failed: 0, skipped: 0), tests: [test])
    let twice = GateSide(
      source: .report, verdict: Verdict(status: .passed),
      counts: Counts(passed: 2, failed: 0, skipped: 0), tests: [test, test])
    let red = Self.side([test], status: .failed)
    for head in [counted, twice, red] {
      let answer = try Gate(GateInput(head: head, base: good, policy: GatePolicy())).answer()
      #expect(answer.reason == .headIncomplete)
    }
    for base in [counted, twice] {
      let answer = try Gate(GateInput(head: good, base: base, policy: GatePolicy())).answer()
      #expect(answer.reason == .baseIncomplete)
    }
  }

  @Test func `what does not build is never merged, and hides no test as removed`() throws {
    let error = RunError(
      stage: .collection, adapter: AdapterID(rawValue: "pytest"), message: "SyntaxError")
    let base = Self.side([Self.test(.passed), Self.other])
    let head = Self.side([Self.other], errors: [error])
    let answer = try Gate(GateInput(head: head, base: base, policy: GatePolicy())).answer()
    #expect(answer.blocks.map(\.rule) == [.errorsOutsideTests])
    #expect(Self.row(answer)?.kind == .missing)
    // Known or not.
    let known = try Gate(
      GateInput(
        head: head, base: Self.side([Self.other], errors: [error]), policy: GatePolicy())
    ).answer()
    #expect(known.status == .error && known.reason == .baseIncomplete)
    #expect(known.blocks.map(\.rule) == [.errorsOutsideTests])
  }

  @Test func `nothing that ran is no pass`() throws {
    let answer = try Gate(
      GateInput(
        head: Self.side([Self.test(.skipped)]), base: Self.side([Self.test(.skipped)]),
        policy: GatePolicy())
    ).answer()
    #expect(answer.status == .error && answer.reason == .headIncomplete)
    let nothing = try Gate(
      GateInput(head: Self.side([]), base: Self.side([]), policy: GatePolicy())
    ).answer()
    #expect(nothing.status == .error)
  }
}

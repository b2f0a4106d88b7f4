import ProctorModel
import ProctorSandbox
import Testing

@testable import ProctorEngine

/// Each condition of "never a false green", broken alone on an otherwise green run.
@Suite struct AccountingTests {
  let project = Project(adapter: AdapterID(rawValue: "pytest"), root: ".", evidence: "test")

  func test(_ name: String) -> TestCase {
    TestCase(
      id: TestID(project: project, fullName: name), project: project, suite: "s", name: name,
      fullName: name, nativeID: name)
  }

  func evidence(
    status: ProctorModel.ExitStatus = .exited(0), ending: SandboxResult.Ending = .exited,
    ended: Bool = true,
    exitAgrees: Bool = true, violations: [String] = []
  ) -> InvocationEvidence {
    InvocationEvidence(
      project: project, title: "tests", purpose: .run, status: status, ending: ending, ended: ended,
      exitAgrees: exitAgrees, violations: violations, lastWords: "")
  }

  func green() -> ProjectOutcome {
    var outcome = ProjectOutcome(project)
    outcome.selected = [test("a"), test("b")]
    for test in outcome.selected {
      outcome.attempts[test.id] = [Attempt(outcome: .passed, rawStatus: "passed")]
    }
    outcome.evidence = [evidence()]
    return outcome
  }

  func verdict(_ outcomes: ProjectOutcome..., interrupted: Bool = false) -> Verdict {
    Accounting(outcomes: outcomes, interrupted: interrupted).verdict()
  }

  @Test func `everything accounted for is passed`() {
    #expect(verdict(green()) == Verdict(status: .passed))
  }

  @Test func `a missing end record is no verdict`() {
    var outcome = green()
    outcome.evidence = [evidence(ended: false)]
    #expect(verdict(outcome).status == .error)
    #expect(verdict(outcome).reason == .reportLost)
  }

  @Test func `one invocation of several without an end record is no verdict`() {
    var outcome = green()
    outcome.evidence = [evidence(), evidence(status: .signaled(11), ended: false), evidence()]
    #expect(verdict(outcome).reason == .crashed)
    #expect(verdict(outcome).message?.contains("SIGSEGV") == true)
  }

  @Test func `a test without an outcome is no verdict, and is named`() {
    var outcome = green()
    outcome.attempts[test("b").id] = nil
    #expect(verdict(outcome).reason == .testsMissing)
    #expect(verdict(outcome).message?.contains("b") == true)
  }

  @Test func `an exit status that does not fit is no verdict`() {
    var outcome = green()
    outcome.evidence = [evidence(status: .exited(3), exitAgrees: false)]
    #expect(verdict(outcome).reason == .exitMismatch)
  }

  @Test func `flaky tests are green, or not, by policy`() {
    var outcome = green()
    outcome.attempts[test("b").id]?.insert(Attempt(outcome: .failed, rawStatus: "failed"), at: 0)
    outcome.flaky = [test("b").id]
    #expect(verdict(outcome) == Verdict(status: .passed))
    let strict = Accounting(outcomes: [outcome], interrupted: false, flakyPolicy: .fail).verdict()
    #expect(strict.status == .partialFailure)
    #expect(strict.reason == .flaky)
  }

  @Test func `of repetitions the last failed one decides`() {
    var outcome = green()
    outcome.attempts[test("b").id] = [
      Attempt(outcome: .failed, rawStatus: "first"), Attempt(outcome: .failed, rawStatus: "second"),
      Attempt(outcome: .passed, rawStatus: "passed"),
    ]
    #expect(verdict(outcome).status == .passed)
    outcome.repetitions = 3
    #expect(verdict(outcome).reason == .testsFailed)
    #expect(outcome.result(of: test("b"))?.last.rawStatus == "second")
    outcome.brokenRepetition = Verdict(status: .error, reason: .reportLost, message: "lost")
    #expect(verdict(outcome).reason == .reportLost)
  }

  @Test func `a round counts for passes only when nothing is wrong around it`() {
    #expect(Round(green()).problem == nil)
    var failed = green()
    failed.attempts[test("a").id] = [Attempt(outcome: .failed, rawStatus: "failed")]
    #expect(Round(failed).problem == nil)
    var unfit = green()
    unfit.evidence = [evidence(status: .exited(1), exitAgrees: false)]
    #expect(Round(unfit).problem?.reason == .exitMismatch)
    var lost = green()
    lost.attempts[test("a").id] = nil
    #expect(Round(lost).problem?.reason == .testsMissing)
    var nothing = green()
    nothing.attempts = [:]
    nothing.selected = []
    #expect(Round(nothing).problem?.reason == .emptySelection)
    var others = green()
    others.contradictions = ["a result came for c, which was not listed"]
    #expect(Round(others).problem?.reason == .reportCorrupt)
    var broken = green()
    broken.errors = [RunError(stage: .collection, adapter: nil, message: "cannot be imported")]
    #expect(Round(broken).problem?.reason == .collectionFailed)
  }

  @Test func `nothing ran is not passed`() {
    var outcome = green()
    outcome.selected = []
    outcome.attempts = [:]
    #expect(
      verdict(outcome)
        == Verdict(
          status: .noTests, reason: .emptySelection, message: "no test matched"))
  }

  @Test func `all skipped is not passed`() {
    var outcome = green()
    for test in outcome.selected {
      outcome.attempts[test.id] = [Attempt(outcome: .skipped, rawStatus: "skipped")]
    }
    #expect(verdict(outcome).reason == .allSkipped)
  }

  @Test func `a forged channel is no verdict`() {
    var outcome = green()
    outcome.evidence = [evidence(violations: ["a record does not carry this run's nonce"])]
    #expect(verdict(outcome).reason == .reportCorrupt)
  }

  @Test func `a lost process that is explained leaves the verdict to the tests`() {
    var outcome = green()
    outcome.evidence = [evidence(status: .signaled(11), ended: false, exitAgrees: false)]
    #expect(verdict(outcome).status == .error)
    outcome.evidence[0].isExplained = true
    outcome.attempts[test("b").id] = [Attempt(outcome: .crashed, rawStatus: "crashed")]
    #expect(verdict(outcome).status == .partialFailure)
    #expect(verdict(outcome).message == "1 test failed (1 crashed)")
  }

  @Test func `a project that was found and not run is no verdict beside one that passes`() {
    var idle = ProjectOutcome(project)
    #expect(verdict(green(), idle).status == .passed)
    idle.mustRun = true
    #expect(verdict(green(), idle).reason == .testsMissing)
    idle.evidence = [evidence()]
    #expect(verdict(green(), idle).status == .passed)
  }

  @Test func `a contradiction is no verdict`() {
    var outcome = green()
    outcome.contradictions = ["two results came for the test a"]
    #expect(verdict(outcome).reason == .reportCorrupt)
  }

  @Test func `no runner at all is not passed`() {
    #expect(verdict().reason == .nothingDetected)
  }

  @Test func `one red project makes the whole red`() {
    var red = green()
    red.attempts[test("a").id] = [Attempt(outcome: .failed, rawStatus: "failed")]
    #expect(verdict(green(), red).status == .partialFailure)
    red.attempts[test("b").id] = [Attempt(outcome: .crashed, rawStatus: "crashed")]
    #expect(verdict(red).status == .failed)
  }

  @Test func `an error outside tests is failed although every test passed`() {
    var outcome = green()
    outcome.errors = [
      RunError(stage: .collection, adapter: project.adapter, message: "cannot import")
    ]
    #expect(verdict(outcome).status == .failed)
    #expect(verdict(outcome).reason == .collectionFailed)
  }

  @Test func `a missing tool is no verdict and says what to install`() {
    var outcome = green()
    outcome.problem = ToolProblem(
      message: "pytest is not installed", resolution: "pip install pytest")
    #expect(verdict(outcome).reason == .toolMissing)
    #expect(verdict(outcome).message?.contains("pip install pytest") == true)
  }

  @Test func `time, memory and the user each have their own reason`() {
    for (ending, reason) in [
      (SandboxResult.Ending.wallTime, Verdict.Reason.timedOut), (.outOfMemory, .outOfMemory),
      (.cancelled, .interrupted),
    ] {
      var outcome = green()
      outcome.evidence = [evidence(ending: ending, ended: false)]
      #expect(verdict(outcome).reason == reason)
    }
    #expect(verdict(green(), interrupted: true).reason == .interrupted)
  }
}

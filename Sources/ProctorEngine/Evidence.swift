import ProctorModel
import ProctorSandbox

/// What the supervisor saw of one list or run invocation; the ground a verdict stands on.
struct InvocationEvidence: Sendable {
  let project: Project
  let title: String
  let purpose: Invocation.Purpose
  let status: ExitStatus
  let ending: SandboxResult.Ending
  /// The runner's end-of-run record arrived.
  let ended: Bool
  /// The exit status fits what was reported.
  let exitAgrees: Bool
  /// What was wrong with the report channel: forged, lost or cut records.
  let violations: [String]
  /// The last lines of stderr, to explain an end without a report.
  let lastWords: String
  /// The process was lost, but it is known which test did it, and the others ran again.
  var isExplained = false
}

/// Everything one project's runners did.
struct ProjectOutcome: Sendable {
  let project: Project
  var version: String?
  var problem: ToolProblem?
  /// Tests of the selection, in listing order.
  var selected: [TestCase] = []
  /// Every test that was listed, also those that a filter left out; for suggestions.
  var listedNames: [String] = []
  /// Every execution of each test, in order. Never empty lists.
  var attempts: [TestID: [Attempt]] = [:]
  /// Tests were run several times and had to pass each time; how often.
  var repetitions: Int?
  /// What went wrong in a repetition, so that there is no verdict about all of them.
  var brokenRepetition: Verdict?
  /// Tests that failed and passed, on the same code.
  var flaky: Set<TestID> = []
  /// Failures that do not count.
  var quarantined: [TestID: QuarantinedFailure] = [:]
  /// In the order in which the tests ended.
  var finished: [TestID] = []
  /// Its tests were seen to run in the order that was asked for.
  var isShuffled = false
  /// Files and classes that the runner skipped as a whole: nobody knows which tests they have.
  var leftOut: [String] = []
  /// What else is to be known, in sentences.
  var notes: [String] = []
  var errors: [RunError] = []
  var contradictions: [String] = []
  var evidence: [InvocationEvidence] = []
  /// Nothing else could show that it holds no tests: a process of it must have run.
  var mustRun = false
  var commands: [AdapterReport.Command] = []
  var receipts: [(purpose: Invocation.Purpose, receipt: SandboxReceipt)] = []
  var output: CapturedText?
  /// The folder that holds what its tests wrote to the protected workspace; nil when there is none.
  var workspaceWrites: String?
  var writes: [WorkspaceWrite] = []
  /// Files of this machine that failed tests looked for.
  var hidden = Denials()
  var durationMS = 0.0

  /// Findings that the configuration accepts.
  let allowed: Set<RunError.Finding>

  init(_ project: Project, allowed: Set<RunError.Finding> = []) {
    self.project = project
    self.allowed = allowed
  }

  /// The final outcome of each test that has one.
  var results: [TestID: Attempt] {
    attempts.compactMapValues { attempts in
      let failed =
        repetitions == nil ? nil : attempts.last { $0.outcome.countsAsFailed }
      return failed ?? attempts.last
    }.merging(quarantined.mapValues(\.standIn)) { $1 }
  }

  /// Everything that a test did; nil without an outcome.
  func result(of test: TestCase) -> TestResult? {
    guard let attempts = attempts[test.id],
      var result = TestResult(
        test: test, attempts: attempts, everyMustPass: repetitions != nil)
    else { return nil }
    if let failure = quarantined[test.id] {
      result = TestResult(result, quarantined: failure)
    }
    result.isFlaky = flaky.contains(test.id) && quarantined[test.id] == nil
    return result
  }

  func has(_ id: TestID) -> Bool { attempts[id] != nil }

  /// Files told by name.
  private static let mostLeftOut = 3

  /// The notes, with what no count of tests shows first.
  var allNotes: [String] {
    let more = leftOut.count - Self.mostLeftOut
    let rest = more > 0 ? ["\(project.title): \(more) more were skipped as a whole"] : []
    return leftOut.prefix(Self.mostLeftOut).map {
      "\(project.title): skipped as a whole, whatever tests it has: \($0)"
    } + rest + notes
  }
}

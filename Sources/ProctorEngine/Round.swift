import ProctorModel
import ProctorSandbox

/// Tests of a project run once more, with an account of their own: what goes wrong in it cannot pass for a result, and does
/// not touch what is known already.
struct Round: Sendable {
  let outcome: ProjectOutcome
  /// Why its passes do not count: a report was lost, tests are missing or others ran, an exit status does not fit, an
  /// error outside tests. nil when they do.
  let problem: Verdict?

  init(_ outcome: ProjectOutcome) {
    self.outcome = outcome
    let verdict = Accounting(outcomes: [outcome], interrupted: false).verdict()
    switch verdict.reason {
    case nil, .testsFailed, .allSkipped: problem = nil
    default: problem = verdict
    }
  }

  /// It was stopped because the time of the whole run was over, or by the user.
  var isCutShort: Bool {
    outcome.evidence.contains { $0.ending == .wallTime || $0.ending == .cancelled }
  }
}

/// Runs tests of a project that was built and ran before, again.
struct RoundRunner: Sendable {
  let adapter: any Adapter
  let build: Build
  let runner: InvocationRunner
  let allowed: Set<RunError.Finding>
  /// A process for each test.
  let isParanoid: Bool
  /// Since when the time of all that runs counts.
  let begin: ContinuousClock.Instant

  /// - Parameter title: what is being done, for who watches.
  func run(
    _ tests: [TestCase], title: String, mode: RunMode = .normal
  ) async throws(EngineError) -> Round {
    var outcome = ProjectOutcome(runner.context.project, allowed: allowed)
    outcome.selected = tests
    var execution = execution(of: outcome, tests, title)
    if isParanoid, mode == .normal {
      try await execution.runEachAlone(tests)
    } else {
      try await execution.run(.cases(tests), mode: mode)
    }
    return Round(execution.outcome)
  }

  /// Everything, by a runner that cannot select.
  func runEverything(title: String) async throws(EngineError) -> Round {
    let outcome = ProjectOutcome(runner.context.project, allowed: allowed)
    var execution = execution(of: outcome, nil, title)
    try await execution.run(.all(listed: []))
    return Round(execution.outcome)
  }

  private func execution(
    of outcome: ProjectOutcome, _ fixed: [TestCase]?, _ title: String
  ) -> Execution {
    var runner = runner
    runner.progress = { [progress = runner.progress] event in
      switch event {
      case .began(let project, let what): progress(.began(project, title: "\(title): \(what)"))
      case .usage: progress(event)
      // Each test is counted once.
      default: break
      }
    }
    return Execution(
      adapter: adapter, build: build, runner: runner, fixed: fixed, outcome: outcome, since: begin)
  }
}

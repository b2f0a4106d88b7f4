import FoundationEssentials
import ProctorModel
import ProctorSandbox

/// Takes one project down the road: tools, fetch, build, list, run.
struct ProjectRunner: Sendable {
  /// A project that is built, and listed if the selection needs that.
  struct Prepared: Sendable {
    var outcome: ProjectOutcome
    fileprivate(set) var runner: InvocationRunner?
    fileprivate(set) var build = Build()
    /// nil when no separate listing was made.
    fileprivate(set) var listed: [TestCase]?
  }

  let adapter: any Adapter
  let project: Project
  let session: RunSession

  // MARK: up to the listing

  /// - Parameter needsListing: whether a selection will be made among the listed tests.
  func prepare(scope: Scope, needsListing: Bool) async throws(EngineError) -> Prepared {
    let clock = ContinuousClock()
    let start = clock.now
    var prepared = Prepared(
      outcome: ProjectOutcome(project, allowed: session.configuration.tests.allow))
    let context: AdapterContext
    do {
      context = try session.context(project, adapter)
    } catch {
      prepared.outcome.problem = error
      return prepared
    }
    prepared.outcome.version = context.toolchain.version
    let runner = try session.runner(adapter, context)
    prepared.runner = runner
    if try await ready(&prepared, runner), needsListing || !adapter.listsWhileRunning {
      try await list(&prepared, runner, scope: scope, isComplete: needsListing)
    }
    prepared.outcome.durationMS += (clock.now - start).milliseconds
    return prepared
  }

  /// Fetches and builds; false when there is nothing left to do.
  private func ready(
    _ prepared: inout Prepared, _ runner: InvocationRunner
  ) async throws(EngineError) -> Bool {
    if runner.context.mayFetch {
      for invocation in adapter.fetch(runner.context) {
        let done = try await runner.run(invocation, ledger: Ledger(), decoder: nil)
        prepared.outcome.record(done)
        guard done.result.ending == .exited, done.result.status.isSuccess else {
          fail(&prepared.outcome, done, stage: .dependency, what: "fetching dependencies failed")
          return false
        }
      }
    }
    // The dates of a copy's files are proctor's own.
    if session.copy == nil {
      try StaleBuild.discard(adapter, runner.context, in: session.tree())
    }
    var finished: [FinishedInvocation] = []
    for invocation in adapter.build(runner.context) {
      let done = try await runner.run(invocation, ledger: Ledger(), decoder: nil)
      prepared.outcome.record(done)
      guard done.result.ending == .exited else {
        prepared.outcome.evidence.append(done.evidence)
        return false
      }
      finished.append(done.invocation)
      if !done.result.status.isSuccess { break }
    }
    prepared.build = adapter.readBuild(runner.context, finished)
    prepared.outcome.errors += prepared.build.errors
    if let last = finished.last, !last.status.isSuccess, prepared.build.errors.isEmpty {
      // A failed build that nobody understood is still a failed build.
      prepared.outcome.errors.append(unexplained(last))
    }
    return prepared.build.errors.isEmpty || !prepared.build.products.isEmpty
  }

  private func list(
    _ prepared: inout Prepared, _ runner: InvocationRunner, scope: Scope, isComplete: Bool
  ) async throws(EngineError) {
    var listed: [TestCase] = []
    let invocations = adapter.list(
      runner.context, prepared.build, scope: scope, isComplete: isComplete)
    for invocation in invocations {
      let decoder = adapter.decoder(for: invocation, runner.context, prepared.build)
      let done = try await runner.run(invocation, ledger: Ledger(), decoder: decoder)
      prepared.outcome.record(done)
      prepared.outcome.evidence.append(done.evidence)
      prepared.outcome.merge(done.ledger)
      listed += done.ledger.selection
    }
    prepared.listed = listed
    prepared.outcome.listedNames = listed.map(\.fullName)
    prepared.outcome.selected = listed
  }

  // MARK: from the selection to the results

  /// - Parameter chosen: the tests to run; nil for everything there is.
  func run(_ prepared: Prepared, chosen: [TestCase]?) async throws(EngineError) -> ProjectOutcome {
    var outcome = prepared.outcome
    guard let runner = prepared.runner, outcome.problem == nil else { return outcome }
    let fixed = chosen ?? prepared.listed
    outcome.selected = fixed ?? []
    outcome.mustRun = chosen == nil && adapter.listsWhileRunning
    let broken = !prepared.build.errors.isEmpty && prepared.build.products.isEmpty
    let stopped = outcome.evidence.contains { $0.ending != .exited }
    guard !broken, !stopped, !(outcome.errors.contains { $0.stage == .dependency }),
      chosen?.isEmpty != true
    else { return outcome }
    let clock = ContinuousClock()
    let start = clock.now
    var execution = Execution(
      adapter: adapter, build: prepared.build, runner: runner, fixed: fixed, outcome: outcome,
      since: start)
    let order = fixed.flatMap { tests in
      session.options.shuffle.flatMap { adapter.arranged(Shuffling(seed: $0).order(tests)) }
    }
    if let order, !order.isEmpty {
      try await execution.run(.cases(order), mode: .ordered)
    } else if session.options.paranoid, adapter.canSelect, let fixed {
      try await execution.runEachAlone(fixed)
    } else {
      try await execution.run(chosen.map(Selection.cases) ?? .all(listed: prepared.listed ?? []))
    }
    outcome = execution.outcome
    if let order { outcome.settle(order: order) }
    try await runAgain(
      &outcome,
      RoundRunner(
        adapter: adapter, build: prepared.build, runner: runner, allowed: outcome.allowed,
        isParanoid: session.options.paranoid && adapter.canSelect, order: order, begin: start))
    try settleWrites(&outcome)
    if runner.backend != .none {
      outcome.hidden = HiddenPaths(visible: runner.visiblePaths)
        .denials(in: outcome.attempts.values.flatMap(\.self))
    }
    outcome.durationMS += (clock.now - start).milliseconds
    return outcome
  }

  /// Once what ran has a verdict of its own: what is lost is not healed by running again.
  private func runAgain(
    _ outcome: inout ProjectOutcome, _ rounds: RoundRunner
  ) async throws(EngineError) {
    let first = Accounting(outcomes: [outcome], interrupted: Task.isCancelled).verdict()
    guard first.status != .error, first.status != .noTests else { return }
    if let wanted = session.options.repetition {
      let repetitions = Repetitions(
        rounds: rounds, wanted: wanted, canSelect: adapter.canSelect,
        failureSeen: session.failureSeen)
      try await repetitions.run(on: &outcome)
    } else if session.retries > 0, first.reason != nil {
      guard adapter.canSelect else {
        outcome.notes.append(
          "\(project.title): failed tests were not run again, because this runner cannot run chosen tests"
        )
        return
      }
      try await Retries(rounds: rounds, most: session.retries).run(on: &outcome) {
        session.quarantine.entry(of: $0) != nil
      }
    }
  }

  /// What tests wrote to the workspace is listed, and kept where that is asked for.
  private func settleWrites(_ outcome: inout ProjectOutcome) throws(EngineError) {
    let keep = session.configuration.tests.keep
    let isAsked = session.copy == nil && (session.options.keepWrites || !keep.isEmpty)
    guard session.configuration.tests.workspace == .protected || session.copy != nil else { return }
    guard let upper = outcome.workspaceWrites else {
      guard isAsked, session.options.isolation?.backend != SandboxPolicy.Backend.none,
        !outcome.receipts.isEmpty
      else { return }
      throw EngineError(
        .sandbox, "what tests write cannot be kept: the cache folder takes no overlays",
        resolution: "Name a cache folder on a disk of its own with PROCTOR_CACHE_DIR, or set "
          + "[tests] workspace = \"writable\".")
    }
    outcome.writes = WorkspaceWrites(
      workspace: session.files, upper: upper,
      patterns: session.copy != nil ? [] : session.options.keepWrites ? nil : keep
    ).settle()
  }

  // MARK: bookkeeping

  private func fail(
    _ outcome: inout ProjectOutcome, _ done: InvocationRunner.Finished, stage: RunError.Stage,
    what: String
  ) {
    let words = done.evidence.lastWords
    outcome.errors.append(
      RunError(
        stage: stage, adapter: project.adapter,
        message: "\(what) (\(done.result.status.text))" + (words.isEmpty ? "" : ": \(words)")))
    outcome.output = done.stderr.nonEmpty ?? done.stdout.nonEmpty
  }

  private func unexplained(_ finished: FinishedInvocation) -> RunError {
    let tail = { (bytes: Data) in
      String(decoding: bytes.suffix(2000), as: UTF8.self)
        .split(whereSeparator: \.isNewline).suffix(8).joined(separator: "\n")
    }
    let words = finished.stderr.isEmpty ? tail(finished.stdout) : tail(finished.stderr)
    return RunError(
      stage: .build, adapter: project.adapter,
      message: "\(finished.invocation.title) failed (\(finished.status.text)): \(words)")
  }
}

extension Duration {
  var milliseconds: Double {
    Double(components.seconds) * 1000 + Double(components.attoseconds) / 1e15
  }
}

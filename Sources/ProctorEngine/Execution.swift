import ProctorModel
import ProctorSandbox

/// Runs the tests of one project to the end of what can be known.
///
/// A test that takes its process along, or hangs in it, is named; the tests that it kept from running
/// run again without it, so that the rest of the suite still gets its results.
struct Execution {
  /// More lost processes than this mean that something else is wrong.
  private static let restartLimit = 50

  let adapter: any Adapter
  let build: Build
  let runner: InvocationRunner
  /// The tests that were selected before; nil when the runner lists while it runs.
  let fixed: [TestCase]?
  private(set) var outcome: ProjectOutcome
  /// Since when its time counts.
  private let begin: ContinuousClock.Instant
  private var restarts = 0

  init(
    adapter: any Adapter, build: Build, runner: InvocationRunner, fixed: [TestCase]?,
    outcome: ProjectOutcome, since begin: ContinuousClock.Instant
  ) {
    self.begin = begin
    self.adapter = adapter
    self.build = build
    self.runner = runner
    self.fixed = fixed
    self.outcome = outcome
  }

  mutating func run(
    _ selection: Selection, mode: RunMode = .normal
  ) async throws(EngineError) {
    for invocation in adapter.run(runner.context, build, selection: selection, mode: mode) {
      guard !isStopped else { return }
      let done = try await perform(invocation, mode)
      if done.isLost { try await recover(done, mode) }
    }
  }

  /// A process for each test, as far as the runner permits that.
  mutating func runEachAlone(_ tests: [TestCase]) async throws(EngineError) {
    for test in tests where adapter.canRunAlone(test) { try await run(.cases([test])) }
    let others = tests.filter { !adapter.canRunAlone($0) }
    if !others.isEmpty { try await run(.cases(others)) }
  }

  // MARK: one process

  private mutating func perform(
    _ invocation: Invocation, _ mode: RunMode
  ) async throws(EngineError) -> InvocationRunner.Finished {
    let known = invocation.listsItself ? nil : invocation.cases ?? fixed
    let ledger = known.map(Ledger.init(selected:)) ?? Ledger()
    let decoder = adapter.decoder(for: invocation, runner.context, build)
    let done = try await runner.run(
      invocation, ledger: ledger, decoder: decoder, wallSeconds: secondsLeft)
    outcome.record(done)
    if mode == .alone { return done }
    outcome.evidence.append(done.evidence)
    outcome.merge(done.ledger)
    if known == nil { outcome.select(done.ledger.selection) }
    if !done.ledger.ended || !done.evidence.exitAgrees { outcome.output = done.stderr.nonEmpty }
    return done
  }

  /// The run as a whole has one time limit, however many processes it takes, and however short they are: the one that
  /// begins when it is over is stopped at once, so that this is told.
  private var secondsLeft: Double? {
    runner.limits.wallSeconds.map { total in
      max(0.001, total - (ContinuousClock().now - begin).milliseconds / 1000)
    }
  }

  /// Cancelled, or out of time as a whole.
  private var isStopped: Bool {
    outcome.evidence.last.map { $0.ending == .cancelled || $0.ending == .wallTime } ?? false
  }

  // MARK: after a process was lost

  private mutating func recover(
    _ done: InvocationRunner.Finished, _ mode: RunMode
  ) async throws(EngineError) {
    let index = outcome.evidence.count - 1
    restarts += 1
    // Dying again and again without a result of any test leads nowhere.
    guard restarts <= Self.restartLimit, !done.ledger.results.isEmpty else { return }
    let blamed = done.blamed
    let isCertain = blamed.count == 1 || (done.result.ending == .overdue && !blamed.isEmpty)
    guard let selection = try await everything(of: done) else { return }
    if isCertain {
      outcome.evidence[index].isExplained = true
      if done.result.ending == .exited { try await lookCloser(at: blamed, in: selection) }
      try await rerun(selection.filter { !outcome.has($0.id) }, mode)
    } else if blamed.isEmpty || mode == .serial {
      // It died between tests: nobody is to blame, and the end stays unexplained.
      try await rerun(selection.filter { !outcome.has($0.id) }, mode)
    } else {
      // Several were running: one after the other, whoever runs when it dies again is the one.
      let earlier = outcome.attempts.filter { blamed.contains($0.key) }
      for id in blamed { outcome.attempts[id] = nil }
      try await rerun(selection.filter { !outcome.has($0.id) }, .serial)
      for (id, attempts) in earlier {
        outcome.attempts[id] = attempts + (outcome.attempts[id] ?? [])
      }
      outcome.evidence[index].isExplained = blamed.contains { id in
        earlier[id].map { $0.count } != outcome.attempts[id]?.count
          && outcome.attempts[id]?.last?.outcome == .crashed
      }
    }
  }

  private mutating func rerun(_ tests: [TestCase], _ mode: RunMode) async throws(EngineError) {
    guard !tests.isEmpty, !isStopped else { return }
    try await run(.cases(tests), mode: mode)
  }

  /// All tests that the lost process had to run. A process that listed them itself may not have come
  /// to all of them, so that they are listed again, apart.
  /// - Returns: nil when they cannot be listed.
  private mutating func everything(
    of done: InvocationRunner.Finished
  ) async throws(EngineError) -> [TestCase]? {
    let invocation = done.invocation.invocation
    if !invocation.listsItself, let known = invocation.cases ?? fixed { return known }
    var tests = done.ledger.selection
    for listing in adapter.list(runner.context, build, scope: .everything, isComplete: true)
    where listing.product == invocation.product {
      let decoder = adapter.decoder(for: listing, runner.context, build)
      let listed = try await runner.run(listing, ledger: Ledger(), decoder: decoder)
      outcome.record(listed)
      outcome.evidence.append(listed.evidence)
      guard !listed.isLost else { return nil }
      let seen = Set(tests.map(\.id))
      tests += listed.ledger.selection.filter { !seen.contains($0.id) }
    }
    outcome.select(tests)
    return tests
  }

  /// Runs the test that a process died with once more, alone and uncaptured, for what it printed and
  /// where it was. Its outcome stays: once was enough.
  private mutating func lookCloser(
    at blamed: [TestID], in selection: [TestCase]
  ) async throws(EngineError) {
    for test in selection where blamed.contains(test.id) && adapter.canRunAlone(test) {
      let invocations = adapter.run(
        runner.context, build, selection: .cases([test]), mode: .alone)
      for invocation in invocations {
        let done = try await perform(invocation, .alone)
        guard let again = done.ledger.results[test.id], again.outcome == .crashed else { continue }
        outcome.attempts[test.id, default: []].append(again)
      }
    }
  }
}

extension ProjectOutcome {
  mutating func merge(_ ledger: Ledger) {
    for (id, attempt) in ledger.results {
      if has(id) { contradictions.append("two invocations reported results for \(id)") }
      attempts[id, default: []].append(attempt)
    }
    errors += ledger.errors.filter { error in
      !errors.contains(error) && error.finding.map(allowed.contains) != true
    }
    contradictions += ledger.contradictions
    let knownLeftOut = Set(leftOut)
    leftOut += ledger.leftOut.filter { !knownLeftOut.contains($0) }
    finished += ledger.finished
  }

  /// Takes over what another run of the project cost, and what it left.
  mutating func absorb(_ other: ProjectOutcome) {
    commands += other.commands
    receipts += other.receipts
    workspaceWrites = other.workspaceWrites ?? workspaceWrites
  }

  mutating func record(_ done: InvocationRunner.Finished) {
    commands.append(done.command)
    receipts.append((done.invocation.invocation.purpose, done.result.receipt))
    workspaceWrites = done.result.workspaceWrites ?? workspaceWrites
  }

  /// Adds what is not selected yet.
  mutating func select(_ tests: [TestCase]) {
    let known = Set(selected.map(\.id))
    selected += tests.filter { !known.contains($0.id) }
  }
}

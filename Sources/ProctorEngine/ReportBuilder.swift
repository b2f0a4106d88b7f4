import ProctorModel

/// Puts the accounted outcomes of all projects into one report.
struct ReportBuilder {
  let accounting: Accounting
  let workspace: String
  let durationMS: Double
  let suggestions: [String]
  /// Of the run as a whole.
  var notes: [String] = []
  /// What the order of tests was made with; nil for the usual order.
  var seed: UInt64?

  func report() -> Report {
    let outcomes = accounting.outcomes
    let verdict = accounting.verdict()
    var report = Report(
      verdict: verdict, tests: outcomes.flatMap(results),
      errors: outcomes.flatMap { $0.errors.map(relative).sorted(by: Self.byPlace) },
      missing: accounting.missing, adapters: outcomes.map(adapter),
      sandbox: weakest(outcomes), durationMS: durationMS,
      suggestions: verdict.status == .noTests ? suggestions : [],
      writes: outcomes.flatMap(\.writes))
    let stale = accounting.staleQuarantine.map {
      "no test fits the entry \($0.text) (\($0.owner)) of \(QuarantineReader.fileName)"
    }
    report.notes = notes + stale + outcomes.flatMap(\.allNotes)
    report.flakyPolicy = accounting.flakyPolicy
    report.repetitions = outcomes.compactMap(\.repetitions).min()
    report.shuffle = seed.map { seed in
      Report.Shuffle(seed: seed, projects: outcomes.filter(\.isShuffled).map(\.project))
    }
    return report
  }

  private func results(_ outcome: ProjectOutcome) -> [TestResult] {
    var outcome = outcome
    outcome.attempts = outcome.attempts.mapValues { $0.map(relative) }
    outcome.quarantined = outcome.quarantined.mapValues {
      QuarantinedFailure(entry: $0.entry, attempt: relative($0.attempt))
    }
    return Self.ordered(outcome.selected).compactMap(outcome.result)
  }

  /// Workers take files in any order, and builds put classes in any order: answers have one order, by
  /// file and line, and as listed where that does not tell.
  static func ordered(_ tests: [TestCase]) -> [TestCase] {
    func key(_ item: (offset: Int, element: TestCase)) -> (String, Int, Int) {
      (item.element.file ?? "", item.element.definition?.line ?? .max, item.offset)
    }
    return tests.enumerated().sorted { key($0) < key($1) }.map(\.element)
  }

  private func relative(_ attempt: Attempt) -> Attempt {
    guard attempt.failures.contains(where: { $0.message.contains(workspace) }) else {
      return attempt
    }
    return Attempt(
      outcome: attempt.outcome, rawStatus: attempt.rawStatus, durationMS: attempt.durationMS,
      failures: attempt.failures.map {
        Failure(
          message: $0.message.replacing(workspace + "/", with: ""), location: $0.location,
          frames: $0.frames)
      }, note: attempt.note, stdout: attempt.stdout, stderr: attempt.stderr,
      startedMS: attempt.startedMS, worker: attempt.worker)
  }

  /// Tools write absolute paths into their messages; answers are the same on every machine.
  private func relative(_ error: RunError) -> RunError {
    RunError(
      stage: error.stage, adapter: error.adapter,
      message: error.message.replacing(workspace + "/", with: ""), location: error.location,
      code: error.code, suite: error.suite, finding: error.finding)
  }

  private static func byPlace(_ left: RunError, _ right: RunError) -> Bool {
    func key(_ error: RunError) -> (String, Int, String) {
      (error.location?.file ?? "", error.location?.line ?? 0, error.message)
    }
    return key(left) < key(right)
  }

  private func adapter(_ outcome: ProjectOutcome) -> AdapterReport {
    AdapterReport(
      project: outcome.project, version: outcome.version, counts: Counts(results(outcome)),
      commands: outcome.commands, durationMS: outcome.durationMS, output: outcome.output)
  }

  /// The receipt with the fewest walls, the last of such, since building comes first; with what all of
  /// them denied. A fetch does not stand for the tests.
  private func weakest(_ outcomes: [ProjectOutcome]) -> SandboxReceipt? {
    let receipts = outcomes.flatMap(\.receipts)
    let later = receipts.filter { $0.purpose != .fetch }
    let all = (later.isEmpty ? receipts : later).map(\.receipt)
    var denials = Denials()
    for receipt in all { denials.add(receipt.denied, omitted: receipt.deniedOmitted) }
    for outcome in outcomes { denials.add(outcome.hidden.list, omitted: outcome.hidden.omitted) }
    var reached: [ReachedLimit] = []
    for limit in all.flatMap(\.reached) where !reached.contains(limit) { reached.append(limit) }
    return all.reversed().min { $0.layers.count < $1.layers.count }.map { weakest in
      var result = weakest
      result.denied = denials.list
      result.deniedOmitted = denials.omitted
      result.reached = reached
      return result
    }
  }
}

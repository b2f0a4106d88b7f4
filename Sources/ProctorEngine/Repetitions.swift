import ProctorModel

/// Runs the tests of a project several times; each of them must pass each time.
struct Repetitions: Sendable {
  let rounds: RoundRunner
  let wanted: Repetition
  let canSelect: Bool
  let failureSeen: FailureSeen

  func run(on outcome: inout ProjectOutcome) async throws(EngineError) {
    // One attempt for each time.
    outcome.attempts = outcome.attempts.compactMapValues { attempts in
      attempts.last.map { [$0] }
    }
    var done = 1
    outcome.repetitions = done
    tell(outcome)
    while wanted.most.map({ done < $0 }) ?? true, !isOver, !outcome.selected.isEmpty {
      let title = "repetition \(done + 1)"
      let round =
        canSelect
        ? try await rounds.run(outcome.selected, title: title)
        : try await rounds.runEverything(title: title)
      outcome.absorb(round.outcome)
      if wanted.untilFailure, round.isCutShort {
        // The time was over; what had failed by then is found all the same.
        take(round, into: &outcome) { $0.outcome == .failed || $0.outcome == .errored }
        break
      }
      if let problem = problem(of: round, against: outcome) {
        outcome.errors += round.outcome.errors.filter { !outcome.errors.contains($0) }
        outcome.brokenRepetition = Verdict(
          status: problem.status, reason: problem.reason,
          message: "\(title): \(problem.message ?? "")")
        failureSeen.set()
        break
      }
      take(round, into: &outcome) { _ in true }
      done += 1
      outcome.repetitions = done
      tell(outcome)
    }
    outcome.flaky = Set(
      outcome.attempts.filter { _, attempts in
        attempts.contains { $0.outcome == .passed }
          && attempts.contains { $0.outcome.countsAsFailed }
      }.keys)
  }

  private func take(
    _ round: Round, into outcome: inout ProjectOutcome, where isWanted: (Attempt) -> Bool
  ) {
    let results = round.outcome.results
    for test in outcome.selected {
      if let attempt = results[test.id], isWanted(attempt) {
        outcome.attempts[test.id, default: []].append(attempt)
      }
    }
  }

  private var isOver: Bool { Task.isCancelled || (wanted.untilFailure && failureSeen.isSet) }

  private func tell(_ outcome: ProjectOutcome) {
    if outcome.results.values.contains(where: { $0.outcome.countsAsFailed }) { failureSeen.set() }
  }

  /// Also when the tests are no longer the same ones.
  private func problem(of round: Round, against outcome: ProjectOutcome) -> Verdict? {
    if let problem = round.problem { return problem }
    let results = round.outcome.results
    let lost = outcome.selected.filter { results[$0.id] == nil }
    guard let first = lost.first else { return nil }
    return Verdict(
      status: .error, reason: .testsMissing,
      message: "no result came for \(first.fullName)"
        + (lost.count > 1 ? " and \(lost.count - 1) more" : ""))
  }
}

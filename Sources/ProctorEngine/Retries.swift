import ProctorModel

/// Runs failed tests again, exactly those, and believes a pass only from a run that is accounted for.
struct Retries: Sendable {
  let rounds: RoundRunner
  /// For each test.
  let most: Int

  /// - Parameter isExcused: tests that cannot make the run red.
  func run(
    on outcome: inout ProjectOutcome, isExcused: (TestCase) -> Bool
  ) async throws(EngineError) {
    let failed = outcome.selected.filter { test in
      outcome.results[test.id]?.outcome.countsAsFailed == true && !isExcused(test)
    }
    var left = failed
    for number in 1...max(1, most) {
      guard !left.isEmpty, !Task.isCancelled else { break }
      let round = try await rounds.run(left, title: "retry \(number)")
      outcome.absorb(round.outcome)
      for test in left { take(test, of: round, number, into: &outcome) }
      if let problem = round.problem {
        outcome.notes.append(
          "\(outcome.project.title): retry \(number) counts for no pass: \(problem.message ?? "")")
        break
      }
      let results = outcome.results
      left = left.filter { results[$0.id]?.outcome.countsAsFailed == true }
    }
    let results = outcome.results
    outcome.flaky = Set(failed.map(\.id).filter { results[$0]?.outcome == .passed })
  }

  /// A failure always counts, a pass only where nothing is wrong around it, anything else never.
  private func take(
    _ test: TestCase, of round: Round, _ number: Int, into outcome: inout ProjectOutcome
  ) {
    guard let last = round.outcome.results[test.id] else { return }
    let isPass = last.outcome == .passed && round.problem == nil
    if last.outcome.countsAsFailed || isPass {
      outcome.attempts[test.id, default: []] += round.outcome.attempts[test.id] ?? []
    } else if last.outcome == .skipped {
      outcome.notes.append(
        "\(test.id) was skipped in retry \(number) (\(last.rawStatus)): that is no pass")
    }
  }
}

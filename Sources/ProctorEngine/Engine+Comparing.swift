public import ProctorModel

extension Engine {
  /// Runs the same tests on the workspace as it is and on each candidate, one after the other.
  ///
  /// A candidate that cannot be laid out or run is a row that says why; the others still run.
  /// - Throws: `EngineError` when the workspace itself cannot be run.
  public func compare(
    _ candidates: [Candidate], _ selector: TestSelector,
    progress: @escaping @Sendable (Progress) -> Void = { _ in }
  ) async throws(EngineError) -> Comparison {
    let clock = ContinuousClock()
    let start = clock.now
    let base = try await run(selector, progress: progress)
    var rows: [Comparison.Row] = []
    for candidate in candidates where !Task.isCancelled {
      rows.append(try await row(candidate, selector, base: base, progress))
    }
    return Comparison(
      base: Comparison.Run(base), rows: rows, sandbox: base.sandbox,
      durationMS: (clock.now - start).milliseconds)
  }

  private func row(
    _ candidate: Candidate, _ selector: TestSelector, base: Report,
    _ progress: @escaping @Sendable (Progress) -> Void
  ) async throws(EngineError) -> Comparison.Row {
    do {
      return try await withCandidate(candidate) { engine, change throws(EngineError) in
        let report = try await engine.run(selector, progress: progress)
        return Self.row(candidate.name, change, report, base: base)
      }
    } catch  where error.code == .usage {
      return Comparison.Row(
        name: candidate.name, change: nil, run: nil, problem: error.message)
    }
  }

  private static func row(
    _ name: String, _ change: CandidateChange, _ report: Report, base: Report
  ) -> Comparison.Row {
    let after = Dictionary(
      report.tests.map { ($0.test.id, $0.outcome) }, uniquingKeysWith: { first, _ in first })
    let differences = base.tests.map {
      Comparison.Difference(id: $0.test.id, before: $0.outcome, after: after[$0.test.id])
    }
    return Comparison.Row(
      name: name, change: change, run: Comparison.Run(report),
      regressions: differences.filter { $0.before == .passed && $0.after != .passed },
      fixes: differences.filter { $0.before.countsAsFailed && $0.after == .passed })
  }
}

public import ProctorModel

extension Engine {
  /// Runs the same tests on the workspace as it is and on each candidate, one after the other, and times functions of
  /// those that pass beside the workspace's.
  ///
  /// A candidate that cannot be laid out or run is a row that says why; the others still run.
  /// - Parameter base: the folder that files of benchmarks are relative to, absolute.
  /// - Throws: `EngineError` when the workspace itself cannot be run, or has no file to time.
  public func compare(
    _ candidates: [Candidate], _ selector: TestSelector, timing benchmarks: [BenchmarkRequest] = [],
    base folder: String,
    progress: @escaping @Sendable (Progress) -> Void = { _ in }
  ) async throws(EngineError) -> Comparison {
    let clock = ContinuousClock()
    let start = clock.now
    // Before anything runs: what cannot be timed in the end need not be tested.
    let timed = try benchmarks.map { request throws(EngineError) in
      try self.timed(request, base: folder)
    }
    let base = try await run(selector, progress: progress)
    var rows: [Comparison.Row] = []
    for candidate in candidates where !Task.isCancelled {
      do {
        rows.append(try await row(candidate, selector, timed, base: base, progress))
      } catch  where error.code == .interrupted {
        break
      }
    }
    return Comparison(
      base: Comparison.Run(base), rows: rows, isInterrupted: Task.isCancelled,
      sandbox: base.sandbox,
      durationMS: (clock.now - start).milliseconds)
  }

  private func row(
    _ candidate: Candidate, _ selector: TestSelector, _ timed: [Timed], base: Report,
    _ progress: @escaping @Sendable (Progress) -> Void
  ) async throws(EngineError) -> Comparison.Row {
    do {
      return try await withCandidate(candidate) { engine, change throws(EngineError) in
        let report = try await engine.run(selector, progress: progress)
        let timings = try await results(of: timed, in: engine, after: report, progress)
        return Self.row(candidate.name, change, report, timings, base: base)
      }
    } catch  where error.code == .usage {
      return Comparison.Row(
        name: candidate.name, change: nil, run: nil, problem: error.message)
    }
  }

  private static func row(
    _ name: String, _ change: CandidateChange, _ report: Report,
    _ benchmarks: [Comparison.Benchmark], base: Report
  ) -> Comparison.Row {
    let after = Dictionary(
      report.tests.map { ($0.test.id, $0.outcome) }, uniquingKeysWith: { first, _ in first })
    let differences = base.tests.map {
      Comparison.Difference(id: $0.test.id, before: $0.outcome, after: after[$0.test.id])
    }
    return Comparison.Row(
      name: name, change: change, run: Comparison.Run(report),
      regressions: differences.filter { $0.before == .passed && $0.after != .passed },
      fixes: differences.filter { $0.before.countsAsFailed && $0.after == .passed },
      benchmarks: benchmarks)
  }

  // MARK: benchmarks

  private struct Timed: Sendable {
    let name: String
    let target: FunctionTarget
  }

  private func timed(
    _ request: BenchmarkRequest, base: String
  ) throws(EngineError) -> Timed {
    switch try timedTarget(
      request.function, of: request.path, arguments: request.arguments, base: base)
    {
    case .success(let target): return Timed(name: request.name, target: target)
    case .failure(let failure):
      throw EngineError(
        .usage, "\(request.name) cannot be timed: \(failure.message)",
        resolution: "Name a file of the workspace and arguments as for proctor bench.")
    }
  }

  /// In turns with the workspace, as a revision is with `benchmark`.
  private func results(
    of timed: [Timed], in candidate: Engine, after report: Report,
    _ progress: @escaping @Sendable (Progress) -> Void
  ) async throws(EngineError) -> [Comparison.Benchmark] {
    guard report.verdict.status == .passed else {
      return timed.map { .init(name: $0.name, outcome: .notRun("its tests do not pass")) }
    }
    var result: [Comparison.Benchmark] = []
    for timed in timed {
      let answer = try await candidate.inTurns(
        timed.target, self, "the workspace", nil, progress)
      let outcome: Comparison.Benchmark.Outcome =
        if let failure = answer.failure {
          .failed(failure)
        } else if let comparison = answer.comparison {
          .compared(comparison)
        } else {
          .notRun("it has no times")
        }
      result.append(Comparison.Benchmark(name: timed.name, outcome: outcome))
    }
    return result
  }
}

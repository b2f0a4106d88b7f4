import FoundationEssentials
public import ProctorModel

extension Engine {
  /// Times one function, many calls in one process of the sandbox; the rest is as with `execute`.
  /// - Parameter iterations: timed calls; nil for the default.
  public func benchmark(
    _ function: String, of path: String, arguments: String, iterations: Int?, base: String,
    progress: @escaping @Sendable (Progress) -> Void = { _ in }
  ) async throws(EngineError) -> BenchmarkAnswer {
    switch try timedTarget(function, of: path, arguments: arguments, base: base) {
    case .failure(let failure): return BenchmarkAnswer(failure)
    case .success(let target):
      let call = try await call(target, timing: timing(iterations), progress)
      return answer(target, [call], iterations)
    }
  }

  /// The same of the workspace and of another revision of it, whose processes take turns: what the machine does
  /// meanwhile falls on both.
  /// - Parameter iterations: timed calls of each side, all rounds together.
  public func benchmark(
    _ function: String, of path: String, arguments: String, iterations: Int?, base: String,
    against revision: String, progress: @escaping @Sendable (Progress) -> Void = { _ in }
  ) async throws(EngineError) -> BenchmarkAnswer {
    switch try timedTarget(function, of: path, arguments: arguments, base: base) {
    case .failure(let failure): return BenchmarkAnswer(failure)
    case .success(let target):
      return try await withCandidate(.revision(revision)) { old, _ throws(EngineError) in
        try await inTurns(target, old, revision, iterations, progress)
      }
    }
  }

  func timedTarget(
    _ function: String, of path: String, arguments: String, base: String
  ) throws(EngineError) -> Result<FunctionTarget, FunctionFailure> {
    let found = try target(function, of: path, arguments: arguments, base: base)
    if case .success(let target) = found,
      !target.adapter.timedRuntimes.contains(target.runtime)
    {
      throw EngineError(
        .usage, "functions of \(target.adapter.language) can be called, but not timed",
        resolution: "Time the call from outside: proctor exec says how long it took.")
    }
    return found
  }

  private static let rounds = 6

  /// - Parameter name: of what the other engine looks at.
  func inTurns(
    _ target: FunctionTarget, _ old: Engine, _ name: String, _ iterations: Int?,
    _ progress: @escaping @Sendable (Progress) -> Void
  ) async throws(EngineError) -> BenchmarkAnswer {
    var (mine, theirs): ([FunctionAnswer], [FunctionAnswer]) = ([], [])
    let rounds = min(Self.rounds, iterations ?? Self.rounds)
    for round in 0..<rounds {
      // Shares of a number that cannot be divided differ by one.
      let share = iterations.map { $0 * (round + 1) / rounds - $0 * round / rounds }
      let timing = timing(share, samples: FunctionTiming.defaultSamples / rounds + 1)
      // A B, B A, A B...: none is always first.
      for isOld in round % 2 == 0 ? [false, true] : [true, false] {
        let call = try await (isOld ? old : self).call(target, timing: timing, progress)
        if let failure = call.failure {
          guard isOld else { return answer(target, [call], iterations) }
          return BenchmarkAnswer(failure.prefixed("in \(name): "))
        }
        if isOld { theirs.append(call) } else { mine.append(call) }
      }
    }
    var answer = answer(target, mine, iterations)
    answer.comparison = BenchmarkComparison(
      rounds: zip(mine, theirs).map {
        (new: $0.measurement?.samples ?? [], old: $1.measurement?.samples ?? [])
      }, named: name)
    return answer
  }

  private func timing(
    _ iterations: Int?, samples: Int = FunctionTiming.defaultSamples
  ) -> FunctionTiming {
    FunctionTiming(
      iterations: iterations, samples: samples,
      limits: configuration.execution.resourceLimits(timeout: options.timeoutSeconds))
  }

  private func answer(
    _ target: FunctionTarget, _ calls: [FunctionAnswer], _ iterations: Int?
  ) -> BenchmarkAnswer {
    BenchmarkAnswer(
      subject: subject(target, calls[0]), machine: MachineReader.facts(), requested: iterations,
      calls: calls)
  }

  private func subject(_ target: FunctionTarget, _ call: FunctionAnswer) -> BenchmarkSubject {
    BenchmarkSubject(
      path: String(target.file.dropFirst(workspace.count + 1)), function: target.function,
      arguments: target.arguments, argumentsFingerprint: Fingerprint.of(target.arguments),
      language: target.adapter.language,
      languageVersion: call.measurement?.runtime ?? call.toolVersion, runtime: target.runtime,
      build: target.adapter.timedBuild)
  }
}

extension FunctionFailure {
  fileprivate func prefixed(_ words: String) -> FunctionFailure {
    var failure = FunctionFailure(kind, words + message, at: location, near: near)
    failure.iteration = iteration
    return failure
  }
}

import FoundationEssentials
public import ProctorModel

extension Engine {
  /// Times one function, many calls in one process of the sandbox; the rest is as with `execute`.
  /// - Parameter iterations: timed calls; nil for the default.
  public func benchmark(
    _ function: String, of path: String, arguments: String, iterations: Int?, base: String,
    progress: @escaping @Sendable (Progress) -> Void = { _ in }
  ) async throws(EngineError) -> BenchmarkAnswer {
    switch try self.target(function, of: path, arguments: arguments, base: base) {
    case .failure(let failure): return BenchmarkAnswer(failure)
    case .success(let target):
      let call = try await call(target, timing: timing(iterations), progress)
      return BenchmarkAnswer(
        subject: subject(target, call), machine: MachineReader.facts(), requested: iterations,
        call: call)
    }
  }

  private func timing(_ iterations: Int?) -> FunctionTiming {
    FunctionTiming(
      iterations: iterations,
      limits: configuration.execution.resourceLimits(timeout: options.timeoutSeconds))
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

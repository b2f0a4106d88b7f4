import ProctorModel
import ProctorSandbox

/// Runs what an adapter plans for a call: the builds, then the one command that matters.
struct PlanRunner: Sendable {
  private let adapter: any RuntimeAdapter
  private let session: RunSession
  let context: AdapterContext

  /// Finds the tools.
  init(
    _ adapter: any RuntimeAdapter, _ session: RunSession, _ project: Project,
    _ runtime: FunctionRuntime
  ) throws(EngineError) {
    self.adapter = adapter
    self.session = session
    do {
      let toolchain = try adapter.toolchain(
        for: project, workspace: session.workspace,
        settings: session.configuration.settings(for: adapter.id), runtime: runtime,
        host: session.host)
      context = try session.context(project, toolchain, adapter)
    } catch {
      throw EngineError(.sandbox, error.message, resolution: error.resolution)
    }
  }

  enum Outcome {
    case notBuilt(FunctionFailure, InvocationRunner.Finished)
    /// The file, or what was built, shows that there is nothing to call.
    case refused(FunctionFailure)
    case ran(Invocation, FunctionRecorder.Seen, SandboxResult)
  }

  /// - Parameters:
  ///   - input: what the command gets on stdin; nil for nothing.
  ///   - explain: understands a build that failed.
  func run(
    input: Int32? = nil, plan: () throws(FunctionFailure) -> FunctionPlan,
    explain: (FinishedInvocation) -> FunctionFailure
  ) async throws(EngineError) -> Outcome {
    let first: FunctionPlan
    do {
      first = try plan()
    } catch {
      return .refused(error)
    }
    var builder = try session.runner(adapter, context)
    // The call's time limit is not the compiler's; and what building adds to files never reaches them.
    builder.limits.wallSeconds = Double(session.configuration.tests.timeoutSeconds)
    builder.access = .protected
    switch try await prepared(first, builder, explain) {
    case .ended(let outcome): return outcome
    case .call(let invocation, let layers):
      return try await call(invocation, layers, input)
    }
  }

  private enum Prepared {
    case call(Invocation, layers: [String])
    /// Something did not build, or there is nothing to call.
    case ended(Outcome)
  }

  private func prepared(
    _ plan: FunctionPlan, _ builder: InvocationRunner,
    _ explain: (FinishedInvocation) -> FunctionFailure
  ) async throws(EngineError) -> Prepared {
    var finished: [FinishedInvocation] = []
    for build in plan.builds {
      let stamp = BuildStamp(build, context, builder)
      if stamp.isKept { continue }
      try stamp.begin(isCopy: session.copy != nil)
      let done = try await builder.run(stamp.build, ledger: Ledger(), decoder: nil)
      if let failure = failure(of: done, explain) { return .ended(.notBuilt(failure, done)) }
      finished.append(done.invocation)
    }
    switch plan.next {
    case .call(let invocation, let layers): return .call(invocation, layers: layers)
    case .plan(let next):
      let further: FunctionPlan
      do {
        further = try next(finished)
      } catch {
        return .ended(.refused(error))
      }
      return try await prepared(further, builder, explain)
    }
  }

  private func call(
    _ invocation: Invocation, _ layers: [String], _ input: Int32?
  ) async throws(EngineError) -> Outcome {
    let runner = try session.functionRunner(adapter, context)
    var seen: FunctionRecorder.Seen
    var result: SandboxResult
    if input == nil, let calls = session.options.warmCalls {
      let keys = WarmKey.all(invocation, runner)
      // Not beside this call, which would have to share the processors with them.
      defer { calls.prepare(keys, invocation, runner, session.cache) }
      (seen, result) =
        if let answer = await warm(keys, calls, invocation, runner) { answer } else {
          try await cold(invocation, runner, nil)
        }
    } else {
      (seen, result) = try await cold(invocation, runner, input)
    }
    result.receipt = receipt(result.receipt, layers)
    return .ran(invocation, seen, result)
  }

  private func cold(
    _ invocation: Invocation, _ runner: InvocationRunner, _ input: Int32?
  ) async throws(EngineError) -> (FunctionRecorder.Seen, SandboxResult) {
    let nonce = RunFolder.nonce()
    let recorder = recorder(nonce)
    let result = try await runner.sandboxed(invocation, nonce: nonce, input: input) {
      recorder.receive($0)
    }
    return (recorder.seen, result)
  }

  /// nil when no sandbox waits for such a call, or what their programs have loaded is out of date.
  private func warm(
    _ keys: [WarmKey], _ calls: WarmCalls, _ invocation: Invocation, _ runner: InvocationRunner
  ) async -> (FunctionRecorder.Seen, SandboxResult)? {
    for key in keys {
      guard !Task.isCancelled, let waiting = calls.take(key) else { continue }
      let recorder = recorder(waiting.nonce)
      let result = await waiting.run(invocation, runner) {
        recorder.receive($0)
      } isOver: {
        invocation.ahead?.endsWithAnswer == true && recorder.hasReturned
      }
      let seen = recorder.seen
      if let result, !seen.isOutdated { return (seen, result) }
    }
    return nil
  }

  private func recorder(_ nonce: String) -> FunctionRecorder {
    FunctionRecorder(project: context.project, nonce: nonce, progress: session.progress)
  }

  private func failure(
    of done: InvocationRunner.Finished, _ explain: (FinishedInvocation) -> FunctionFailure
  ) -> FunctionFailure? {
    switch done.result.ending {
    case .exited where done.result.status.isSuccess: nil
    case .exited: explain(done.invocation)
    case .cancelled: FunctionFailure(.interrupted, "stopped by the user while building")
    default: FunctionFailure(.build, "building was stopped: \(done.evidence.lastWords)")
    }
  }

  private func receipt(_ receipt: SandboxReceipt, _ layers: [String]) -> SandboxReceipt {
    var receipt = receipt
    receipt.layers = layers + receipt.layers
    // Only tests can be shown more of this machine.
    receipt.denied = receipt.denied.map { denied in
      Denial(
        kind: denied.kind, target: denied.target, rule: denied.rule,
        setting: denied.setting == "read" ? nil : denied.setting, count: denied.count)
    }
    return receipt
  }
}

extension FunctionAnswer {
  /// It was not run, because it could not be built.
  init(notBuilt failure: FunctionFailure, _ done: InvocationRunner.Finished) {
    self.init(
      result: nil, failure: failure, executionTimeMS: done.result.durationMS,
      stdout: CapturedText(text: ""), stderr: done.stderr, sandbox: done.result.receipt)
  }

  /// It was run.
  /// - Parameter failure: nil for a success.
  init(
    _ seen: FunctionRecorder.Seen, _ result: SandboxResult, failure: FunctionFailure?,
    toolVersion: String?
  ) {
    let final = seen.final
    self.init(
      result: failure == nil ? final?.value : nil,
      form: failure == nil ? final?.record.form : nil,
      isTruncated: final?.record.truncated == true, failure: failure,
      measurement: final?.record.measurement,
      executionTimeMS: final?.record.nanoseconds.map { $0 / 1e6 } ?? result.durationMS,
      stdout: seen.stdout.text, stderr: seen.stderr.text, peakMemoryMB: result.peakMemoryMB,
      sandbox: result.receipt, toolVersion: toolVersion)
  }
}

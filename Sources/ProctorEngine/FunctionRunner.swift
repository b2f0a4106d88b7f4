import FoundationEssentials
import ProctorModel
import ProctorSandbox

/// Takes one call down the road: tools, build, call.
struct FunctionRunner: Sendable {
  let adapter: any FunctionAdapter
  let session: RunSession
  let call: FunctionCall

  func run(in project: Project) async throws(EngineError) -> FunctionAnswer {
    let context: AdapterContext
    do {
      let toolchain = try adapter.functionToolchain(
        for: project, workspace: session.workspace,
        settings: session.configuration.settings(for: adapter.id), runtime: call.runtime,
        host: session.host)
      context = try session.context(project, toolchain)
    } catch {
      throw EngineError(.sandbox, error.message, resolution: error.resolution)
    }
    let plan: FunctionPlan
    do {
      plan = try adapter.plan(call, context)
    } catch {
      return FunctionAnswer(error)
    }
    var builder = try session.runner(adapter, context)
    // The call's time limit is not the compiler's; and what building adds to files never reaches them.
    builder.limits.wallSeconds = Double(session.configuration.tests.timeoutSeconds)
    builder.access = .protected
    for build in plan.builds {
      let done = try await builder.run(build, ledger: Ledger(), decoder: nil)
      if let failure = failure(of: done, context) {
        return FunctionAnswer(
          result: nil, failure: failure, executionTimeMS: done.result.durationMS,
          stdout: CapturedText(text: ""), stderr: done.stderr, sandbox: done.result.receipt)
      }
    }
    let runner = try session.functionRunner(adapter, context)
    let nonce = RunFolder.nonce()
    let recorder = FunctionRecorder(project: project, nonce: nonce, progress: session.progress)
    let result = try await runner.sandboxed(plan.call, nonce: nonce) { recorder.receive($0) }
    return answer(recorder.seen, result, context, plan)
  }

  private func failure(
    of done: InvocationRunner.Finished, _ context: AdapterContext
  ) -> FunctionFailure? {
    switch done.result.ending {
    case .exited where done.result.status.isSuccess: nil
    case .exited: adapter.failure(of: done.invocation, call, context)
    case .cancelled: FunctionFailure(.interrupted, "stopped by the user while building")
    default: FunctionFailure(.build, "building was stopped: \(done.evidence.lastWords)")
    }
  }

  // MARK: the answer, from evidence

  private func answer(
    _ seen: FunctionRecorder.Seen, _ result: SandboxResult, _ context: AdapterContext,
    _ plan: FunctionPlan
  ) -> FunctionAnswer {
    var result = result
    result.receipt = receipt(result.receipt, plan)
    let failure = failure(seen, result, context)
    let final = seen.final
    return FunctionAnswer(
      result: failure == nil ? final?.value : nil,
      form: failure == nil ? final?.record.form : nil,
      isTruncated: final?.record.truncated == true, failure: failure,
      executionTimeMS: final?.record.nanoseconds.map { $0 / 1e6 } ?? result.durationMS,
      stdout: seen.stdout.text, stderr: seen.stderr.text, peakMemoryMB: result.peakMemoryMB,
      sandbox: result.receipt)
  }

  private func receipt(_ receipt: SandboxReceipt, _ plan: FunctionPlan) -> SandboxReceipt {
    var receipt = receipt
    receipt.layers = plan.layers + receipt.layers
    // Only tests can be shown more of this machine.
    receipt.denied = receipt.denied.map { denied in
      Denial(
        kind: denied.kind, target: denied.target, rule: denied.rule,
        setting: denied.setting == "read" ? nil : denied.setting, count: denied.count)
    }
    return receipt
  }

  /// The supervisor's word comes before the program's.
  private func failure(
    _ seen: FunctionRecorder.Seen, _ result: SandboxResult, _ context: AdapterContext
  ) -> FunctionFailure? {
    if let stopped = stopped(result) { return stopped }
    if let violation = seen.violation {
      return FunctionFailure(.sandbox, "the answer cannot be trusted: \(violation)")
    }
    guard let (record, value) = seen.final else { return lost(seen, result) }
    let told = failure(record, value, seen, context)
    guard told == nil || told?.kind == .runtime else { return told }
    if let told, let denied = cause(of: told, among: result.receipt.denied) {
      let setting =
        denied.setting.map { "; [execution] \($0) would allow it" } ?? ""
      return FunctionFailure(
        .permissionDenied, "\(denied.target): \(denied.rule)\(setting) (\(told.message))",
        at: told.location)
    }
    if let told, result.receipt.reached.contains(where: { $0.limit == .processes }),
      Self.starvedWords.contains(where: told.message.contains)
    {
      return FunctionFailure(
        .processLimit, "no more processes than \(result.receipt.limits.processes ?? 0) may run",
        at: told.location)
    }
    // It may have said that all is well and then died.
    if told == nil, !result.status.isSuccess { return lost(seen, result) }
    return told
  }

  /// What systems and languages say of something that was denied.
  private static let deniedWords = [
    "Permission denied", "PermissionError", "PermissionDenied", "EACCES", "EPERM",
    "Operation not permitted", "unreachable", "ENETUNREACH", "EAI_AGAIN", "ENOTFOUND",
    "name resolution", "Name or service not known", "getaddrinfo", "gaierror",
  ]
  private static let starvedWords = [
    "start new thread", "temporarily unavailable", "EAGAIN", "spawn thread", "BlockingIOError",
  ]

  /// The denial that an error is about. A function may have been denied something, gone on and failed of itself.
  private func cause(of failure: FunctionFailure, among denied: [Denial]) -> Denial? {
    if let named = denied.first(where: { failure.message.contains($0.target) }) { return named }
    guard Self.deniedWords.contains(where: failure.message.contains) else { return nil }
    return denied.first { $0.setting != nil }
  }

  private func stopped(_ result: SandboxResult) -> FunctionFailure? {
    let limits = result.receipt.limits
    switch result.ending {
    case .exited: return nil
    case .wallTime, .overdue:
      return FunctionFailure(
        .timeout, "did not end within \(limits.wallSeconds.map { "\($0)" } ?? "?") seconds")
    case .cpuTime:
      return FunctionFailure(
        .cpuLimit, "used more than \(limits.cpuSeconds.map { "\($0)" } ?? "?") s of processor time")
    case .outOfMemory:
      return FunctionFailure(.memoryLimit, "used more than \(limits.memoryMB ?? 0) MB of memory")
    case .scratchSpace, .output:
      let evidence = result.receipt.reached.first?.evidence ?? "wrote more than is allowed"
      return FunctionFailure(.outputLimit, evidence)
    case .cancelled: return FunctionFailure(.interrupted, "stopped by the user")
    }
  }

  /// Nothing was said of the end.
  private func lost(_ seen: FunctionRecorder.Seen, _ result: SandboxResult) -> FunctionFailure {
    let words = seen.stderr.lastLines(3)
    let more = words.isEmpty ? "" : ": \(words)"
    if result.receipt.reached.contains(where: { $0.limit == .processes }) {
      return FunctionFailure(.processLimit, "no more processes may run\(more)")
    }
    // Nothing that a function's file says can end a VM: this one does not work.
    if call.runtime == .vm, !seen.hasStarted {
      return FunctionFailure(
        .sandbox,
        "the VM ended before the call (\(result.status.text))\(more): is what it is made of damaged, or made for another version?"
      )
    }
    if !seen.hasStarted, !result.status.isSuccess {
      return FunctionFailure(.runtime, "ended before the call (\(result.status.text))\(more)")
    }
    if let signal = result.status.impliedSignal {
      return FunctionFailure(.crashed, "killed by \(ExitStatus.signalName(signal))\(more)")
    }
    return FunctionFailure(
      .runtime, "ended the process (\(result.status.text)) instead of returning\(more)")
  }

  private func failure(
    _ record: FunctionRecord, _ value: Data?, _ seen: FunctionRecorder.Seen,
    _ context: AdapterContext
  ) -> FunctionFailure? {
    let message = record.message ?? ""
    let location = record.file.map {
      SourceLocation(file: context.display($0), line: record.line, column: record.column)
    }
    let impossible = FunctionFailure(
      .sandbox, "the answer cannot be trusted: it is none of this runtime's")
    switch record.event {
    case .started: return nil
    case .returned:
      guard seen.hasStarted, value != nil else {
        return FunctionFailure(.sandbox, "the answer cannot be trusted: it has no beginning")
      }
      return nil
    case .raised:
      let text = [record.kind, message].compactMap(\.self).filter { !$0.isEmpty }
        .joined(separator: ": ")
      return FunctionFailure(record.phase == "import" ? .build : .runtime, text, at: location)
    case .exited:
      return FunctionFailure(
        .runtime, "ended the process (exit status \(record.code ?? 0)) instead of returning")
    case .notFound: return FunctionFailure(.notFound, message, near: record.near ?? [])
    case .badArguments:
      let which = record.argument.map { message.hasPrefix("\($0):") ? "" : "argument \($0): " }
      let expected = record.expected.map { message.contains($0) ? "" : "; expected \($0)" }
      return FunctionFailure(.badArguments, "\(which ?? "")\(message)\(expected ?? "")")
    case .unserializable:
      return FunctionFailure(
        .unserializable, "the result has no JSON form: \(record.text ?? "") \(message)")
    case .refused:
      guard call.runtime == .vm else { return impossible }
      let place = SourceLocation(file: context.display(call.file), line: record.line)
      return FunctionFailure(.permissionDenied, message, at: place)
    case .tooLarge:
      return FunctionFailure(
        .outputLimit, "the result is larger than \(call.outputLimit) bytes of JSON")
    case .unavailable:
      guard call.runtime == .vm else { return impossible }
      return FunctionFailure(.sandbox, message)
    case .memoryLimit:
      guard call.runtime != .native else { return impossible }
      return FunctionFailure(.memoryLimit, "used more than \(call.memoryMB ?? 0) MB of memory")
    }
  }
}

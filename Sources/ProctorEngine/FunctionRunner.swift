import FoundationEssentials
import ProctorModel
import ProctorSandbox

/// Takes one call down the road: tools, build, call.
struct FunctionRunner: Sendable {
  let adapter: any FunctionAdapter
  let session: RunSession
  let call: FunctionCall

  func run(in project: Project) async throws(EngineError) -> FunctionAnswer {
    let runner = try PlanRunner(adapter, session, project, call.runtime)
    let context = runner.context
    let outcome = try await runner.run { () throws(FunctionFailure) in
      try adapter.plan(call, context)
    } explain: {
      adapter.failure(of: $0, call, context)
    }
    switch outcome {
    case .notBuilt(let failure, let done): return FunctionAnswer(notBuilt: failure, done)
    case .refused(let failure): return FunctionAnswer(failure)
    case .ran(_, let seen, let result):
      var failure = failure(seen, result, context)
      if failure != nil, call.timing != nil { failure?.iteration = iteration(seen) }
      return FunctionAnswer(
        seen, result, failure: failure, toolVersion: context.toolchain.version)
    }
  }

  // MARK: the answer, from evidence

  /// Where a benchmark was when it ended.
  private func iteration(_ seen: FunctionRecorder.Seen) -> FunctionFailure.Iteration? {
    if let record = seen.final?.record, let number = record.iteration {
      return .init(number: max(1, number), isAtLeast: record.inexact == true)
    }
    guard seen.hasStarted else { return nil }
    return .init(number: max(1, seen.reached ?? 1), isAtLeast: true)
  }

  /// The supervisor's word comes before the program's.
  private func failure(
    _ seen: FunctionRecorder.Seen, _ result: SandboxResult, _ context: AdapterContext
  ) -> FunctionFailure? {
    let evidence = CallEvidence(seen: seen, result: result)
    if let failure = evidence.stopped ?? evidence.distrust { return failure }
    guard let (record, value) = seen.final else { return lost(evidence) }
    let told = failure(record, value, seen, context) ?? flaw(of: record, seen, result)
    guard told == nil || told?.kind == .runtime else { return told }
    if let told { return evidence.cause(of: told) }
    // It may have said that all is well and then died.
    return result.status.isSuccess ? nil : lost(evidence)
  }

  private func lost(_ evidence: CallEvidence) -> FunctionFailure {
    let failure = evidence.lost(insteadOf: "returning")
    guard call.runtime == .vm, !evidence.seen.hasStarted, failure.kind != .processLimit else {
      return failure
    }
    // Nothing that a function's file says can end a VM: this one does not work.
    return FunctionFailure(
      .sandbox,
      "the VM \(failure.message): is what it is made of damaged, or made for another version?")
  }

  /// A value where times were asked for, or the reverse; times that cannot be.
  private func flaw(
    of record: FunctionRecord, _ seen: FunctionRecorder.Seen, _ result: SandboxResult
  ) -> FunctionFailure? {
    let flaw: String? =
      switch (record.event, call.timing, record.measurement) {
      case (.returned, nil, nil): nil
      case (.measured, .some, .some(let measured)): measured.flaw(durationMS: result.durationMS)
      default: "it is not what was asked for"
      }
    return flaw.map { FunctionFailure(.sandbox, "the answer cannot be trusted: \($0)") }
  }

  private var tooLarge: FunctionFailure {
    FunctionFailure(.outputLimit, "the result is larger than \(call.outputLimit) bytes of JSON")
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
    case .started, .progress: return nil
    case .returned, .measured:
      guard seen.hasStarted, value != nil || record.event == .measured else {
        return FunctionFailure(.sandbox, "the answer cannot be trusted: it has no beginning")
      }
      // Hosts keep to it, too; this one keeps what does not.
      return value?.count ?? 0 > call.outputLimit ? tooLarge : nil
    case .raised:
      // A runtime that ends the process says why on stderr, if at all.
      let words = record.words(otherwise: seen.stderr.lastLines(3))
      return FunctionFailure(record.phase == "import" ? .build : .runtime, words, at: location)
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
    case .outdated: return impossible
    case .unavailable:
      guard call.runtime == .vm else { return impossible }
      return FunctionFailure(.sandbox, message)
    case .tooLarge: return tooLarge
    case .memoryLimit:
      guard call.runtime != .native else { return impossible }
      return FunctionFailure(.memoryLimit, "used more than \(call.memoryMB ?? 0) MB of memory")
    }
  }
}

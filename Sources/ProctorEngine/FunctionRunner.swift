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
    let runner = PlanRunner(adapter: adapter, session: session, context: context)
    let outcome = try await runner.run(plan) { adapter.failure(of: $0, call, context) }
    switch outcome {
    case .notBuilt(let failure, let done): return FunctionAnswer(notBuilt: failure, done)
    case .ran(let seen, let result):
      return FunctionAnswer(seen, result, failure: failure(seen, result, context))
    }
  }

  // MARK: the answer, from evidence

  /// The supervisor's word comes before the program's.
  private func failure(
    _ seen: FunctionRecorder.Seen, _ result: SandboxResult, _ context: AdapterContext
  ) -> FunctionFailure? {
    let evidence = CallEvidence(seen: seen, result: result)
    if let failure = evidence.stopped ?? evidence.distrust { return failure }
    guard let (record, value) = seen.final else { return evidence.lost(insteadOf: "returning") }
    let told = failure(record, value, seen, context)
    guard told == nil || told?.kind == .runtime else { return told }
    if let told { return evidence.cause(of: told) }
    // It may have said that all is well and then died.
    return result.status.isSuccess ? nil : evidence.lost(insteadOf: "returning")
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
      return FunctionFailure(
        record.phase == "import" ? .build : .runtime, record.words, at: location)
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
    case .memoryLimit:
      guard call.runtime != .native else { return impossible }
      return FunctionFailure(.memoryLimit, "used more than \(call.memoryMB ?? 0) MB of memory")
    }
  }
}

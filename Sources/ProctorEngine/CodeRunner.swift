import FoundationEssentials
import ProctorModel
import ProctorSandbox

/// Takes one piece of code down the road: tools, build, run, and what it made.
struct CodeRunner: Sendable {
  let adapter: any CodeAdapter
  let session: RunSession
  let piece: CodePiece
  let input: Int32?

  func run(in project: Project) async throws(EngineError) -> CodeAnswer {
    let runner = try PlanRunner(adapter, session, project, piece.runtime)
    let context = runner.context
    let outcome = try await runner.run(input: input) { () throws(FunctionFailure) in
      try adapter.plan(piece, context)
    } explain: {
      adapter.failure(of: $0, piece, context)
    }
    switch outcome {
    case .notBuilt(let failure, let done):
      return CodeAnswer(call: FunctionAnswer(notBuilt: failure, done))
    case .refused(let failure): return CodeAnswer(failure)
    case .ran(let invocation, let seen, let result):
      let failure = failure(CallEvidence(seen: seen, result: result), invocation, context)
      // Nothing of it runs any more.
      var left = ProducedFolder.totalLimit
      return CodeAnswer(
        call: FunctionAnswer(
          seen, result, failure: failure, toolVersion: context.toolchain.version),
        exitCode: exitCode(result),
        pictures: ProducedFolder(.pictures, of: piece.folder).collect(&left),
        files: ProducedFolder(.output, of: piece.folder).collect(&left))
    }
  }

  private func exitCode(_ result: SandboxResult) -> Int32? {
    guard result.ending == .exited, case .exited(let code) = result.status else { return nil }
    return code
  }

  // MARK: the answer, from evidence

  private func failure(
    _ evidence: CallEvidence, _ call: Invocation, _ context: AdapterContext
  ) -> FunctionFailure? {
    if let failure = evidence.stopped ?? evidence.distrust { return failure }
    guard case .frames = call.channel else { return plain(evidence, call, context) }
    guard let (record, value) = evidence.seen.final else {
      // Whoever leaves without a word has come to no harm if the status says so, once it had begun.
      return evidence.seen.hasStarted && evidence.result.status.isSuccess
        ? nil : evidence.lost(insteadOf: "coming to its end")
    }
    let told = failure(record, value, context)
    guard told == nil || told?.kind == .runtime else { return told }
    if let told { return evidence.cause(of: told) }
    return evidence.result.status.isSuccess ? nil : evidence.lost(insteadOf: "coming to its end")
  }

  /// A program that reports nothing: its status is its word.
  private func plain(
    _ evidence: CallEvidence, _ call: Invocation, _ context: AdapterContext
  ) -> FunctionFailure? {
    let (seen, result) = (evidence.seen, evidence.result)
    guard !result.status.isSuccess else { return nil }
    let finished = FinishedInvocation(
      invocation: call, status: result.status, stdout: seen.stdout.data, stderr: seen.stderr.data)
    return evidence.cause(of: adapter.failure(of: finished, piece, context))
  }

  private var tooLarge: FunctionFailure {
    FunctionFailure(.outputLimit, "the result is larger than \(piece.outputLimit) bytes of JSON")
  }

  private func failure(
    _ record: FunctionRecord, _ value: Data?, _ context: AdapterContext
  ) -> FunctionFailure? {
    let location = record.file.map {
      SourceLocation(file: piece.display($0, context), line: record.line, column: record.column)
    }
    switch record.event {
    case .returned: return value?.count ?? 0 > piece.outputLimit ? tooLarge : nil
    case .exited where record.code == 0: return nil
    case .exited:
      return FunctionFailure(
        .runtime, "ended with exit status \(record.code ?? 1)", at: location)
    case .raised:
      return FunctionFailure(
        record.phase == "import" ? .build : .runtime,
        record.words().replacing(piece.file, with: piece.name), at: location)
    case .tooLarge: return tooLarge
    case .refused where piece.runtime == .vm:
      let place = SourceLocation(file: piece.name, line: record.line)
      return FunctionFailure(.permissionDenied, record.message ?? "", at: place)
    case .memoryLimit where piece.runtime != .native:
      return FunctionFailure(.memoryLimit, "used more than \(piece.memoryMB ?? 0) MB of memory")
    default:
      return FunctionFailure(.sandbox, "the answer cannot be trusted: it is none of a piece's")
    }
  }
}

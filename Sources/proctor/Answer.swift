import ArgumentParser
import FoundationEssentials
import Glibc
import ProctorAudit
import ProctorEngine
import ProctorFormats
import ProctorModel

/// Gives one engine call's answer: live while it goes on, rendered at its end, with its exit status.
struct Answer: Sendable {
  enum Kind: Sendable {
    case run(details: Bool)
    case test
    case list
    case status
    case selfTest
    case bisection
    case function
    /// - Parameter failsIfSlower: whether being slower than what it is compared with is a failure.
    case benchmark(failsIfSlower: Bool)
    case validation(failAt: RiskLevel?)
    case check
    /// - Parameter folder: where what it made goes; nil for nowhere.
    case code(folder: String?)
    case lint
  }

  enum Value: Sendable {
    case report(Report)
    case listing(Listing)
    case status(StatusAnswer)
    case selfTest(SelfTestAnswer)
    case bisection(OrderBisection)
    case function(FunctionAnswer)
    case benchmark(BenchmarkAnswer)
    case validation(ValidationAnswer)
    /// Code was not judged.
    case unjudged(String)
    case check(CheckAnswer)
    case code(CodeAnswer)
    case lint(LintAnswer, of: String)
    /// What the helper that keeps calls warm made of it.
    case printed(stdout: Data, status: Int32, outcome: AuditOutcome?)
  }

  /// What is shown of an outcome.
  struct Printed {
    var stdout = Data()
    var stderr = ""
    let status: Int32
    /// An `AuditOutcome` on its way from the helper, as JSON.
    var outcome: Data?
  }

  typealias Body =
    @Sendable (_ progress: @escaping @Sendable (Progress) -> Void, _ call: AuditedCall)
    async throws(EngineError) -> Value

  let format: OutputFormat
  let kind: Kind

  /// Does what a command is for, on record.
  /// - Parameters:
  ///   - reports: written before the answer is given; a run is not green without them.
  ///   - afterwards: gets a run's report once the answer is given.
  func give(
    _ command: CommandCall, _ body: @escaping Body, reports: ReportFiles? = nil,
    afterwards: (Report) async -> Void = { _ in }
  ) async throws {
    reports?.clear()
    let call: AuditedCall
    do {
      call = try command.begin()
    } catch {
      return try await show(
        printed(.failure(error), .plain).with(reports, of: .failure(error), command))
    }
    let screen = Screen(format)
    let result = await screen.whileDrawing {
      await Interruption.cancelling {
        await Self.result { () async throws(EngineError) in try await body(screen.progress, call) }
      }
    }
    let printed = printed(result, Console.wantsColour(STDOUT_FILENO) ? .ansi : .plain)
      .with(reports, of: result, command)
    call.end(outcome(of: result, printed), exitCode: Int(printed.status))
    try await show(printed) {
      if case .success(.report(let report)) = result { await afterwards(report) }
    }
  }

  private func show(_ printed: Printed, afterwards: () async -> Void = {}) async throws {
    Console.write(printed.stdout)
    if !printed.stderr.isEmpty { Console.error(printed.stderr) }
    await afterwards()
    throw ExitCode(printed.status)
  }

  func printed(_ result: Result<Value, EngineError>, _ style: TextStyle) -> Printed {
    switch result {
    case .success(.printed(let stdout, let status, _)): Printed(stdout: stdout, status: status)
    case .success(let value):
      Printed(stdout: render(value, style), status: exit(value).rawValue)
    case .failure(let error):
      Printed(
        stdout: format == .json ? render(empty(error), style) : Data(),
        stderr: "proctor: \(error.message)\n\(error.resolution)",
        status: ProctorExit(error).rawValue)
    }
  }

  /// What the audit trail keeps of a result.
  func outcome(of result: Result<Value, EngineError>, _ printed: Printed) -> AuditOutcome {
    let status = AuditOutcome.word(exit: printed.status)
    switch result {
    case .success(.printed(_, _, let outcome)):
      return outcome ?? AuditOutcome(answer: nil, status: status)
    case .success(let value):
      let json = Answer(format: .json, kind: kind)
      return AuditOutcome(
        answer: format == .json ? printed.stdout : json.render(value, .plain), status: status)
    case .failure(let error):
      let json = Answer(format: .json, kind: kind)
      return AuditOutcome(answer: json.render(empty(error), .plain), status: status)
    }
  }

  static func result<Value>(
    _ body: () async throws(EngineError) -> Value
  ) async -> Result<Value, EngineError> {
    do {
      return .success(try await body())
    } catch {
      return .failure(error)
    }
  }

  private func render(_ value: Value, _ style: TextStyle) -> Data {
    switch (value, format, kind) {
    case (.report(let report), .json, .run(let details)):
      return ContractJSON.runAllTests(report, details: details)
    case (.report(let report), .json, .test): return ContractJSON.runTest(report)
    case (.report(let report), .json, _): return ContractJSON.runAllTests(report, details: false)
    case (.report(let report), _, _): return Data(TextSummary.render(report, style: style).utf8)
    case (.listing(let listing), .json, _): return ContractJSON.list(listing)
    case (.listing(let listing), _, _): return Data(TextSummary.render(listing, style: style).utf8)
    case (.status(let status), .json, _): return ContractJSON.status(status)
    case (.selfTest(let answer), .json, _): return ContractJSON.selfTest(answer)
    case (.selfTest(let answer), _, _):
      return Data(TextSummary.render(answer, style: style).utf8)
    case (.bisection(let found), .json, _): return ContractJSON.bisection(found)
    case (.bisection(let found), _, _):
      return Data(TextSummary.render(found, style: style).utf8)
    case (.check(let answer), .json, _): return ContractJSON.check(answer)
    case (.check(let answer), _, _): return Data(TextSummary.render(answer, style: style).utf8)
    case (.function(let answer), .json, _): return ContractJSON.function(answer)
    case (.function(let answer), _, _): return Data(TextSummary.render(answer, style: style).utf8)
    case (.benchmark(let answer), .json, _): return ContractJSON.benchmark(answer)
    case (.benchmark(let answer), _, _): return Data(TextSummary.render(answer, style: style).utf8)
    case (.validation(let answer), .json, _): return ContractJSON.validation(answer)
    case (.validation(let answer), _, _):
      return Data(TextSummary.render(answer, style: style).utf8)
    case (.unjudged(let why), _, _): return ContractJSON.validation(failure: why)
    case (.code(let answer), .json, _): return ContractJSON.code(answer)
    case (.code(let answer), _, .code(let folder)):
      return Data(TextSummary.render(answer, writtenTo: folder, style: style).utf8)
    case (.code(let answer), _, _):
      return Data(TextSummary.render(answer, writtenTo: nil, style: style).utf8)
    case (.lint(let answer, _), .json, _): return answer.json
    case (.lint(let answer, let file), _, _):
      return Data(TextSummary.render(answer, of: file, style: style).utf8)
    case (.status(let status), _, _): return Data(TextSummary.render(status, style: style).utf8)
    case (.printed(let stdout, _, _), _, _): return stdout
    }
  }

  private func exit(_ value: Value) -> ProctorExit {
    switch value {
    case .report(let report): ProctorExit(report.verdict)
    case .listing(let listing): ProctorExit(listing.verdict)
    case .status: .passed
    case .selfTest(let answer):
      answer.count(.gotThrough) > 0 ? .testFailed : answer.complete ? .passed : .interrupted
    case .bisection(let found): ProctorExit(found)
    case .check(let answer): ProctorExit(answer)
    case .function(let answer): answer.failure.map { ProctorExit($0) } ?? .passed
    case .benchmark(let answer): exit(answer)
    case .validation(let answer): exit(answer)
    case .unjudged: .noVerdict
    case .code(let answer):
      answer.call.failure.map { ProctorExit($0) } ?? (answer.isWritten ? .passed : .noVerdict)
    case .lint(let answer, _): answer.isLossy ? .testFailed : .passed
    case .printed(_, let status, _): ProctorExit(rawValue: status) ?? .noVerdict
    }
  }

  private func exit(_ answer: BenchmarkAnswer) -> ProctorExit {
    if let failure = answer.failure { return ProctorExit(failure) }
    guard case .benchmark(failsIfSlower: true) = kind else { return .passed }
    return switch answer.comparison?.verdict {
    case .faster, .noDifference: .passed
    case .slower: .testFailed
    case .unknown, nil: .noVerdict
    }
  }

  private func exit(_ answer: ValidationAnswer) -> ProctorExit {
    if answer.isInterrupted { return .interrupted }
    guard case .validation(let failAt?) = kind, answer.score.level >= failAt else { return .passed }
    return .testFailed
  }

  /// What JSON readers get when there is no report to speak of.
  private func empty(_ error: EngineError) -> Value {
    switch kind {
    case .function: .function(FunctionAnswer(error.functionFailure))
    case .benchmark: .benchmark(BenchmarkAnswer(error.functionFailure))
    case .validation: .unjudged(error.sentences)
    case .check: .check(error.check)
    case .bisection: .bisection(error.bisection)
    case .code: .code(CodeAnswer(error.functionFailure))
    case .lint: .lint(LintAnswer(failure: error.sentences), of: "")
    case .run, .test, .list, .status, .selfTest: .report(error.report)
    }
  }
}

extension Answer.Printed {
  /// Writes a run's report files, and says what is wrong with them: then nothing is green. Where nothing could run, the
  /// files say that.
  fileprivate func with(
    _ reports: ReportFiles?, of result: Result<Answer.Value, EngineError>, _ command: CommandCall
  ) -> Answer.Printed {
    guard let reports, !reports.isEmpty else { return self }
    let report: Report
    switch result {
    case .success(.report(let ended)): report = ended
    case .failure(let error): report = error.report
    case .success: return self
    }
    let written = reports.write(report, workspace: command.workspace ?? ".")
    let words = (written.notes + written.failures).map { "proctor: \($0)\n" }.joined()
    let isGreen = status == ProctorExit.passed.rawValue
    return Answer.Printed(
      stdout: written.stdout + stdout, stderr: words + stderr,
      status: isGreen && !written.failures.isEmpty ? ProctorExit.noVerdict.rawValue : status,
      outcome: outcome)
  }
}

extension AuditOutcome {
  /// The word for an answer that has none.
  static func word(exit status: Int32) -> String {
    switch ProctorExit(rawValue: status) {
    case .passed: "success"
    case .testFailed: "failed"
    case .interrupted: "interrupted"
    default: "error"
    }
  }
}

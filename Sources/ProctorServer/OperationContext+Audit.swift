import FoundationEssentials
import ProctorAudit
import ProctorEngine
import ProctorFormats
import ProctorModel

extension OperationContext {
  /// Records that an operation begins.
  /// - Throws: `EngineError` when it cannot be recorded, and that is required.
  func begin(
    _ operation: Operation, _ arguments: JSONFields?
  ) throws(EngineError) -> AuditedCall {
    let reason = Parameter.reason.name
    var sent = AuditArguments()
    for name in arguments?.names ?? [] where name != reason {
      if let value = arguments?[name] {
        sent.add(name, text: String(decoding: value, as: UTF8.self))
      }
    }
    let call = AuditCall(
      operation.name, workspace: workspace, arguments: sent.data,
      reason: arguments?.string(reason),
      policy: AuditPolicy(
        isolation: options.isolation?.rawValue, timeoutSeconds: options.timeoutSeconds))
    do {
      return try audit.begin(call) { (try? engine())?.configuration.audit.isRequired ?? false }
    } catch {
      throw EngineError(audit: error)
    }
  }

  /// Gives a run's report on, and records it as the call's end: the call lasts as long as the run.
  func ending(
    _ body: @Sendable () async throws(EngineError) -> Report
  ) async throws(EngineError) -> Report {
    do {
      let report = try await body()
      end(report)
      return report
    } catch {
      end(error.report)
      throw error
    }
  }

  private func end(_ report: Report) {
    call?.end(
      AuditOutcome(answer: ContractJSON.runAllTests(report, details: false), status: "error"))
  }
}

extension AuditedCall {
  /// Records how an operation ended. A run that goes on has not: it says itself when it does.
  func end(_ outcome: OperationOutcome) {
    switch outcome {
    case .done(let answer) where answer.goesOn: break
    case .done(let answer):
      end(AuditOutcome(answer: answer.json, status: answer.isError ? "error" : "success"))
    case .mustAsk: end(AuditOutcome(answer: nil, status: "confirmation_needed"))
    }
  }
}

extension AuditConfirmation {
  init(_ answer: Answer, _ question: ConfirmationQuestion) {
    // What was asked about is among the arguments of the call.
    self.init(answer, question: question.what, why: question.why)
  }
}

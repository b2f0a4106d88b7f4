public import ProctorModel

// What every door answers with when there is nothing to report but that proctor could not do it.
extension EngineError {
  /// What is wrong and what to do about it.
  public var sentences: String { "\(message). \(resolution)" }

  public var functionFailure: FunctionFailure {
    let kind: FunctionFailure.Kind =
      switch code {
      case .usage, .workspace, .configuration: .badArguments
      case .sandbox, .storage, .busy: .sandbox
      case .interrupted: .interrupted
      }
    return FunctionFailure(kind, sentences)
  }

  public var check: CheckAnswer {
    CheckAnswer(.error, reason: verdict.reason, message: verdict.message)
  }

  public var report: Report {
    Report(
      verdict: verdict, tests: [], errors: [], missing: [], adapters: [], sandbox: nil,
      durationMS: 0)
  }

  public var bisection: OrderBisection {
    OrderBisection(finding: nil, problem: verdict, test: nil)
  }

  public var listing: Listing { Listing(tests: [], errors: [], projects: [], verdict: verdict) }

  private var verdict: Verdict {
    let reason: Verdict.Reason =
      switch code {
      case .usage: .usage
      case .workspace: .workspace
      case .configuration: .configurationBroken
      case .sandbox: .sandboxUnavailable
      case .storage: .storage
      case .busy: .busy
      case .interrupted: .interrupted
      }
    return Verdict(status: .error, reason: reason, message: sentences)
  }
}

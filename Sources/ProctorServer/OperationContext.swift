import FoundationEssentials
import ProctorEngine
import ProctorModel

/// What a call of an operation has around it.
struct OperationContext: Sendable {
  /// Asks the user.
  typealias Asker = @Sendable (ConfirmationQuestion) async -> ConfirmationReply

  /// Absolute; paths in arguments are relative to it.
  let workspace: String
  var options: EngineOptions
  let runs: RunStore
  let ask: Asker
  /// Shows how far it is.
  let feed: ProgressFeed

  /// Reads `proctor.toml` anew: it may have changed since the last call.
  func engine(timeout: Double? = nil) throws(EngineError) -> Engine {
    var options = options
    options.timeoutSeconds = timeout ?? options.timeoutSeconds
    return try Engine(workspace: workspace, options: options)
  }
}

/// What came of asking the user.
enum ConfirmationReply: Sendable {
  case allowed
  case refused(FunctionFailure)
  /// This door asks by having the call made again.
  case askedLater
}

extension OperationContext {
  /// For the engine: what goes on is shown from now on.
  func progress() -> @Sendable (Progress) -> Void {
    let progress = RunProgress()
    feed.follow(progress)
    return progress.apply
  }

  /// Asks the user where that is wanted.
  /// - Parameters:
  ///   - question: as things are when it is called; nil for none.
  ///   - refused: the answer when the user does not agree.
  /// - Returns: nil when the code may run.
  func objection(
    _ question: () async -> ConfirmationQuestion?, refused: (FunctionFailure) -> OperationAnswer
  ) async -> OperationOutcome? {
    guard let asked = await question() else { return nil }
    switch await ask(asked) {
    // The user read what was there before.
    case .allowed:
      return await question() == asked ? nil : .done(refused(ConfirmationQuestion.changed))
    case .refused(let failure): return .done(refused(failure))
    case .askedLater: return .mustAsk(asked)
    }
  }
}

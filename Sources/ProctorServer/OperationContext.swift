import FoundationEssentials
import ProctorAudit
import ProctorEngine
import ProctorFormats
import ProctorModel

/// What a call of an operation has around it.
struct OperationContext: Sendable {
  /// Asks the user.
  typealias Asker = @Sendable (ConfirmationQuestion) async -> ConfirmationReply

  /// Who reads the answer.
  enum Reader: Sendable {
    /// Everything by the schema.
    case program
    /// As much as helps it, the rest on demand.
    case model
  }

  /// Absolute; paths in arguments are relative to it.
  let workspace: String
  var options: EngineOptions
  let runs: RunStore
  let queue: WorkQueue
  let reader: Reader
  let ask: Asker
  /// Shows how far it is.
  let feed: ProgressFeed
  /// Of the call itself, where it holds a place in the queue.
  var ticket: WorkQueue.Ticket?
  /// Who calls, for the audit trail.
  let audit: AuditDoor
  /// Tells the user of this process what is wrong; any thread.
  let say: @Sendable (String) -> Void
  /// This call in the audit trail; `Operation.run` sets it.
  var call: AuditedCall?

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
  /// Nobody was asked: whoever started this door had said yes to everything.
  case allowedAhead
  case refused(FunctionFailure)
  /// This door asks by having the call made again, with this token.
  case askedLater(String)
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
    if asked.isRemembered {
      call?.confirmed(AuditConfirmation(.remembered, asked))
      return nil
    }
    feed.say("waiting for the user to allow it")
    let reply =
      if let ticket { await ticket.pausing { await ask(asked) } } else { await ask(asked) }
    switch reply {
    // The user read what was there before.
    case .allowed:
      call?.confirmed(AuditConfirmation(.allowed, asked))
      return await question() == asked
        ? nil : .done(refused(ConfirmationQuestion.changed).markedRefused)
    case .allowedAhead:
      call?.confirmed(AuditConfirmation(.allowedAhead))
      return nil
    case .refused(let failure):
      call?.confirmed(AuditConfirmation(.refused, asked))
      return .done(refused(failure).markedRefused)
    case .askedLater(let token):
      call?.confirmed(AuditConfirmation(.askedLater, asked))
      return .mustAsk(OperationOutcome.Asked(question: asked, token: token))
    }
  }
}

extension OperationContext.Reader {
  /// Seconds to wait for a run when the call does not say: clients of models give up after 60.
  var patience: Double { self == .model ? 45 : 3600 }

  /// Of an answer about a run; nil for all of it.
  var tokens: Int? { self == .model ? AgentReport.defaultTokens : nil }
}

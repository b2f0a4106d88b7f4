import FoundationEssentials
import ProctorEngine
import ProctorModel
import Synchronization

/// Asks the user through the client before code runs, by the rules of either era.
final class MCPQuestions: Sendable {
  /// How long a user has to answer.
  private static let patience = Duration.seconds(300)
  /// The name of the only question in a result that asks.
  private static let name = "confirm"
  /// Characters of the arguments or the code that are shown, of the beginning and of the end.
  private static let shown = 2000

  private struct Question {
    let answered = Latch()
    var answer: JSONFields?
  }

  private struct State {
    var open: [RPCID: Question] = [:]
    var next = 1
  }

  private let allowsAhead: Bool
  private let tokens: ConfirmationTokens
  /// Asks elsewhere; nil where the client speaks for its user.
  private let elsewhere: HTTPConfirmations?
  private let state = Mutex(State())

  /// - Parameters:
  ///   - allowsAhead: nobody is asked.
  ///   - tokens: also those with which a client comes back to another session.
  ///   - elsewhere: asks by another way about a call; nil where the client speaks for its user.
  init(
    allowsAhead: Bool, tokens: ConfirmationTokens,
    elsewhere: HTTPConfirmations? = nil
  ) {
    self.allowsAhead = allowsAhead
    self.tokens = tokens
    self.elsewhere = elsewhere
  }

  /// How the user is asked about a call.
  func asker(
    _ request: RPCRequest, _ era: MCPEra, _ call: ConfirmationTokens.Call,
    _ reply: @escaping MCPSession.Reply
  ) -> OperationContext.Asker {
    { question in
      if self.allowsAhead { return .allowedAhead }
      if let elsewhere = self.elsewhere { return await elsewhere.waitingAsker(call)(question) }
      guard era.canAsk else {
        return .refused(
          question.refusal(
            "this client cannot show its user a question (it has no elicitation)",
            remedy: "the user can start proctor with --yes"))
      }
      return era.isStateless
        ? self.comeBack(request, call, question) : await self.elicit(question, reply)
    }
  }

  // MARK: in the middle of a call

  /// As clients before 2026-07-28 are asked.
  private func elicit(
    _ question: ConfirmationQuestion, _ reply: @escaping MCPSession.Reply
  ) async -> ConfirmationReply {
    let send = { reply(MCPSession.message($0)) }
    let asked = Question()
    let id = state.withLock { state in
      let id = RPCID.string("\(Self.name)-\(state.next)")
      state.next += 1
      state.open[id] = asked
      return id
    }
    send(["id": id.json, "method": "elicitation/create", "params": Self.form(question)])
    await asked.answered.wait(atMost: Self.patience)
    let answer = state.withLock { $0.open.removeValue(forKey: id)?.answer }
    guard asked.answered.isOpen else {
      send([
        "method": "notifications/cancelled",
        "params": ["requestId": id.json, "reason": "the call is over"],
      ])
      return .refused(FunctionFailure(.refused, "the user did not answer in time"))
    }
    return Self.reply(answer, to: question)
  }

  /// - Parameter result: nil when the client could not ask.
  func answer(_ id: RPCID, _ result: JSONFields?) {
    let latch = state.withLock { state in
      state.open[id]?.answer = result
      return state.open[id]?.answered
    }
    latch?.open()
  }

  // MARK: by calling again

  /// The result that has the client ask.
  func sentAway(with asked: OperationOutcome.Asked) -> MCPResult {
    let form: JSONValue = ["method": "elicitation/create", "params": Self.form(asked.question)]
    return MCPResult(
      [
        ("inputRequests", .object([(Self.name, form)])),
        ("requestState", .string(asked.token)),
      ], type: "input_required")
  }

  /// What the client has come back with, if it was sent away.
  private func comeBack(
    _ request: RPCRequest, _ call: ConfirmationTokens.Call, _ question: ConfirmationQuestion
  ) -> ConfirmationReply {
    guard let token = request.params?.string("requestState") else {
      return tokens.asking(for: call, question)
    }
    guard tokens.redeem(token, for: call, question) else {
      return .refused(
        FunctionFailure(
          .refused,
          "the confirmation is not good for this call: it has been used, is older than five minutes, or was given for "
            + "other arguments, another state of the file, or other settings. Make the call without it to have the user asked again"
        ))
    }
    guard let answer = request.params?.fields("inputResponses")?.fields(Self.name) else {
      return tokens.asking(for: call, question)
    }
    return Self.reply(answer, to: question)
  }

  // MARK: the form

  private static func form(_ question: ConfirmationQuestion) -> JSONValue {
    let lines = [
      "\(ConfirmationQuestion.request) \(question.what)", question.excerpt(shown), question.why,
    ]
    return [
      "mode": "form", "message": .string(lines.compactMap(\.self).joined(separator: "\n")),
      "requestedSchema": [
        "type": "object",
        "properties": [
          "allow": [
            "type": "boolean", "title": "Allow", "description": "Run this code once.",
            "default": false,
          ],
          "remember": [
            "type": "boolean", "title": "Do not ask again",
            "description": "While the code and the settings stay as they are.", "default": false,
          ],
        ], "required": ["allow"],
      ],
    ]
  }

  private static func reply(
    _ answer: JSONFields?, to question: ConfirmationQuestion
  ) -> ConfirmationReply {
    let content = answer?.fields("content")
    guard answer?.string("action") == "accept", content?.bool("allow") == true else {
      return .refused(ConfirmationQuestion.declined)
    }
    if content?.bool("remember") == true { question.remember() }
    return .allowed
  }
}

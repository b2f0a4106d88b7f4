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
  private let send: @Sendable (JSONValue) -> Void
  private let tokens = ConfirmationTokens()
  private let state = Mutex(State())

  /// - Parameters:
  ///   - allowsAhead: nobody is asked.
  ///   - send: takes the members of a message.
  init(allowsAhead: Bool, send: @escaping @Sendable (JSONValue) -> Void) {
    self.allowsAhead = allowsAhead
    self.send = send
  }

  /// How the user is asked about a call.
  func asker(
    _ request: RPCRequest, _ era: MCPEra, _ call: ConfirmationTokens.Call
  ) -> OperationContext.Asker {
    { question in
      if self.allowsAhead { return .allowed }
      guard era.canAsk else {
        return .refused(
          question.refusal(
            "this client cannot show its user a question (it has no elicitation)",
            remedy: "the user can start proctor mcp with --yes"))
      }
      return era.isStateless ? self.comeBack(request, call, question) : await self.elicit(question)
    }
  }

  // MARK: in the middle of a call

  /// As clients before 2026-07-28 are asked.
  private func elicit(_ question: ConfirmationQuestion) async -> ConfirmationReply {
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
    return Self.isAllowed(answer) ? .allowed : .refused(ConfirmationQuestion.declined)
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
  func sentAway(
    with question: ConfirmationQuestion, _ call: ConfirmationTokens.Call
  ) -> MCPResult {
    let form: JSONValue = ["method": "elicitation/create", "params": Self.form(question)]
    return MCPResult(
      [
        ("inputRequests", .object([(Self.name, form)])),
        ("requestState", .string(tokens.issue(for: call, question))),
      ], type: "input_required")
  }

  /// What the client has come back with, if it was sent away.
  private func comeBack(
    _ request: RPCRequest, _ call: ConfirmationTokens.Call, _ question: ConfirmationQuestion
  ) -> ConfirmationReply {
    guard let token = request.params?.string("requestState") else { return .askedLater }
    guard tokens.redeem(token, for: call, question) else {
      return .refused(
        FunctionFailure(
          .refused,
          "the confirmation is not good for this call: it has been used, is older than five minutes, or was given for "
            + "other arguments, another state of the file, or other settings. Make the call without it to have the user asked again"
        ))
    }
    guard let answer = request.params?.fields("inputResponses")?.fields(Self.name) else {
      return .askedLater
    }
    return Self.isAllowed(answer) ? .allowed : .refused(ConfirmationQuestion.declined)
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
          ]
        ], "required": ["allow"],
      ],
    ]
  }

  private static func isAllowed(_ answer: JSONFields?) -> Bool {
    answer?.string("action") == "accept" && answer?.fields("content")?.bool("allow") == true
  }
}

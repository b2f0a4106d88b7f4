import FoundationEssentials
import HTTPTypes
import Hummingbird
import ProctorAudit
import ProctorEngine
import ProctorModel

/// Asks the user over HTTP: who calls is sent away with the name of a question, and comes back when somebody with the
/// confirmation token has answered it.
struct HTTPConfirmations: Sendable {
  /// Questions that are kept.
  private static let most = 64
  /// Characters of the arguments or the code that are shown, of the beginning and of the end.
  private static let shown = 2000

  let allowsAhead: Bool
  private let record: HTTPRecord
  /// How long a client that cannot come back with a token waits for the answer.
  private static let patience = Duration.seconds(45)
  private let tokens = ConfirmationTokens(most: most, makesRoom: false)

  init(allowsAhead: Bool, record: HTTPRecord) {
    (self.allowsAhead, self.record) = (allowsAhead, record)
  }

  /// - Parameter token: what the caller has come back with.
  func asker(
    _ call: ConfirmationTokens.Call, _ token: String?
  ) -> OperationContext.Asker {
    { question in
      if allowsAhead { return .allowedAhead }
      guard let token else {
        return tokens.asking(for: call, question)
      }
      switch tokens.decision(token, on: call, question) {
      case .allowed: return .allowed
      case .declined: return .refused(ConfirmationQuestion.declined)
      case .waiting: return .askedLater(token)
      case .unknown:
        return .refused(
          FunctionFailure(
            .refused,
            "the confirmation is not good for this call: it has been used, is older than five minutes, or was given for "
              + "other arguments, another state of the file, or other settings. Make the call without it to have the user asked again"
          ))
      }
    }
  }

  /// Has somebody with the confirmation token asked, and waits a moment for the answer; the same call finds it later.
  func waitingAsker(_ call: ConfirmationTokens.Call) -> OperationContext.Asker {
    { question in
      let begun = ContinuousClock.now
      let reply =
        tokens.token(for: call, question).map(ConfirmationReply.askedLater)
        ?? tokens.asking(for: call, question)
      guard case .askedLater(let token) = reply else { return reply }
      while !Task.isCancelled {
        switch tokens.decision(token, on: call, question) {
        case .allowed: return .allowed
        case .declined: return .refused(ConfirmationQuestion.declined)
        case .unknown: return .refused(FunctionFailure(.refused, "the user did not answer in time"))
        case .waiting: break
        }
        guard begun.duration(to: .now) < Self.patience else { break }
        try? await Task.sleep(for: .milliseconds(200))
      }
      return .refused(
        FunctionFailure(
          .refused,
          "the user is asked on the page of proctor serve and has not answered yet: make the same call again later"
        ))
    }
  }

  /// What a caller is told who must come back.
  static func problem(_ asked: OperationOutcome.Asked) -> HTTPProblem {
    var problem = HTTPProblem(
      .preconditionRequired, "\(ConfirmationQuestion.request) \(asked.question.what)",
      resolution:
        "The user answers at POST /confirmations/\(asked.token), with the confirmation token that the service showed at its start. Then make the same call with the header Proctor-Confirmation: \(asked.token)."
    )
    problem.members = [("confirmation", .string(asked.token))]
    problem.headers[.retryAfter] = "2"
    return problem
  }

  var endpoints: [HTTPEndpoint] {
    [
      HTTPEndpoint(
        .get("confirmations"), "list_confirmations", for: .confirmer, OpenAPI.confirmations
      ) { _ in
        .json(["confirmations": .array(tokens.open.map(Self.json))])
      },
      HTTPEndpoint(
        .post("confirmations/{confirmation}"), "confirm", for: .confirmer, OpenAPI.confirm
      ) { call in
        var call = call
        let fields = try await call.object()
        let remembers = fields?.bool("remember")
        guard let isAllowed = fields?.bool("allow"),
          fields?.names == (remembers == nil ? ["allow"] : ["allow", "remember"])
        else {
          throw HTTPProblem(
            .badRequest, "the body must be {\"allow\": true} or {\"allow\": false}",
            resolution: "With \"remember\": true the same is not asked about again.")
        }
        let token = call.parameters.get("confirmation") ?? ""
        var arguments = AuditArguments()
        arguments.add("confirmation", token)
        let question = tokens.open.first { $0.token == token }
        arguments.add("operation", question?.operation)
        arguments.add("allow", text: "\(isAllowed)")
        arguments.add("remember", flag: remembers ?? false)
        try await record.keep("confirm", of: call, in: question?.workspace, arguments) {
          guard tokens.decide(token, isAllowed: isAllowed, remembers: remembers ?? false) else {
            throw HTTPProblem(
              .notFound, "there is no such question, or it has been answered",
              resolution: "GET /confirmations lists those that wait for an answer.")
          }
        }
        return .json(["confirmation": .string(token), "allow": .bool(isAllowed)])
      },
    ]
  }

  private static func json(_ open: ConfirmationTokens.Open) -> JSONValue {
    [
      "confirmation": .string(open.token),
      "operation": .string("\(open.workspace) \(open.operation)"),
      "question": .string("\(ConfirmationQuestion.request) \(open.question.what)"),
      "code": .string(open.question.excerpt(shown)),
      "why": open.question.why.map { .string($0) }, "seconds_left": .int(open.secondsLeft),
    ]
  }
}

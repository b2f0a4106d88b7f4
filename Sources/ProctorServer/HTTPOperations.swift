import FoundationEssentials
import HTTPTypes
import Hummingbird
import ProctorAudit
import ProctorEngine
import ProctorModel

extension HTTPField.Name {
  /// Names the question that a call comes back with.
  static let confirmation = HTTPField.Name("Proctor-Confirmation") ?? .authorization
}

/// The operations as endpoints.
struct HTTPOperations: Sendable {
  let workspaces: HTTPWorkspaces
  let confirmations: HTTPConfirmations
  let figures: ServiceFigures
  let queue: WorkQueue

  var endpoints: [HTTPEndpoint] {
    Operation.all.compactMap { operation in
      operation.route.map { route in
        HTTPEndpoint(
          route, operation.name, for: .caller, OpenAPI.describe(operation, route)
        ) { call in
          try await answer(operation, call)
        }
      }
    }
  }

  private func answer(_ operation: Operation, _ call: HTTPCall) async throws -> Response {
    var call = call
    let workspace = try workspaces.workspace(of: call)
    let arguments =
      operation.route?.method == .get
      ? try HTTPQuery(call).fields(for: operation.parameters) : try await call.object()
    let feed = ProgressFeed()
    let context = workspace.context(
      for: .program,
      asking: confirmations.asker(
        .init(operation.name, in: workspace.name, arguments),
        call.request.headers[.confirmation]), feed, door: .http, caller: call.caller)
    let begun = ContinuousClock.now
    @Sendable func work() async -> OperationOutcome {
      let outcome = await operation.run(arguments, context)
      figures.count(operation, outcome, begun.duration(to: .now))
      return outcome
    }
    guard call.wantsEvents else {
      var response = try response(await call.unlessAbandoned(work))
      // Whoever listened for the client's end has read what came after the call.
      response.headers[.connection] = "close"
      return response
    }
    let id = call.id
    return HTTPEvents.response(call) { send in await events(of: work, feed, begun, id, send) }
  }

  /// How far it is, and last the answer or why there is none.
  private func events(
    of work: @escaping @Sendable () async -> OperationOutcome, _ feed: ProgressFeed,
    _ begun: ContinuousClock.Instant, _ id: String,
    _ send: @escaping @Sendable (ByteBuffer) -> Void
  ) async {
    let done = Latch()
    async let telling: Void = done.cancelling {
      await HTTPEvents.follow(feed, since: begun, send)
    }
    let outcome = await work()
    done.open()
    await telling
    do {
      send(HTTPEvents.event("answer", try answer(outcome).json ?? Data("null".utf8)))
    } catch {
      send(HTTPEvents.event("problem", error.json(id: id).data))
    }
  }

  private func response(_ outcome: OperationOutcome) throws(HTTPProblem) -> Response {
    let answer = try answer(outcome)
    return .json(answer.json ?? Data("null".utf8), status: answer.isRefused ? .forbidden : .ok)
  }

  private func answer(_ outcome: OperationOutcome) throws(HTTPProblem) -> OperationAnswer {
    switch outcome {
    case .done(let answer):
      if let error = answer.error {
        throw HTTPProblem(error, isMalformed: answer.isMalformed, retryAfter: queue.retryAfter)
      }
      return answer
    case .mustAsk(let asked): throw HTTPConfirmations.problem(asked)
    }
  }
}

import FoundationEssentials
import ProctorEngine
import ProctorModel

/// One operation of the contract as any door offers it: a name, typed arguments, an answer by a published schema.
///
/// Doors only translate: what an operation does is here, and what it does it with is the engine.
struct Operation: Sendable {
  /// What a caller may expect of it.
  struct Hints: Sendable {
    /// It changes nothing that outlasts it.
    var isReadOnly = true
    var isDestructive = false
    var isIdempotent = true
    /// It reaches out of this machine.
    var isOpenWorld = false
  }

  /// When a call counts as work that goes on, of which there is only so much at a time.
  enum Work: Sendable {
    case never
    case whileCalled
    /// As long as the run goes on that it starts, which has its own place.
    case whileRunning
  }

  typealias Body =
    @Sendable (Arguments, OperationContext) async throws(EngineError) -> OperationOutcome

  let name: String
  let title: String
  /// For whoever decides whether to call it.
  let description: String
  /// Of its answers: a name in `docs/schema`.
  let schema: String
  let hints: Hints
  let route: HTTPRoute?
  let work: Work
  /// The user may be asked first.
  let asks: Bool
  let parameters: [Parameter]
  /// The answer that says why there is none.
  let failed: @Sendable (EngineError) -> OperationAnswer
  let body: Body

  init(
    _ name: String, title: String, _ description: String, schema: String, hints: Hints = Hints(),
    route: HTTPRoute?, work: Work = .whileCalled, asks: Bool = false, _ parameters: [Parameter],
    failed: @escaping @Sendable (EngineError) -> OperationAnswer,
    body: @escaping Body
  ) {
    self.name = name
    self.title = title
    self.description = description
    self.schema = schema
    self.hints = hints
    self.route = route
    self.work = work
    self.asks = asks
    self.parameters = parameters + [.reason]
    self.failed = failed
    self.body = body
  }

  /// Every operation, in the order of the contract.
  static let all: [Operation] = [
    .runAllTests, .runTest, .getRun, .listTests, .executeFunction, .benchmark, .executeCode,
    .validateCode, .verifyPatch, .gate, .ingestReports, .sandboxStatus,
  ]

  /// The JSON Schema of its arguments.
  var inputSchema: JSONValue {
    [
      "type": "object", "properties": .object(parameters.map { ($0.name, $0.schema) }),
      "required": .array(parameters.filter(\.isRequired).map { .string($0.name) }),
      "additionalProperties": false,
    ]
  }

  /// Does it, on record.
  /// - Parameter given: its arguments; nil for none.
  func run(_ given: JSONFields?, _ context: OperationContext) async -> OperationOutcome {
    do {
      let call = try context.begin(self, given)
      var context = context
      context.call = call
      let outcome = await outcome(given, context)
      call.end(outcome)
      return outcome
    } catch {
      return .done(answer(to: error))
    }
  }

  private func outcome(
    _ given: JSONFields?, _ context: OperationContext
  ) async -> OperationOutcome {
    let arguments: Arguments
    do {
      arguments = try Arguments(given, for: parameters)
    } catch {
      return .done(answer(to: error, isMalformed: true))
    }
    do {
      var context = context
      context.ticket = work == .whileCalled ? try context.queue.ticket() : nil
      defer { context.ticket?.end() }
      await context.ticket?.begin()
      let outcome = try await body(arguments, context)
      guard case .done(let answer) = outcome else { return outcome }
      return .done(answer.relative(to: context.workspace))
    } catch {
      return .done(answer(to: error))
    }
  }

  private func answer(to error: EngineError, isMalformed: Bool = false) -> OperationAnswer {
    var answer = failed(error)
    (answer.error, answer.isMalformed) = (error, isMalformed)
    return answer
  }
}

/// How a call of an operation ended.
enum OperationOutcome: Sendable {
  case done(OperationAnswer)
  /// The user is asked, and the call must be made again.
  case mustAsk(Asked)

  struct Asked: Sendable {
    let question: ConfirmationQuestion
    /// What the call comes back with.
    let token: String
  }
}

/// What an operation answers.
struct OperationAnswer: Sendable {
  struct Picture: Sendable {
    let data: Data
    let mediaType: String
  }

  /// By the operation's schema, on one line; nil where it has no words for that.
  let json: Data?
  /// The same for a model to read.
  private(set) var text: String
  /// Nothing was done: the call was wrong, not allowed, or this machine cannot do it.
  let isError: Bool
  /// What was started goes on: the call is not over with this answer.
  let goesOn: Bool
  /// Why there is no other answer; nil where the operation itself answered.
  fileprivate(set) var error: EngineError?
  /// The arguments are not what the operation takes.
  fileprivate(set) var isMalformed = false
  /// The user did not allow it, or nobody could be asked.
  private(set) var isRefused = false
  let pictures: [Picture]

  init(
    json: Data?, text: String, isError: Bool = false, goesOn: Bool = false,
    pictures: [Picture] = []
  ) {
    self.json = json.map(JSONText.compacted)
    self.text = text
    self.isError = isError
    self.goesOn = goesOn
    self.pictures = pictures
  }

  var markedRefused: OperationAnswer {
    var answer = self
    answer.isRefused = true
    return answer
  }

  /// The same for equal workspaces, wherever they are.
  func relative(to workspace: String) -> OperationAnswer {
    var answer = self
    answer.text = text.replacing("\(workspace)/", with: "")
    return answer
  }
}

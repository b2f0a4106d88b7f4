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

  typealias Body =
    @Sendable (Arguments, OperationContext) async throws(EngineError) -> OperationOutcome

  let name: String
  let title: String
  /// For whoever decides whether to call it.
  let description: String
  /// Of its answers: a name in `docs/schema`.
  let schema: String
  let hints: Hints
  let parameters: [Parameter]
  /// The answer that says why there is none.
  let failed: @Sendable (EngineError) -> OperationAnswer
  let body: Body

  init(
    _ name: String, title: String, _ description: String, schema: String, hints: Hints = Hints(),
    _ parameters: [Parameter], failed: @escaping @Sendable (EngineError) -> OperationAnswer,
    body: @escaping Body
  ) {
    self.name = name
    self.title = title
    self.description = description
    self.schema = schema
    self.hints = hints
    self.parameters = parameters + [.reason]
    self.failed = failed
    self.body = body
  }

  /// Every operation, in the order of the contract.
  static let all: [Operation] = [
    .runAllTests, .runTest, .getRun, .listTests, .executeFunction, .benchmark, .executeCode,
    .validateCode, .verifyPatch, .sandboxStatus,
  ]

  /// The JSON Schema of its arguments.
  var inputSchema: JSONValue {
    [
      "type": "object", "properties": .object(parameters.map { ($0.name, $0.schema) }),
      "required": .array(parameters.filter(\.isRequired).map { .string($0.name) }),
      "additionalProperties": false,
    ]
  }

  /// Does it.
  /// - Parameter arguments: a JSON object; nil for none.
  func run(_ arguments: JSONFields?, _ context: OperationContext) async -> OperationOutcome {
    do {
      let outcome = try await body(Arguments(arguments, for: parameters), context)
      guard case .done(let answer) = outcome else { return outcome }
      return .done(answer.relative(to: context.workspace))
    } catch {
      return .done(failed(error))
    }
  }
}

/// How a call of an operation ended.
enum OperationOutcome: Sendable {
  case done(OperationAnswer)
  /// The door must ask the user and make the call again.
  case mustAsk(ConfirmationQuestion)
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
  let pictures: [Picture]

  init(json: Data?, text: String, isError: Bool = false, pictures: [Picture] = []) {
    self.json = json.map(JSONText.compacted)
    self.text = text
    self.isError = isError
    self.pictures = pictures
  }

  /// The same for equal workspaces, wherever they are.
  func relative(to workspace: String) -> OperationAnswer {
    var answer = self
    answer.text = text.replacing("\(workspace)/", with: "")
    return answer
  }
}

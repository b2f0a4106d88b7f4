import FoundationEssentials
import ProctorEngine
import ProctorFormats
import ProctorModel

extension Parameter {
  private static let path = Parameter(
    "path", .string, "The file that defines it, in the workspace.", isRequired: true)
  private static let function = Parameter(
    "function_name", .string,
    "The function; with its type: Type.method, in Rust Type::function, in Swift also add(_:to:).",
    isRequired: true)
  private static let arguments = Parameter(
    "args", .json,
    "The arguments: a JSON array, or an object of named ones (Python, Swift). Default: none.")
  static let timeout = Parameter(
    "timeout", .seconds(upTo: 86_400),
    "Wall-clock seconds. Default: default_timeout_seconds in proctor.toml, else 5.")
  static let language = Parameter(
    "language", .string, "python, javascript, typescript, rust or swift.", isRequired: true)

  /// What calls of a function take.
  static let call = [path, function, arguments]
}

extension Operation.Hints {
  /// Runs code of anybody's, held by the sandbox; what it does may differ each time.
  static let runsCode = Operation.Hints(
    isReadOnly: false, isDestructive: false, isIdempotent: false, isOpenWorld: false)
}

extension Operation {
  /// Bytes of what was printed, in an answer.
  private static let outputKept = 3000

  static let executeFunction = Operation(
    "execute_function", title: "Call one function",
    "Calls one function of a file (Python, JavaScript, TypeScript, Rust, Swift) with JSON arguments in a sandbox and gives its result, or why there is none. The user may be asked first.",
    schema: "execute_function", hints: .runsCode, route: .post("functions/execute"), asks: true,
    Parameter.call + [.timeout],
    failed: { answer(FunctionAnswer($0.functionFailure)) },
    body: { arguments, context throws(EngineError) in
      try await calling(arguments, context) { engine, call throws(EngineError) in
        answer(
          try await engine.execute(
            call.function, of: call.path, arguments: call.arguments, base: context.workspace,
            progress: context.progress()), for: context.reader)
      } refused: {
        answer(FunctionAnswer($0))
      }
    })

  /// Does something with a function, when the user does not object.
  private static func calling(
    _ arguments: Arguments, _ context: OperationContext,
    _ body: (Engine, FunctionArguments) async throws(EngineError) -> OperationAnswer,
    refused: (FunctionFailure) -> OperationAnswer
  ) async throws(EngineError) -> OperationOutcome {
    let engine = try context.engine(timeout: arguments.seconds("timeout"))
    let call = FunctionArguments(arguments)
    let objection = await context.objection(
      {
        await engine.question(
          calling: call.function, of: call.path, arguments: call.arguments, base: context.workspace)
      }, refused: refused)
    if let objection { return objection }
    return .done(try await body(engine, call))
  }

  private static func answer(
    _ answer: FunctionAnswer, for reader: OperationContext.Reader = .model
  ) -> OperationAnswer {
    OperationAnswer(
      json: ContractJSON.function(reader == .model ? answer.brief : answer),
      text: AgentReport.text(answer),
      isError: answer.failure?.saysNothingOfTheCode ?? false)
  }

  static let benchmark = Operation(
    "benchmark", title: "Time one function",
    "Times one function inside its process, after a warm-up, in a sandbox. It ends by itself before its time limit. The user may be asked first.",
    schema: "benchmark", hints: .runsCode, route: .post("functions/benchmark"), asks: true,
    Parameter.call + [
      Parameter("iterations", .integer(1...1_000_000_000), "Timed calls. Default: 1000."), .timeout,
    ], failed: { answer(BenchmarkAnswer($0.functionFailure)) },
    body: { arguments, context throws(EngineError) in
      try await calling(arguments, context) { engine, call throws(EngineError) in
        answer(
          try await engine.benchmark(
            call.function, of: call.path, arguments: call.arguments,
            iterations: arguments.integer("iterations"), base: context.workspace,
            progress: context.progress()), for: context.reader)
      } refused: {
        answer(BenchmarkAnswer($0))
      }
    })

  private static func answer(
    _ answer: BenchmarkAnswer, for reader: OperationContext.Reader = .model
  ) -> OperationAnswer {
    OperationAnswer(
      json: reader == .model
        ? ContractJSON.benchmark(answer, output: outputKept) : ContractJSON.benchmark(answer),
      text: answer.failure == nil
        ? TextSummary.render(answer, style: .plain) : AgentReport.text(answer.call),
      isError: answer.failure?.saysNothingOfTheCode ?? false)
  }

  static let executeCode = Operation(
    "execute_code", title: "Run a piece of code",
    "Runs a piece of code in an empty folder of its own, in a sandbox, with the packages of the workspace. What it prints, the value of its last expression (Python, JavaScript), figures of matplotlib and files written to output/ come back. The user may be asked first.",
    schema: "execute_code", hints: .runsCode, route: .post("sandbox/execute"), asks: true,
    [.language, Parameter("code", .string, "The code itself.", isRequired: true), .timeout],
    failed: { answer(CodeAnswer($0.functionFailure)) },
    body: { arguments, context throws(EngineError) in
      let engine = try context.engine(timeout: arguments.seconds("timeout"))
      let request = CodeRequest(
        language: arguments.string("language") ?? "",
        source: Data((arguments.string("code") ?? "").utf8))
      let objection = await context.objection {
        await engine.question(running: request)
      } refused: {
        answer(CodeAnswer($0))
      }
      if let objection { return objection }
      return .done(
        answer(
          try await engine.evaluate(request, progress: context.progress()), for: context.reader))
    })

  private static func answer(
    _ answer: CodeAnswer, for reader: OperationContext.Reader = .model
  ) -> OperationAnswer {
    let pictures = answer.pictures.list.compactMap { picture in
      picture.content.map { OperationAnswer.Picture(data: $0, mediaType: "image/png") }
    }
    let brief = answer.brief
    return OperationAnswer(
      json: ContractJSON.code(reader == .model ? brief : answer), text: AgentReport.text(brief),
      isError: answer.call.failure?.saysNothingOfTheCode ?? false, pictures: pictures)
  }

  static let validateCode = Operation(
    "validate_code", title: "Judge code, nothing run",
    "Judges a file, a folder or a piece of code by its syntax tree, without running it: what it could do that matters, and a risk from 0 to 100. Give either path or code.",
    schema: "validate_code", route: .post("sandbox/validate"),
    [
      Parameter("path", .string, "A file or folder of the workspace."),
      Parameter("code", .string, "The code itself; needs language."),
      Parameter("language", .string, "python, javascript, typescript, rust or swift."),
    ],
    failed: {
      OperationAnswer(
        json: ContractJSON.validation(failure: $0.sentences), text: RunAnswer.text($0),
        isError: true)
    },
    body: { arguments, context throws(EngineError) in
      let subject = try subject(arguments, context.workspace)
      let engine = try context.engine()
      let answer =
        try await context.reader == .model
        ? engine.validate(subject, most: 25) : engine.validate(subject)
      return .done(
        OperationAnswer(json: ContractJSON.validation(answer), text: AgentReport.text(answer)))
    })

  private static func subject(
    _ arguments: Arguments, _ workspace: String
  ) throws(EngineError) -> ValidationSubject {
    let language = arguments.string("language")
    switch (arguments.string("path"), arguments.string("code"), language) {
    case (let path?, nil, _): return .path(path, base: workspace, language: language)
    case (nil, let code?, let language?): return .code(Data(code.utf8), language: language)
    default:
      throw EngineError(
        .usage, "either path is wanted, or code and language",
        resolution: "Give path for a file of the workspace, or code and language.")
    }
  }
}

/// Which function a call is about.
private struct FunctionArguments {
  let path: String
  let function: String
  /// JSON text, as it was sent.
  let arguments: String

  init(_ arguments: Arguments) {
    path = arguments.string("path") ?? ""
    function = arguments.string("function_name") ?? ""
    self.arguments = arguments.text("args") ?? "[]"
  }
}

extension FunctionFailure {
  /// Nothing of the code ran: the call was wrong, not allowed, or this machine cannot do it.
  fileprivate var saysNothingOfTheCode: Bool {
    switch kind {
    case .badArguments, .notFound, .refused, .sandbox, .interrupted: true
    case .build, .runtime, .timeout, .cpuLimit, .memoryLimit, .outputLimit, .processLimit,
      .permissionDenied, .crashed, .unserializable:
      false
    }
  }
}

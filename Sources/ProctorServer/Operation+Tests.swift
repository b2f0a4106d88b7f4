import FoundationEssentials
import ProctorEngine
import ProctorFormats
import ProctorModel

extension Parameter {
  static let filter = Parameter(
    "filter", .string, "Only tests whose full name matches this regex (PCRE2, anywhere).")
  static let patch = Parameter(
    "patch", .string,
    "A unified diff (as git diff writes it). It is applied to a private copy, which is used; the files on disk stay."
  )
  static let testTimeout = Parameter(
    "test_timeout", .seconds(upTo: 86_400),
    "Wall-clock seconds for each test; one that takes longer is named with the line where it hung, the others still run."
  )
  static let retries = Parameter(
    "retries", .integer(0...100),
    "Run failed tests again, exactly those, up to so often. A test that then passes is reported as flaky."
  )
  static let flaky = Parameter(
    "flaky", .choice(FlakyPolicy.allCases.map(\.rawValue)),
    "What a flaky test means: fail (the run is not green), warn or pass. It is listed in any case.")
  static let repetitions = Parameter(
    "repeat", .integer(1...10_000), "Run the tests so often; each must pass each time.")
  static let wait = Parameter(
    "wait_seconds", .seconds(upTo: 3600),
    "How long to wait for the end. When the run goes on for longer, the answer has status \"running\" and a handle for get_run. Default: 45 for models, an hour over HTTP."
  )
}

extension Operation.Hints {
  /// Runs code of the workspace, which may change what its settings let it change.
  static let runsTests = Operation.Hints(isReadOnly: false, isIdempotent: false)
}

extension Operation {
  static let runAllTests = Operation(
    "run_all_tests", title: "Run all tests",
    "Runs the tests of every runner in the workspace (pytest, jest, cargo test, swift test and more) in a sandbox and gives one verdict: what failed, where, and why, equal causes once. What did not run is never reported as passed.",
    schema: "run_all_tests", hints: .runsTests, route: .post("tests/run_all"), work: .whileRunning,
    [.filter, .patch, .testTimeout, .retries, .flaky, .repetitions, .wait],
    failed: { RunAnswer.failed(.all, $0) },
    body: { arguments, context throws(EngineError) in
      let pattern = arguments.string("filter")
      let selector: TestSelector =
        if let pattern { .matching(try Pattern(pattern)) } else { .everything }
      return try await run(.all, arguments, context) { _ throws(EngineError) in selector }
    })

  static let runTest = Operation(
    "run_test", title: "Run a test, or a file's tests",
    "Runs one test, or those of a file or folder, in a sandbox. Use it after a change to the code they test.",
    schema: "run_test", hints: .runsTests, route: .post("tests/run"), work: .whileRunning,
    [
      Parameter(
        "path", .string, "A file or folder of the workspace, or the id of a test.",
        isRequired: true),
      Parameter(
        "test_name", .string, "The test: its id, its full name, or the last part of its name."),
      .patch, .testTimeout, .retries, .flaky, .repetitions, .wait,
    ], failed: { RunAnswer.failed(.some, $0) },
    body: { arguments, context throws(EngineError) in
      let (path, name) = (arguments.string("path") ?? "", arguments.string("test_name"))
      return try await run(.some, arguments, context) { engine throws(EngineError) in
        try engine.selector(path: path, name: name, base: context.workspace)
      }
    })

  /// Starts a run and waits for it, so long as the caller has time; without a caller it is stopped.
  private static func run(
    _ kind: Run.Kind, _ arguments: Arguments, _ context: OperationContext,
    _ selector: @escaping @Sendable (Engine) throws(EngineError) -> TestSelector
  ) async throws(EngineError) -> OperationOutcome {
    var context = context
    context.options.testTimeoutSeconds = arguments.seconds("test_timeout")
    context.options.retries = arguments.integer("retries")
    context.options.flaky = arguments.string("flaky").flatMap(FlakyPolicy.init)
    context.options.repetition = arguments.integer("repeat").map {
      Repetition(most: $0, untilFailure: false)
    }
    if context.options.repetition != nil, context.options.retries ?? 0 > 0 {
      throw EngineError(
        .usage, "retries forgives a failure and repeat looks for one",
        resolution: "Use one of the two.")
    }
    let engine = try context.engine()
    let patch = arguments.string("patch").map { Candidate.patch(name: "patch", Data($0.utf8)) }
    // What is wrong with the call is said before anything starts.
    if patch == nil { _ = try selector(engine) }
    let selection = ["filter", "path", "test_name"].map { arguments.string($0) ?? "" }
    let run = context.runs.start(
      kind, of: "\(kind.rawValue) \(selection)", isOfWorkspace: patch == nil,
      try context.queue.ticket(),
      keep: { [context] report, named in
        await context.keep(report, kind, selection.filter { !$0.isEmpty }, named: named)
      },
      body: { [context] progress throws(EngineError) in
        try await context.ending { () throws(EngineError) in
          guard let patch else { return try await engine.run(selector(engine), progress: progress) }
          return try await engine.withCandidate(patch) { engine, change throws(EngineError) in
            var report = try await engine.run(selector(engine), progress: progress)
            report.change = change
            return report
          }
        }
      })
    context.feed.follow(run.progress)
    let seconds = arguments.seconds("wait_seconds") ?? context.reader.patience
    let answer = RunAnswer(run: run, workspace: context.workspace, reader: context.reader)
    return .done(
      await withTaskCancellationHandler {
        answer.answer(await run.wait(seconds: seconds))
      } onCancel: {
        run.stopped.open()
      })
  }

  static let getRun = Operation(
    "get_run", title: "Wait for a run, or read on in it",
    "Waits for a run that another tool started, or shows more of one that is over: its failures, errors, tests or output, page by page.",
    schema: "get_run", hints: .runsTests, route: nil, work: .never,
    [
      Parameter("run", .string, "The handle, such as run-1.", isRequired: true),
      Parameter(
        "section", .choice(RunPage.Section.allCases.map(\.rawValue)),
        "What to show of a run that is over; nothing for its summary."),
      Parameter(
        "offset", .integer(0...Int(Int32.max)), "Where to go on: next_offset of the page before."),
      .wait,
      Parameter("stop", .boolean, "End the run now."),
    ], failed: { RunAnswer.failed($0, run: nil) },
    body: { arguments, context throws(EngineError) in
      let id = arguments.string("run") ?? ""
      guard let run = context.runs[id] else {
        let known = context.runs.all.map(\.id)
        throw EngineError(
          .usage, "there is no run \(id.prefix(40))",
          resolution: known.isEmpty
            ? "Start one with run_all_tests or run_test."
            : "The runs of this session are \(known.joined(separator: ", ")).")
      }
      context.feed.follow(run.progress)
      if arguments.bool("stop") { run.stopped.open() }
      let outcome = await run.wait(
        seconds: arguments.seconds("wait_seconds") ?? context.reader.patience)
      return .done(
        RunAnswer(run: run, workspace: context.workspace, reader: context.reader).page(
          outcome, arguments.string("section").flatMap(RunPage.Section.init),
          from: arguments.integer("offset") ?? 0))
    })

  static let listTests = Operation(
    "list_tests", title: "List tests",
    "Lists the tests of the workspace and runs none; builds what must be built to know them.",
    schema: "list_tests", hints: .runsTests, route: .get("tests"),
    [
      .filter,
      Parameter(
        "offset", .integer(0...Int(Int32.max)), "Where to go on: next_offset of the page before."),
    ],
    failed: { error in
      let listing = error.listing
      return OperationAnswer(
        json: ContractJSON.list(listing),
        text: AgentReport.text(listing, from: 0, next: nil, workspace: ""), isError: true)
    },
    body: { arguments, context throws(EngineError) in
      let pattern = arguments.string("filter")
      let selector: TestSelector =
        if let pattern { .matching(try Pattern(pattern)) } else { .everything }
      let progress = context.progress()
      let listing = try await context.engine().list(selector, progress: progress)
      guard context.reader == .model else {
        return .done(
          OperationAnswer(
            json: ContractJSON.list(listing), text: TextSummary.render(listing, style: .plain)))
      }
      let offset = min(arguments.integer("offset") ?? 0, listing.tests.count)
      let (json, next) = ContractJSON.list(listing, from: offset)
      return .done(
        OperationAnswer(
          json: json,
          text: AgentReport.text(listing, from: offset, next: next, workspace: context.workspace)))
    })
}

/// What is said of a run, over or not.
struct RunAnswer {
  let run: Run
  let workspace: String
  let reader: OperationContext.Reader

  /// By the schema of the tool that started it.
  /// - Parameter outcome: nil while it goes on.
  func answer(_ outcome: Run.Outcome?) -> OperationAnswer {
    switch outcome {
    case nil:
      let json =
        run.kind == .all ? ContractJSON.runAllTests(run.state) : ContractJSON.runTest(run.state)
      return OperationAnswer(json: json, text: goesOn, goesOn: true)
    case .success(let (report, since)):
      let bounds = AgentBounds(run: run.id, since: since, tokens: reader.tokens)
      let json =
        run.kind == .all
        ? ContractJSON.runAllTests(report, within: bounds)
        : ContractJSON.runTest(report, within: bounds)
      let agent = AgentReport(report, run: run.id, since: since, workspace: workspace)
      return OperationAnswer(json: json, text: agent.text())
    case .failure(let error): return Self.failed(run.kind, error)
    }
  }

  /// By the schema of `get_run`.
  /// - Parameter section: nil for the summary.
  func page(
    _ outcome: Run.Outcome?, _ section: RunPage.Section?, from offset: Int
  ) -> OperationAnswer {
    let tool = run.kind.rawValue
    switch outcome {
    case nil:
      return OperationAnswer(json: ContractJSON.getRun(run.state, tool: tool), text: goesOn)
    case .success(let (report, since)):
      let page =
        if let section {
          RunPage(
            section, of: report, run: run.id, tool: tool, from: offset, workspace: workspace)
        } else {
          RunPage(
            summaryOf: report, run: run.id, tool: tool, since: since, workspace: workspace)
        }
      return OperationAnswer(json: page.json, text: page.text)
    case .failure(let error): return Self.failed(error, run: run.id)
    }
  }

  static func failed(_ kind: Run.Kind, _ error: EngineError) -> OperationAnswer {
    let report = error.report
    let json =
      kind == .all
      ? ContractJSON.runAllTests(report, details: false) : ContractJSON.runTest(report)
    return OperationAnswer(json: json, text: text(error), isError: true)
  }

  /// By the schema of `get_run`.
  static func failed(_ error: EngineError, run: String?) -> OperationAnswer {
    OperationAnswer(
      json: ContractJSON.getRun(failed: error.report, run: run), text: text(error), isError: true)
  }

  static func text(_ error: EngineError) -> String {
    TextSummary.lines("\(error.message)\n\(error.resolution)\n")
  }

  private var goesOn: String {
    "RUNNING: \(run.progress.now.sentence). Wait on with get_run {\"run\": \"\(run.id)\"}.\n"
  }
}

extension Run {
  /// How far it is.
  var state: RunningState {
    let now = progress.now
    return RunningState(
      run: id, message: "\(now.sentence); get_run with run \(id) waits on",
      passed: now.passed, failed: now.failed, skipped: now.skipped, durationMS: ageMS)
  }
}

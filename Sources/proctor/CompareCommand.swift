import ArgumentParser
import FoundationEssentials
import Glibc
import ProctorAudit
import ProctorEngine
import ProctorFormats
import ProctorModel

struct Compare: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Run the same tests on several patches or revisions, and rank them.",
    discussion: """
      Each candidate gets a private copy and a sandbox of its own; the tree on disk is not touched. What passed in the \
      workspace and does not with a candidate is a regression, also when the test is skipped or gone. A candidate \
      that touches tests ranks below an otherwise equal one.

      With --bench functions of candidates that pass are timed in turns with the workspace's, as bench --baseline does; \
      the faster of two candidates that are otherwise equal ranks first.

      EXAMPLES
        proctor compare one.diff two.diff
        proctor compare HEAD~1 feature/login fix.diff --filter auth
        proctor compare *.diff --format markdown > comparison.md
        proctor compare *.diff --bench 'src/primes.py:first_primes:[400]' --bench src/lib.rs:Shop::total

      EXIT STATUS
        0 a candidate passes without regressions · 1 none does · 2 wrong usage · 5 no verdict · 7 no sandbox
        8 not confirmed · 130 interrupted
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case json, text, markdown
  }

  @Argument(help: "A patch file (- for standard input), or a revision of the repository.")
  var candidates: [String]

  @Option(
    help: ArgumentHelp("Only tests whose full name matches (PCRE2, anywhere).", valueName: "regex"))
  var filter: String?

  @Option(name: .shortAndLong, help: ArgumentHelp("The workspace.", valueName: "dir"))
  var workspace = "."

  @Option(help: "json (documented by a schema), text or markdown.")
  var format = Format.text

  @Option(help: ArgumentHelp("Wall-clock limit for each test.", valueName: "seconds"))
  var testTimeout: Double?

  @Option(
    help: ArgumentHelp(
      "Time a function, too, its arguments as a JSON array or object. Can be given several times.",
      valueName: "file:function[:arguments]"))
  var bench: [String] = []

  @Flag(help: "Answer confirmations ahead: --bench calls single functions.")
  var yes = false

  @Option(
    help: ArgumentHelp("Why, for the audit trail (proctor audit).", valueName: "text"))
  var reason: String?

  @OptionGroup var run: RunOptions

  func validate() throws {
    try checkSeconds(testTimeout, of: "--test-timeout")
    if Set(candidates).count < candidates.count {
      throw ValidationError("A candidate is named twice.")
    }
    if Set(bench).count < bench.count { throw ValidationError("A benchmark is named twice.") }
    if let wrong = bench.first(where: { BenchmarkRequest($0) == nil }) {
      throw ValidationError(
        "--bench \(wrong) is not FILE:FUNCTION or FILE:FUNCTION:ARGUMENTS, such as 'a.py:add:[1, 2]'."
      )
    }
  }

  func run() async throws {
    let screen = Screen(format == .json ? .json : .text)
    let format = format
    var options = run.engineOptions
    options.testTimeoutSeconds = testTimeout
    let settled = options
    let chosen = await Answer.result { () throws(EngineError) in try read() }
    let command = call(chosen, settled)
    let begun = await Answer.result { () throws(EngineError) in try command.begin() }
    let result = await Interruption.cancelling {
      await Answer.result { () async throws(EngineError) in
        try await compare(chosen.get(), settled, begun.get(), screen.progress)
      }
    }
    let exit = exit(result)
    if case .success(let call) = begun {
      call.end(outcome(result, exit), exitCode: Int(exit.rawValue))
    }
    switch result {
    case .success(.failure(let refused)): Console.error("proctor: \(refused.message)")
    case .success(.success(let comparison)): Console.write(render(comparison, format))
    case .failure(let error): Console.error("proctor: \(error.message)\n\(error.resolution)")
    }
    throw exit.code
  }

  private typealias Compared = Result<Result<Comparison, FunctionFailure>, EngineError>

  private func exit(_ result: Compared) -> ProctorExit {
    switch result {
    case .success(.failure(let refused)): ProctorExit(refused)
    case .success(.success(let comparison)): ProctorExit(comparison)
    case .failure(let error): ProctorExit(error)
    }
  }

  // MARK: the audit trail

  private func call(
    _ candidates: Result<[Candidate], EngineError>, _ options: EngineOptions
  ) -> CommandCall {
    var call = CommandCall("compare", in: workspace, reason: reason, yes: yes, options)
    call.arguments.add("candidates", self.candidates)
    let patches = ((try? candidates.get()) ?? []).compactMap { candidate -> String? in
      guard case .patch(_, let data) = candidate else { return nil }
      return String(decoding: data, as: UTF8.self)
    }
    call.arguments.add("patch", patches)
    call.arguments.add("filter", filter)
    call.arguments.add("bench", bench)
    call.arguments.add("test_timeout", testTimeout)
    call.arguments.add("fetch", flag: run.fetch)
    return call
  }

  private func outcome(_ result: Compared, _ exit: ProctorExit) -> AuditOutcome {
    let status = AuditOutcome.word(exit: exit.rawValue)
    return switch result {
    case .success(.success(let comparison)):
      AuditOutcome(answer: ContractJSON.compare(comparison), status: status)
    case .success(.failure(let failure)):
      AuditOutcome(answer: ContractJSON.function(FunctionAnswer(failure)), status: status)
    case .failure(let error):
      AuditOutcome(
        answer: ContractJSON.runAllTests(error.report, details: false), status: status)
    }
  }

  /// The candidates, patches as they are now.
  private func read() throws(EngineError) -> [Candidate] {
    var chosen: [Candidate] = []
    for name in candidates {
      let isFile = name == "-" || FileManager.default.fileExists(atPath: name)
      chosen.append(isFile ? try .patch(at: name) : .revision(name))
    }
    return chosen
  }

  private func compare(
    _ chosen: [Candidate], _ options: EngineOptions, _ call: AuditedCall,
    _ progress: @escaping @Sendable (Progress) -> Void
  ) async throws(EngineError) -> Result<Comparison, FunctionFailure> {
    let engine = try Engine(workspace: workspace, options: options)
    let requests = bench.compactMap(BenchmarkRequest.init)
    if yes, !requests.isEmpty { call.confirmed(AuditConfirmation(.allowedAhead)) }
    for request in requests where !yes {
      let refused = await Confirmation.refusal(
        of: request.function, in: request.path, request.arguments, engine, call)
      if let refused { return .failure(refused) }
    }
    let selector: TestSelector =
      if let filter { .matching(try Pattern(filter)) } else { .everything }
    return .success(
      try await engine.compare(
        chosen, selector, timing: requests, base: FileManager.default.currentDirectoryPath,
        progress: progress))
  }

  private func render(_ comparison: Comparison, _ format: Format) -> Data {
    let table = ComparisonTable(comparison)
    switch format {
    case .json: return ContractJSON.compare(comparison)
    case .markdown: return Data(table.markdown().utf8)
    case .text:
      let style: TextStyle = Console.wantsColour(STDOUT_FILENO) ? .ansi : .plain
      return Data(table.text(style: style).utf8)
    }
  }
}

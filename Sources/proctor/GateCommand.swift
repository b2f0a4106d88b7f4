import ArgumentParser
import FoundationEssentials
import Glibc
import ProctorAudit
import ProctorEngine
import ProctorFormats
import ProctorModel
import ProctorServer

struct GateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gate",
    abstract: "May this change be merged? What became of each test between base and head.",
    discussion: """
      Head is the working tree; base is where its line began (the merge base with the branch that it is to be merged \
      into). Base's results are those of a report, of the workspace's history, or of a run in a private copy. The policy \
      is [gate] of base's proctor.toml: a change does not loosen the gate that judges it.

      EXAMPLES
        proctor gate
        proctor gate --base origin/release --comment gate.md
        proctor gate --head feature/login --base main
        proctor gate --head-report head.json --base-report base.json --format markdown
        proctor gate --format json --details > gate.json

      EXIT STATUS
        0 it may be merged · 1 it is blocked · 2 wrong usage, or no base · 5 no verdict · 7 no sandbox
        130 interrupted
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case json, text, live, markdown
  }

  @Argument(help: "The workspace.")
  var directory = "."

  @Option(
    help: ArgumentHelp(
      "What it is to be merged into. Default: the branch that CI names, else the main one.",
      valueName: "revision"))
  var base: String?

  @Option(
    help: ArgumentHelp(
      "Base's results: an answer of proctor run --format json --details.", valueName: "file"))
  var baseReport: String?

  @Option(
    help: ArgumentHelp("Judge a revision instead of the working tree.", valueName: "revision"))
  var head: String?

  @Option(help: ArgumentHelp("Head's results, likewise; nothing is run.", valueName: "file"))
  var headReport: String?

  @Flag(help: "Run base's tests also where the history knows what became of them.")
  var runBase = false

  @Option(
    help: ArgumentHelp(
      "Write the answer as a Markdown comment, too. The file is replaced.", valueName: "file"))
  var comment: String?

  @Option(help: "json (documented by a schema), text, live or markdown.")
  var format: Format?

  @Flag(help: "In JSON, also list the tests that are as they were.")
  var details = false

  @Option(help: ArgumentHelp("Wall-clock limit for each test.", valueName: "seconds"))
  var testTimeout: Double?

  @Flag(help: "Answer confirmations ahead. Running tests never asks.")
  var yes = false

  @Option(
    help: ArgumentHelp("Why, for the audit trail (proctor audit).", valueName: "text"))
  var reason: String?

  @OptionGroup var run: RunOptions

  func validate() throws {
    try checkSeconds(testTimeout, of: "--test-timeout")
    if runBase, baseReport != nil {
      throw ValidationError("--run-base and --base-report are two answers to one question.")
    }
    if comment?.isEmpty == true { throw ValidationError("--comment takes the name of a file.") }
  }

  private typealias Judged = Result<GateAnswer, EngineError>

  func run() async throws {
    let format = settledFormat
    let screen = Screen(format == .live ? .live : format == .json ? .json : .text)
    var options = run.engineOptions
    options.testTimeoutSeconds = testTimeout
    let settled = options
    let command = call(settled)
    let begun = await Answer.result { () throws(EngineError) in
      try removeOldComment()
      return try command.begin()
    }
    let result = await screen.whileDrawing {
      await Interruption.cancelling {
        await Answer.result { () async throws(EngineError) in
          _ = try begun.get()
          return try await judge(settled, screen.progress)
        }
      }
    }
    let exit = writeComment(result, exit(result))
    if case .success(let call) = begun {
      call.end(
        AuditOutcome(answer: json(result), status: AuditOutcome.word(exit: exit.rawValue)),
        exitCode: Int(exit.rawValue))
    }
    show(result, format)
    throw exit.code
  }

  private var settledFormat: Format {
    format ?? (isatty(STDOUT_FILENO) == 1 && Console.isCapable ? .live : .text)
  }

  private func judge(
    _ options: EngineOptions, _ progress: @escaping @Sendable (Progress) -> Void
  ) async throws(EngineError) -> GateAnswer {
    var request = GateRequest()
    request.head = head
    request.headReport = headReport
    request.base = base
    request.baseReport = baseReport
    request.memory = try GateHistory(
      workspace: directory, options: options, usesRuns: !runBase
    ) { Console.error("proctor: \($0)") }
    return try await Engine(workspace: directory, options: options)
      .gate(request, progress: progress)
  }

  private func call(_ options: EngineOptions) -> CommandCall {
    var call = CommandCall("gate", in: directory, reason: reason, yes: yes, options)
    call.arguments.add("base", base)
    call.arguments.add("base_report", baseReport)
    call.arguments.add("head", head)
    call.arguments.add("head_report", headReport)
    call.arguments.add("run_base", flag: runBase)
    call.arguments.add("comment", comment)
    call.arguments.add("test_timeout", testTimeout)
    call.arguments.add("fetch", flag: run.fetch)
    return call
  }

  // MARK: the answer

  private func exit(_ result: Judged) -> ProctorExit {
    switch result {
    case .success(let answer): ProctorExit(answer)
    case .failure(let error): ProctorExit(error)
    }
  }

  private func json(_ result: Judged) -> Data {
    switch result {
    case .success(let answer): ContractJSON.gate(answer, details: details)
    case .failure(let error): ContractJSON.gate(failed: error.report)
    }
  }

  private func show(_ result: Judged, _ format: Format) {
    switch (result, format) {
    case (_, .json): Console.write(json(result))
    case (.success(let answer), .markdown): Console.write(GateMarkdown(answer).data())
    case (.success(let answer), .text), (.success(let answer), .live):
      let style: TextStyle = Console.wantsColour(STDOUT_FILENO) ? .ansi : .plain
      Console.write(Data(TextSummary.render(answer, style: style).utf8))
    case (.failure, _): break
    }
    if case .failure(let error) = result {
      Console.error("proctor: \(error.message)\n\(error.resolution)")
    }
  }

  // MARK: the comment

  private var commentPath: String? {
    comment.map { $0.hasPrefix("/") ? $0 : "\(FileManager.default.currentDirectoryPath)/\($0)" }
  }

  /// Nobody takes an earlier answer for this one's.
  private func removeOldComment() throws(EngineError) {
    guard let path = commentPath else { return }
    var status = stat()
    guard lstat(path, &status) == 0 else { return }
    guard status.st_mode & S_IFMT == S_IFREG, unlink(path) == 0 else {
      throw EngineError(
        .usage, "\(path) is no file that can be replaced",
        resolution: "Give --comment the name of a new file.")
    }
  }

  /// - Returns: the exit status, which is not green without the comment that was asked for.
  private func writeComment(_ result: Judged, _ exit: ProctorExit) -> ProctorExit {
    guard let path = commentPath, case .success(let answer) = result else { return exit }
    do {
      try AtomicFile.write(GateMarkdown(answer).data(), to: path)
      return exit
    } catch {
      Console.error("proctor: \(error.message)\n\(error.resolution)")
      return exit == .passed ? .noVerdict : exit
    }
  }
}

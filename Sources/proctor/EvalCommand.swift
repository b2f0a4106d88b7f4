import ArgumentParser
import FoundationEssentials
import Glibc
import ProctorAudit
import ProctorEngine
import ProctorFormats
import ProctorModel

struct Eval: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "eval",
    abstract: "Run a piece of code in the sandbox.",
    discussion: """
      Python, JavaScript, TypeScript, Rust and Swift. The piece runs in an empty \
      folder of its own, under the limits of [execution] in proctor.toml, with the packages of the \
      workspace. What it prints, the value of its last expression (Python, JavaScript), figures of \
      matplotlib and files written to output/ come back; nothing else stays.

      EXAMPLES
        proctor eval --language python --code 'sum(range(10))'
        proctor eval plot.py --file data.csv --output results --yes
        generate | proctor eval --language js - --format json --yes
        proctor eval --language rust --code 'println!("{}", 6 * 7)'
        proctor eval count.swift --stdin words.txt --timeout 10

      EXIT STATUS
        0 it came well to its end · 1 it failed · 2 wrong usage · 3 did not build
        5 it came well to its end, but not all of --output could be written
        6 timed out · 7 no sandbox · 8 not confirmed · 130 interrupted
      """)

  @Argument(help: "The file that holds the code; - for stdin.")
  var file: String?

  @Option(
    name: .shortAndLong,
    help: "python, javascript, typescript, rust or swift. Default: by the file's ending.")
  var language: String?

  @Option(help: "The code itself, in place of a file.")
  var code: String?

  @Option(
    help: ArgumentHelp(
      "What the code gets on stdin. Default: proctor's own stdin, where that is no terminal and does not "
        + "hold the code.", valueName: "file"))
  var stdin: String?

  @Option(
    name: .customLong("file"),
    help: ArgumentHelp(
      "A file that the code finds in its working folder; can be repeated.", valueName: "path"))
  var files: [String] = []

  @Option(
    help: ArgumentHelp(
      "Write files and pictures to this folder, which must be new or empty.", valueName: "dir"))
  var output: String?

  @Flag(help: "With --output: also into a folder that holds something; files of the same names go.")
  var force = false

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Whose settings and packages are used.", valueName: "dir"))
  var workspace = "."

  @Option(help: "auto, namespaces, bubblewrap, docker or none.")
  var isolation: Configuration.Isolation?

  @Option(help: ArgumentHelp("Wall-clock limit for the run.", valueName: "seconds"))
  var timeout: Double?

  @OptionGroup var common: CommonOptions

  func validate() throws {
    try checkSeconds(timeout, of: "--timeout")
    guard (file == nil) != (code == nil) else {
      throw ValidationError("Give the code: a file, - for stdin, or --code with the code itself.")
    }
    guard wantedLanguage != nil else {
      throw ValidationError("Name the language: --language python.")
    }
    if force, output == nil { throw ValidationError("--force goes with --output.") }
  }

  /// The word for it, which may be the file's ending.
  private var wantedLanguage: String? {
    if let language { return language }
    let name = file?.split(separator: "/").last ?? ""
    return name.split(separator: ".").dropFirst().last.map(String.init)
  }

  func run() async throws {
    let format = common.settledFormat
    let answer = Answer(
      format: format == .live ? .text : format, kind: .code(folder: output))
    let (yes, output, force, workspace) = (common.yes, output, force, workspace)
    var options = EngineOptions(jobs: 1, environment: ProcessInfo.processInfo.environment)
    options.isolation = isolation
    options.timeoutSeconds = timeout
    let settled = options
    // Read before: what runs is what is on record.
    let asked = await Answer.result { () throws(EngineError) in try request() }
    try await answer.give(call(asked, settled)) { progress, call throws(EngineError) in
      let request = try asked.get()
      let folder = try output.map { path throws(EngineError) in
        try OutputFolder(path, replaces: force)
      }
      let engine = try Engine(workspace: workspace, options: settled)
      if yes {
        call.confirmed(AuditConfirmation(.allowedAhead))
      } else if let question = await engine.question(running: request),
        let refused = Confirmation.refusal(question, call)
      {
        return .code(CodeAnswer(refused))
      }
      let made = try await engine.evaluate(request, progress: progress)
      return .code(folder?.write(made) ?? made)
    }
  }

  private func call(
    _ request: Result<CodeRequest, EngineError>, _ options: EngineOptions
  ) -> CommandCall {
    var call = CommandCall("execute_code", in: workspace, common, options)
    call.arguments.add("language", wantedLanguage)
    call.arguments.add("file", file)
    if case .success(let request) = request {
      call.arguments.add("code", String(decoding: request.source, as: UTF8.self))
    }
    call.arguments.add("files", files)
    call.arguments.add("stdin", stdin)
    call.arguments.add("output", output)
    return call
  }

  // MARK: what is run

  private func request() throws(EngineError) -> CodeRequest {
    var request = CodeRequest(language: wantedLanguage ?? "", source: try source(), path: path)
    for path in files { try request.add(path) }
    request.input = try input()
    return request
  }

  /// nil when the code has no file.
  private var path: String? { file == "-" ? nil : file }

  private func source() throws(EngineError) -> Data {
    if let code { return Data(code.utf8) }
    guard let path else { return try Console.readAll(limit: CodeRequest.sourceLimit) }
    return try CodeRequest.read(path)
  }

  private func input() throws(EngineError) -> Int32? {
    guard let stdin, stdin != "-" else {
      let isTaken = file == "-" || isatty(STDIN_FILENO) == 1
      return isTaken ? nil : STDIN_FILENO
    }
    // Closed when proctor ends: it is read to the last moment of the run.
    let descriptor = open(stdin, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw EngineError(
        .usage, "\(stdin) cannot be read: \(String(cString: strerror(errno)))",
        resolution: "Name a file that is there.")
    }
    return descriptor
  }
}

public import ArgumentParser
import FoundationEssentials
import Glibc
import ProctorAudit
import ProctorEngine
public import ProctorModel

extension RiskLevel: ExpressibleByArgument {}

struct Validate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "validate",
    abstract: "Judge code by its syntax tree, without running it.",
    discussion: """
      Python, JavaScript, TypeScript, Rust and Swift. It is advice: what holds code is the sandbox. \
      Modules are allowed and denied in [validation] of proctor.toml.

      EXAMPLES
        proctor validate src/plugin.py
        proctor validate .                                   every file that git does not ignore
        proctor validate src --fail-at high                  for a gate
        generate | proctor validate - --language python --format json

      EXIT STATUS
        0 judged, whatever the risk · 1 the risk reaches --fail-at · 2 wrong usage, or nothing to judge
        7 no sandbox, or no ast-grep · 130 interrupted
      """)

  @Argument(help: "A file or folder of the workspace, or - for code on standard input.")
  var path: String

  @Option(help: ArgumentHelp("python, javascript, typescript, rust or swift.", valueName: "name"))
  var language: String?

  @Option(help: ArgumentHelp("Exit status 1 from this risk on.", valueName: "level"))
  var failAt: RiskLevel?

  @Option(help: ArgumentHelp("Findings to show; all count for the score.", valueName: "n"))
  var maxFindings = Engine.defaultFindings

  @Option(name: .shortAndLong, help: ArgumentHelp("The workspace.", valueName: "dir"))
  var workspace = "."

  @OptionGroup var common: CommonOptions

  func validate() throws {
    guard (0...100_000).contains(maxFindings) else {
      throw ValidationError("--max-findings takes a number from 0 to 100000.")
    }
    guard path != "-" || language != nil else {
      throw ValidationError("code on standard input needs --language.")
    }
  }

  func run() async throws {
    let format = common.settledFormat
    let answer = Answer(
      format: format == .live ? .text : format, kind: .validation(failAt: failAt))
    var command = CommandCall("validate_code", in: workspace, common)
    let options = command.options
    let (workspace, most) = (workspace, maxFindings)
    let subject: ValidationSubject =
      if path == "-", let language {
        .code(Console.readInput(limit: Engine.validationLimit + 1), language: language)
      } else {
        .path(path, base: FileManager.default.currentDirectoryPath, language: language)
      }
    command.arguments.add("path", path)
    command.arguments.add("language", language)
    if case .code(let data, _) = subject {
      command.arguments.add("code", String(decoding: data, as: UTF8.self))
    }
    try await answer.give(command) { _, _ throws(EngineError) in
      .validation(
        try await Engine(workspace: workspace, options: options).validate(subject, most: most))
    }
  }
}

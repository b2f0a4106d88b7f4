import ArgumentParser
import FoundationEssentials
import Glibc
import ProctorAudit
import ProctorEngine
import ProctorModel

struct Check: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Say whether a workspace compiles and imports; no test is run.",
    discussion: """
      Rust by cargo check, Swift by swift build, JavaScript and TypeScript by node, babel and TypeScript, Python by \
      compiling every file and importing every module, all in the sandbox.

      EXAMPLES
        proctor check                          everything below this folder
        proctor check services/api             one project, or the files of one folder
        proctor check src/app.py --format json
        git diff | proctor check --patch -     as it would be with the diff; the tree is not touched

      EXIT STATUS
        0 it compiles and imports · 2 wrong usage, or the patch does not apply · 3 it does not
        4 nothing to check · 5 no verdict · 6 timed out · 7 no sandbox · 130 interrupted
      """)

  @Argument(help: "A file or folder. Default: the whole workspace.")
  var path: String?

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "The workspace. Default: this folder, or PATH when it is elsewhere.", valueName: "dir"))
  var workspace: String?

  @OptionGroup var candidate: PatchOption
  @OptionGroup var run: RunOptions
  @OptionGroup var common: CommonOptions

  func run() async throws {
    let answer = Answer(format: common.settledFormat, kind: .check)
    let base = FileManager.default.currentDirectoryPath
    let place = workspace ?? Engine.workspace(of: path, base: base)
    let patch = candidate.read()
    var command = CommandCall("verify_patch", in: place, common, run.engineOptions)
    command.arguments.add("path", path)
    command.arguments.add("patch", patch.text)
    command.arguments.add("fetch", flag: run.fetch)
    try await answer.give(command) { progress, _ throws(EngineError) in
      let engine = try Engine(workspace: place, options: run.engineOptions)
      return try await patch.use(engine) { engine, change throws(EngineError) in
        var result = try await engine.check(path, base: base, progress: progress)
        result.change = change
        return .check(result)
      }
    }
  }
}

import ArgumentParser
import FoundationEssentials
import Glibc
import ProctorEngine
import ProctorModel

struct Check: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
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
    try await answer.give { progress throws(EngineError) in
      let place = workspace ?? Engine.workspace(of: path, base: base)
      let engine = try Engine(workspace: place, options: run.engineOptions)
      return try await candidate.use(engine) { engine, change throws(EngineError) in
        var result = try await engine.check(path, base: base, progress: progress)
        result.change = change
        return .check(result)
      }
    }
  }
}

import ArgumentParser
import FoundationEssentials
import Glibc
import ProctorAudit
import ProctorEngine
import ProctorModel
import ProctorServer

struct Run: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Run all tests of a workspace, or those that a filter matches.",
    discussion: """
      EXAMPLES
        proctor run
        proctor run services/api --filter 'login|logout'
        proctor run --format json --details > result.json
        proctor run --fetch                    download dependencies first, tests stay offline
        proctor run --patch fix.diff           the tests of a copy that the patch was applied to
        proctor run --test-timeout 30          a test that hangs is named, the others still run
        proctor run --retries 2 --flaky fail   run failed tests again, and name those that then pass
        proctor run --repeat 20 --filter login each of these tests must pass 20 times
        proctor run --shard 2/4                the second of four parts; proctor merge puts them together
        proctor run --report junit=out/junit.xml --report github=-
      """)

  @Argument(help: "The workspace.")
  var directory = "."

  @Option(
    help: ArgumentHelp("Only tests whose full name matches (PCRE2, anywhere).", valueName: "regex"))
  var filter: String?

  @Flag(help: "In JSON, also list every test, not only the failed ones.")
  var details = false

  @OptionGroup var candidate: PatchOption
  @OptionGroup var shard: ShardOptions
  @OptionGroup var run: RunOptions
  @OptionGroup var tests: TestOptions
  @OptionGroup var reports: ReportOptions
  @OptionGroup var common: CommonOptions

  func run() async throws {
    let answer = Answer(format: common.settledFormat, kind: .run(details: details))
    let patch = candidate.read()
    var command = CommandCall("run_all_tests", in: directory, common, tests.engineOptions(run))
    command.arguments.add("filter", filter)
    command.arguments.add("patch", patch.text)
    tests.add(to: &command.arguments, run)
    shard.add(to: &command.arguments)
    reports.add(to: &command.arguments)
    let files = try reports.files(beside: common)
    let kept = RunKeeping(command, selection: filter)
    let body: Answer.Body = { progress, _ throws(EngineError) in
      let selector: TestSelector =
        if let filter { .matching(try Pattern(filter)) } else { .everything }
      var options = tests.engineOptions(run)
      options.shard = try shard.request(filter: filter, in: directory, options)
      let engine = try Engine(workspace: directory, options: options)
      return try await patch.use(engine) { engine, change throws(EngineError) in
        var report = try await engine.run(selector, progress: progress)
        report.change = change
        return .report(report)
      }
    }
    try await answer.give(command, body, reports: files, afterwards: { await kept.keep($0) })
  }
}

struct Test: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test",
    abstract: "Run the tests of one file or folder, or one test.",
    discussion: """
      EXAMPLES
        proctor test src/auth.rs                       a Rust file with tests inside
        proctor test tests/test_api.py test_login      an id, a full name, or the last part of one
        git diff | proctor test tests/test_api.py --patch -
        proctor test 'pytest:.:tests/test_api.py::test_login'    by the id that a report printed
        proctor test tests/test_api.py --until-fail --timeout 600   again and again, for ten minutes
      """)

  @Argument(help: "A file or folder of the workspace, or the id of a test.")
  var path: String

  @Argument(help: "The test: its id, its full name, or the last part of its name.")
  var name: String?

  @Option(help: ArgumentHelp("The workspace.", valueName: "dir"))
  var workspace = "."

  @OptionGroup var candidate: PatchOption
  @OptionGroup var run: RunOptions
  @OptionGroup var tests: TestOptions
  @OptionGroup var reports: ReportOptions
  @OptionGroup var common: CommonOptions

  func run() async throws {
    let answer = Answer(format: common.settledFormat, kind: .test)
    let patch = candidate.read()
    var command = CommandCall("run_test", in: workspace, common, tests.engineOptions(run))
    command.arguments.add("path", path)
    command.arguments.add("test_name", name)
    command.arguments.add("patch", patch.text)
    tests.add(to: &command.arguments, run)
    reports.add(to: &command.arguments)
    let files = try reports.files(beside: common)
    let selection = [path, name].compactMap(\.self).joined(separator: " ")
    let kept = RunKeeping(command, selection: selection)
    let body: Answer.Body = { progress, _ throws(EngineError) in
      let engine = try Engine(workspace: workspace, options: tests.engineOptions(run))
      return try await patch.use(engine) { engine, change throws(EngineError) in
        let selector = try engine.selector(
          path: path, name: name, base: FileManager.default.currentDirectoryPath)
        var report = try await engine.run(selector, progress: progress)
        report.change = change
        return .report(report)
      }
    }
    try await answer.give(command, body, reports: files, afterwards: { await kept.keep($0) })
  }
}

struct List: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List tests without running any; builds what must be built.",
    discussion: """
      EXAMPLES
        proctor list
        proctor list --filter '^tests/' --format json
      """)

  @Argument(help: "The workspace.")
  var directory = "."

  @Option(
    help: ArgumentHelp("Only tests whose full name matches (PCRE2, anywhere).", valueName: "regex"))
  var filter: String?

  @OptionGroup var run: RunOptions
  @OptionGroup var common: CommonOptions

  func run() async throws {
    let answer = Answer(format: common.settledFormat, kind: .list)
    var command = CommandCall("list_tests", in: directory, common, run.engineOptions)
    command.arguments.add("filter", filter)
    command.arguments.add("fetch", flag: run.fetch)
    try await answer.give(command) { progress, _ throws(EngineError) in
      let selector: TestSelector =
        if let filter { .matching(try Pattern(filter)) } else { .everything }
      let engine = try Engine(workspace: directory, options: run.engineOptions)
      return .listing(try await engine.list(selector, progress: progress))
    }
  }
}

struct Status: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "What this machine and this workspace offer, tried for real.",
    discussion: """
      EXAMPLES
        proctor status
        proctor status services/api --format json
      """)

  @Argument(help: "The workspace.")
  var directory = "."

  @OptionGroup var common: CommonOptions

  func run() async throws {
    let answer = Answer(format: common.settledFormat, kind: .status)
    let command = CommandCall("sandbox_status", in: directory, common)
    try await answer.give(command) { _, _ throws(EngineError) in
      .status(try await Engine(workspace: directory, options: command.options).status())
    }
  }
}

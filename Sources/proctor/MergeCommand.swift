import ArgumentParser
import FoundationEssentials
import ProctorAudit
import ProctorEngine
import ProctorModel

struct Merge: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge",
    abstract: "Put the reports of several machines together, and give the one verdict.",
    discussion: """
      Shards of one plan must all be there, each once, on the same code, with every test in the shard that the plan \
      gave it to; otherwise there is no verdict (exit 5), and the answer says what is missing. Reports without a shard, \
      also those of other tools (all that proctor ingest reads), are taken as parts of one run; a test that failed in \
      one of them failed.

      In folders, also below, \(IngestRequest.endings) are taken. A *.json that no other tool wrote must be a \
      report of proctor's own, a *.tap or *.trx must be a report; other files that are none are passed over, and that is \
      said.

      EXAMPLES
        proctor merge reports/                            all reports below a folder
        proctor merge linux.json mac.json --format json --details > all.json
        proctor merge rust.json web/junit.xml go.json     proctor's own, and other tools'
        proctor merge reports/ --report junit=out/junit.xml

      EXIT STATUS
        as of proctor run · 2 wrong usage, or a file that is not there · 5 no verdict
      """)

  @Argument(
    help: ArgumentHelp(
      "Answers of proctor run --format json --details, reports of other tools, or folders of such.",
      valueName: "file"))
  var files: [String]

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "Where the code is that reports of other tools speak of.", valueName: "dir"))
  var workspace = "."

  @Flag(help: "In JSON, also list every test, not only the failed ones.")
  var details = false

  @OptionGroup var reports: ReportOptions
  @OptionGroup var common: CommonOptions

  func run() async throws {
    let answer = Answer(format: common.settledFormat, kind: .run(details: details))
    var command = CommandCall("ingest_reports", in: workspace, common)
    command.arguments.add("paths", files)
    reports.add(to: &command.arguments)
    let body: Answer.Body = { [command] _, _ throws(EngineError) in
      let engine = try Engine(workspace: workspace, options: command.options)
      let base = FileManager.default.currentDirectoryPath
      return .report(try engine.merge(IngestRequest(paths: files, base: base)))
    }
    try await answer.give(command, body, reports: try reports.files(beside: common))
  }
}

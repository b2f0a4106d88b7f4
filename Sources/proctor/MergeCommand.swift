import ArgumentParser
import ProctorAudit
import ProctorEngine
import ProctorModel

struct Merge: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge",
    abstract: "Put the reports of several machines together, and give the one verdict.",
    discussion: """
      Shards of one plan must all be there, each once, on the same code, with every test in the shard that the plan \
      gave it to; otherwise there is no verdict (exit 5), and the answer says what is missing. Reports without a shard \
      are taken as parts of one run; a test that failed in one of them failed.

      EXAMPLES
        proctor merge reports/                            all *.json below a folder
        proctor merge linux.json mac.json --format json --details > all.json
        proctor merge reports/ --report junit=out/junit.xml

      EXIT STATUS
        as of proctor run · 2 wrong usage, or a file that is not there · 5 no verdict
      """)

  @Argument(
    help: ArgumentHelp(
      "Answers of proctor run --format json --details, or folders of such.", valueName: "file"))
  var files: [String]

  @Flag(help: "In JSON, also list every test, not only the failed ones.")
  var details = false

  @OptionGroup var reports: ReportOptions
  @OptionGroup var common: CommonOptions

  func run() async throws {
    let answer = Answer(format: common.settledFormat, kind: .run(details: details))
    var command = CommandCall("ingest_reports", in: nil, common)
    command.arguments.add("paths", files)
    reports.add(to: &command.arguments)
    let body: Answer.Body = { _, _ throws(EngineError) in
      .report(ReportMerge(try ReportReader.parts(in: files)).report())
    }
    try await answer.give(command, body, reports: try reports.files(beside: common))
  }
}

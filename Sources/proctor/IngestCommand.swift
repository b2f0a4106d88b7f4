import ArgumentParser
import FoundationEssentials
import ProctorAudit
import ProctorEngine
import ProctorFormats
import ProctorModel

struct Ingest: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ingest",
    abstract: "Read reports of other tools and give one verdict; nothing is run.",
    discussion: """
      The format is told by the content. Known are \(ReportFormat.all.map(\.title).joined(separator: ", ")).

      A file that is cut, broken, empty or no report makes the verdict an error; so does one whose own \
      totals name more tests than it holds. In folders, files that are no reports are passed over.

      EXAMPLES
        proctor ingest junit.xml
        proctor ingest target/surefire-reports        a folder of reports
        proctor ingest **/TEST-*.xml results.trx
        go test -json ./... > go.json; proctor ingest go.json
        proctor ingest --format json --details report.json
        proctor ingest results.trx --report junit=out/junit.xml --report github=-
      """)

  @Argument(help: "Reports, or folders of them.")
  var files: [String]

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Where the code is that the reports speak of.", valueName: "dir"))
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
      var request = IngestRequest(paths: files, base: FileManager.default.currentDirectoryPath)
      request.keepsAll = details || !reports.values.isEmpty
      return .report(try engine.ingest(request))
    }
    try await answer.give(command, body, reports: try reports.files(beside: common))
  }
}

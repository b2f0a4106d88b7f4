import ProctorEngine
import ProctorFormats
import ProctorModel

extension Operation {
  static let ingestReports = Operation(
    "ingest_reports", title: "Read reports of other tools",
    "Reads test reports that other tools wrote into the workspace (JUnit XML, CTRF, TAP, go test -json, TRX and more; told by content) and gives one verdict; nothing is run. A report that is cut, broken or empty is never passed.",
    schema: "run_all_tests", route: .post("reports"),
    [
      Parameter(
        "paths", .strings, "Reports, or folders of them, inside the workspace.", isRequired: true)
    ], failed: { RunAnswer.failed(.all, $0) },
    body: { arguments, context throws(EngineError) in
      var request = IngestRequest(
        paths: arguments.strings("paths") ?? [], base: context.workspace)
      request.isConfined = true
      request.keepsAll = context.reader == .program
      let report = try context.engine().ingest(request)
      let bounds = AgentBounds(run: nil, tokens: context.reader.tokens)
      let agent = AgentReport(report, run: nil, since: nil, workspace: context.workspace)
      return .done(
        OperationAnswer(
          json: ContractJSON.runAllTests(report, within: bounds), text: agent.text()))
    })
}

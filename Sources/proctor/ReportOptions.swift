import ArgumentParser
import FoundationEssentials
import ProctorAudit
import ProctorEngine
import ProctorModel

/// Files that a command's report is written to, in formats that others read.
struct ReportOptions: ParsableArguments {
  @Option(
    name: .customLong("report"),
    help: ArgumentHelp(
      """
      Also write the report in a format: junit, ctrf, sarif, tap, markdown, github, gitlab, buildkite, teamcity, html, \
      otel, json. Can be given several times; github=-, tap=- and teamcity=- go to standard output.
      """, valueName: "format=path"))
  var values: [String] = []

  func validate() throws {
    do throws(EngineError) {
      _ = try files()
    } catch {
      throw ValidationError("\(error.message). \(error.resolution)")
    }
  }

  /// The files, where they can be had.
  /// - Throws: `ValidationError` when standard output is asked for twice.
  func files(beside common: CommonOptions) throws -> ReportFiles {
    let files = try files()
    if files.usesStandardOutput, common.settledFormat == .json {
      throw ValidationError(
        "--format json has standard output for itself. Give --report the name of a file.")
    }
    return files
  }

  func add(to arguments: inout AuditArguments) { arguments.add("report", values) }

  private func files() throws(EngineError) -> ReportFiles {
    try ReportFiles(values, in: FileManager.default.currentDirectoryPath)
  }
}

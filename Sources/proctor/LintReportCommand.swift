public import ArgumentParser
import ProctorAudit
import ProctorEngine
public import ProctorFormats
import ProctorModel

extension LintPlatform: ExpressibleByArgument {}

struct LintReport: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lint-report",
    abstract: "Say what platforms would drop, cut or refuse of a report file.",
    discussion: """
      Reads JUnit XML, CTRF, SARIF, code quality reports and TAP, known by their content.

      EXAMPLES
        proctor lint-report target/surefire-reports/TEST-shop.xml
        proctor lint-report junit.xml --for gitlab --for jenkins
        proctor lint-report results.sarif --format json

      EXIT STATUS
        0 nothing would be lost · 1 something would · 2 wrong usage, or no report
      """)

  @Argument(help: "The report.")
  var file: String

  @Option(
    name: .customLong("for"),
    help:
      "github, gitlab, jenkins or buildkite; can be given several times. Default: those that read the format."
  )
  var platforms: [LintPlatform] = []

  @OptionGroup var common: CommonOptions

  func run() async throws {
    let answer = Answer(format: common.settledFormat, kind: .lint)
    var command = CommandCall("lint_report", in: nil, common)
    command.arguments.add("file", file)
    command.arguments.add("for", platforms.map(\.rawValue))
    try await answer.give(command) { _, _ throws(EngineError) in
      .lint(try LintedFile(file).lint(for: platforms.isEmpty ? nil : platforms), of: file)
    }
  }
}

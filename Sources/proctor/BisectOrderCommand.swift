import ArgumentParser
import ProctorAudit
import ProctorEngine
import ProctorModel

struct BisectOrder: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bisect-order",
    abstract: "Find the tests that a test's outcome depends on.",
    discussion: """
      Runs the test alone and after all tests before it. When it passes alone and fails after them, some of them pollute it; \
      when it fails alone and passes after them, it needs what some of them leave behind. Exact selections in exact \
      order then narrow them down until none can be left out, and the result is confirmed once more. For tests of pytest and jest.

      EXAMPLES
        proctor bisect-order tests/test_api.py::test_login
        proctor bisect-order test_login --shuffle 1234       in the order that proctor run --shuffle 1234 had
        proctor bisect-order test_login --after test_logout  only these, in this order

      EXIT STATUS
        0 it passes alone and after the others · 1 it does not · 2 wrong usage · 3 did not build or collect
        5 no verdict · 130 interrupted
      """)

  @Argument(help: "The test: its id, its full name, or the last part of its name.")
  var test: String

  @Option(name: .shortAndLong, help: ArgumentHelp("The workspace.", valueName: "dir"))
  var workspace = "."

  @Option(
    help: ArgumentHelp("The order to look at: a number, or random.", valueName: "seed"))
  var shuffle: Seed?

  @Option(
    help: ArgumentHelp(
      "Only look at this test before it. Can be given several times, in their order.",
      valueName: "test"))
  var after: [String] = []

  @Option(help: ArgumentHelp("Wall-clock limit for each test.", valueName: "seconds"))
  var testTimeout: Double?

  @OptionGroup var run: RunOptions
  @OptionGroup var common: CommonOptions

  func validate() throws {
    try checkSeconds(testTimeout, of: "--test-timeout")
    if shuffle != nil, !after.isEmpty {
      throw ValidationError("--after gives the order itself: leave --shuffle out.")
    }
  }

  func run() async throws {
    var options = run.engineOptions
    options.testTimeoutSeconds = testTimeout
    options.shuffle = shuffle?.number
    var command = CommandCall("bisect_order", in: workspace, common, options)
    command.arguments.add("test", test)
    command.arguments.add("after", after)
    command.arguments.add("shuffle", shuffle.map { Int($0.number) })
    command.arguments.add("test_timeout", testTimeout)
    let (workspace, test, after, settled) = (workspace, test, after, options)
    try await Answer(format: common.settledFormat, kind: .bisection).give(command) {
      progress, _ throws(EngineError) in
      .bisection(
        try await Engine(workspace: workspace, options: settled).bisectOrder(
          of: test, after: after.isEmpty ? nil : after, progress: progress))
    }
  }
}

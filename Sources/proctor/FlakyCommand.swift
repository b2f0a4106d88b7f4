import ArgumentParser
import ProctorAudit
import ProctorHistory

struct Flaky: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "flaky",
    abstract: "The tests that passed and failed on the same code.",
    discussion: """
      The same code is the same commit with a clean tree, or files that did not change on this machine. How often a test \
      fails is told with its 95 % interval; a retry is an execution like any other. Runs of patches are no evidence.

      EXAMPLES
        proctor flaky
        proctor flaky --since 30d --branch main
        proctor flaky --format json

      EXIT STATUS
        0 shown, whether there are any or not · 2 wrong usage · 5 the history cannot be read
      """)

  @OptionGroup var limit: HistoryLimitOption
  @OptionGroup var filter: HistoryFilterOptions
  @OptionGroup var options: HistoryOptions

  func run() throws {
    let wanted = try filter.filter()
    try options.give("history_flaky") {
      filter.add(to: &$0)
    } _: { _, history in
      let all = try history.flaky(wanted)
      return HistoryOptions.Answer(
        json: HistoryAnswer.flaky(all, limit: limit.limit),
        text: HistoryText.flaky(all, limit: limit.limit))
    }
  }
}

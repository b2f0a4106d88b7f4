import ArgumentParser
import ProctorAudit
import ProctorHistory

struct Slowest: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "slowest",
    abstract: "The tests that take longest, by the last runs.",
    discussion: """
      By the median of the last times that each test passed, with the 95th percentile and the share of all tests' \
      medians.

      EXAMPLES
        proctor slowest
        proctor slowest --limit 5 --branch main
        proctor slowest --since 7d --format json

      EXIT STATUS
        0 shown · 2 wrong usage · 5 the history cannot be read
      """)

  @OptionGroup var limit: HistoryLimitOption
  @OptionGroup var filter: HistoryFilterOptions
  @OptionGroup var options: HistoryOptions

  func run() throws {
    let wanted = try filter.filter()
    try options.give("history_slowest") {
      filter.add(to: &$0)
    } _: { _, history in
      let all = try history.slowest(wanted)
      return HistoryOptions.Answer(
        json: HistoryAnswer.slowest(all, limit: limit.limit),
        text: HistoryText.slowest(all, limit: limit.limit))
    }
  }
}

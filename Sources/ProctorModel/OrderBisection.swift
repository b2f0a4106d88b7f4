/// What was found about a test and the order of the tests before it.
public struct OrderBisection: Sendable {
  public enum Finding: String, Sendable, Codable, CaseIterable {
    /// It passes alone and fails after the others.
    case polluted
    /// It fails alone and passes after the others, which leave something behind that it needs.
    case brittle
    /// It passes alone and after all the tests before it.
    case independent
    /// It fails alone and after all the tests before it.
    case failsAlways = "fails_always"
    /// Under the same conditions it ended in different ways.
    case flaky
  }

  /// nil when there is no answer; `problem` says why.
  public let finding: Finding?
  public let problem: Verdict?
  /// nil when no such test was found.
  public let test: TestCase?
  /// The tests that make the difference, in the order in which they ran before it; none can be left out.
  public let others: [TestCase]
  /// The end of the test by itself, and after those before it.
  public let alone: Attempt?
  public let after: Attempt?
  /// Tests that came before it in the order that was looked at.
  public let predecessors: Int
  /// Processes that were needed.
  public let runs: Int
  /// What the order was made from; nil for the usual one.
  public let seed: UInt64?
  /// What shows it again, for a shell: in the workspace, and in the project's folder.
  public let commands: [String]
  public let durationMS: Double

  public init(
    finding: Finding?, problem: Verdict? = nil, test: TestCase?, others: [TestCase] = [],
    alone: Attempt? = nil, after: Attempt? = nil, predecessors: Int = 0, runs: Int = 0,
    seed: UInt64? = nil, commands: [String] = [], durationMS: Double = 0
  ) {
    self.finding = finding
    self.problem = problem
    self.test = test
    self.others = others
    self.alone = alone
    self.after = after
    self.predecessors = predecessors
    self.runs = runs
    self.seed = seed
    self.commands = commands
    self.durationMS = durationMS
  }
}

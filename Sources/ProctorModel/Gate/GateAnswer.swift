/// What became of one test between base and head.
public struct GateRow: Hashable, Sendable {
  /// Each test is in exactly one. In the order in which they matter.
  public enum Class: String, Sendable, Codable, CaseIterable {
    /// It fails, and did not in base, or was not there.
    case newFailure = "new_failure"
    /// It both failed and passed.
    case flaky
    /// Head has no outcome for it: it could not be built or collected, or its result was lost.
    case missing
    /// Base has it, head does not.
    case removed
    case newlySkipped = "newly_skipped"
    /// It fails in base, too.
    case knownFailure = "known_failure"
    /// It failed in base and passes.
    case fixed
    /// It was skipped in base and passes.
    case unskipped
    /// Base does not have it.
    case new
    /// It passes in both, or is skipped in both.
    case unchanged
  }

  public let kind: Class
  public let id: TestID
  /// nil where it is not there.
  public let base: GateTest?
  public let head: GateTest?
  /// Of a removed one: the new one of the same name in another file.
  public var movedTo: TestID?
  /// Of a new one: the removed one.
  public var movedFrom: TestID?
  /// What shows that it is flaky, in a sentence.
  public var evidence: String?
  /// The entry of `allow_removed` or `allow_skipped` that lets it through.
  public var allowedBy: String?
  /// The file that held it is touched by the change.
  public var isEdited = false

  public init(_ kind: Class, id: TestID, base: GateTest?, head: GateTest?) {
    self.kind = kind
    self.id = id
    self.base = base
    self.head = head
  }

  /// As head has it, else as base had it.
  public var test: GateTest? { head ?? base }
}

/// One reason why a change may not be merged.
public struct GateBlock: Hashable, Sendable {
  public enum Rule: String, Sendable, Codable, CaseIterable {
    /// Always blocks, known or not: what does not build is not merged.
    case errorsOutsideTests = "errors_outside_tests"
    case newFailures = "new_failures"
    case flaky
    case removed
    case newlySkipped = "newly_skipped"
    case weakened
    case knownFailures = "known_failures"
    case fewerTests = "fewer_tests"
    case minTests = "min_tests"
    case slower
  }

  public let rule: Rule
  /// A sentence for people.
  public let message: String
  /// In order; empty for a rule that is about no single test.
  public let tests: [TestID]

  public init(_ rule: Rule, _ message: String, tests: [TestID] = []) {
    self.rule = rule
    self.message = message
    self.tests = tests
  }
}

/// How much longer the tests of head take, and how sure that is.
public struct GateSlowdown: Hashable, Sendable {
  /// Tests that passed in both and whose times can be told.
  public let tests: Int
  /// Sums of their times, milliseconds.
  public let baseMS: Double
  public let headMS: Double
  /// The margin.
  public let maxPercent: Double
  /// Tests that take longer than in base by more than the margin.
  public let slower: Int
  /// That so many do by chance, where each one is as likely to as not (sign test, one-sided); nil with too few tests.
  public let pValue: Double?

  public init(
    tests: Int, baseMS: Double, headMS: Double, maxPercent: Double, slower: Int, pValue: Double?
  ) {
    self.tests = tests
    self.baseMS = baseMS
    self.headMS = headMS
    self.maxPercent = maxPercent
    self.slower = slower
    self.pValue = pValue
  }

  /// Percent by which head takes longer; nil without times.
  public var percent: Double? { baseMS > 0 ? (headMS / baseMS - 1) * 100 : nil }
}

/// May a change be merged?
public struct GateAnswer: Sendable {
  public enum Status: String, Sendable, Codable {
    case passed, blocked
    /// It cannot be told.
    case error
  }

  /// Why it cannot be told.
  public enum Reason: String, Sendable, Codable {
    case baseIncomplete = "base_incomplete"
    case headIncomplete = "head_incomplete"
  }

  /// Where a side is from.
  public struct Origin: Hashable, Sendable {
    /// As it was asked for, or found: `origin/main`; nil where that is not known.
    public var name: String?
    /// In hexadecimal digits; nil where that is not known.
    public var commit: String?
    /// The report's file; nil when there is none.
    public var report: String?

    public init(name: String? = nil, commit: String? = nil, report: String? = nil) {
      self.name = name
      self.commit = commit
      self.report = report
    }

    /// `origin/main (1a2b3c4d5e)`, for people.
    public var title: String {
      let short = commit.map { String($0.prefix(10)) }
      guard let name = name ?? report else { return short ?? "unknown" }
      return short.map { $0 == name ? name : "\(name) (\($0))" } ?? name
    }
  }

  public let status: Status
  public let reason: Reason?
  /// A sentence.
  public let message: String
  public let blocks: [GateBlock]
  /// By class, then by id; empty where the two cannot be compared.
  public let rows: [GateRow]
  public let head: GateSide
  public let base: GateSide
  public let policy: GatePolicy
  public let change: GateChange?
  public let slowdown: GateSlowdown?
  public var headOrigin = Origin()
  public var baseOrigin = Origin()
  /// What else is to be known, in sentences.
  public var notes: [String]
  public var durationMS = 0.0

  public init(
    status: Status, reason: Reason? = nil, message: String, blocks: [GateBlock], rows: [GateRow],
    head: GateSide, base: GateSide, policy: GatePolicy, change: GateChange?,
    slowdown: GateSlowdown? = nil, notes: [String] = []
  ) {
    self.status = status
    self.reason = reason
    self.message = message
    self.blocks = blocks
    self.rows = rows
    self.head = head
    self.base = base
    self.policy = policy
    self.change = change
    self.slowdown = slowdown
    self.notes = notes
  }

  public func rows(_ kind: GateRow.Class) -> [GateRow] { rows.filter { $0.kind == kind } }
}

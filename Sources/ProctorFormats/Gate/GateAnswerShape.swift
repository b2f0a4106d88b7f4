public import FoundationEssentials
public import ProctorModel

/// The answer of `gate`, key by key as `docs/schema/gate.schema.json` has it; absent is absent.
struct GateAnswerShape: Encodable {
  struct Block: Encodable {
    let rule: GateBlock.Rule
    let message: String
    let tests: [TestID]?
    let tests_omitted: Int?

    init(_ block: GateBlock, most: Int) {
      rule = block.rule
      message = block.message
      tests = Array(block.tests.prefix(most)).nonEmpty
      tests_omitted = block.tests.count > most ? block.tests.count - most : nil
    }
  }

  struct Row: Encodable {
    let id: TestID
    let name: String?
    let `class`: GateRow.Class
    let base: Outcome?
    let head: Outcome?
    let file: String?
    let line: Int?
    let error: String?
    let evidence: String?
    let moved_to: TestID?
    let moved_from: TestID?
    let allowed_by: String?
    let edited: Bool?

    /// - Parameter errorLimit: scalars of a message.
    init(_ row: GateRow, errorLimit: Int) {
      id = row.id
      name = row.test?.name
      `class` = row.kind
      base = row.base?.outcome
      head = row.head?.outcome
      let place = row.head?.place
      file = place?.file ?? row.test?.file
      line = place?.line ?? (place == nil ? row.test?.line : nil)
      error = row.head?.error.map { $0.cut(errorLimit) }
      evidence = row.evidence
      moved_to = row.movedTo
      moved_from = row.movedFrom
      allowed_by = row.allowedBy
      edited = row.isEdited ? true : nil
    }
  }

  struct Side: Encodable {
    let name: String?
    let commit: String?
    let source: GateSide.Source
    let report: String?
    let status: Verdict.Status
    let reason: Verdict.Reason?
    let message: String?
    let total_tests: Int
    let passed: Int
    let failed: Int
    let skipped: Int
    /// Why nothing can be compared with it.
    let incomplete: String?

    init(_ side: GateSide, _ origin: GateAnswer.Origin, incomplete: String?) {
      name = origin.name
      commit = origin.commit
      source = side.source
      report = origin.report
      status = side.verdict.status
      reason = side.verdict.reason
      message = side.verdict.message
      total_tests = side.counts.total
      passed = side.counts.passed
      failed = side.counts.failed
      skipped = side.counts.skipped
      self.incomplete = incomplete
    }
  }

  struct Policy: Encodable {
    let block_new_failures: Bool
    let block_known_failures: Bool
    let block_removed: Bool
    let block_newly_skipped: Bool
    let block_weakened: Bool
    let block_fewer_tests: Bool
    let allow_removed: [String]
    let allow_skipped: [String]
    let flaky: GatePolicy.Flaky
    let min_tests: Int?
    let max_slowdown_percent: Double?
    /// Whose `proctor.toml` it is of.
    let from: String

    init(_ policy: GatePolicy, isOfBase: Bool) {
      block_new_failures = policy.blocksNewFailures
      block_known_failures = policy.blocksKnownFailures
      block_removed = policy.blocksRemoved
      block_newly_skipped = policy.blocksNewlySkipped
      block_weakened = policy.blocksWeakened
      block_fewer_tests = policy.blocksFewerTests
      allow_removed = policy.allowRemoved.map(\.text)
      allow_skipped = policy.allowSkipped.map(\.text)
      flaky = policy.flaky
      min_tests = policy.minTests
      max_slowdown_percent = policy.maxSlowdownPercent
      from = isOfBase ? "base" : "workspace"
    }
  }

  struct Weakened: Encodable {
    let test: TestID?
    let file: String
    let line: Int?
    let assertions_before: Int
    let assertions_after: Int

    init(_ weakened: GateChange.Weakened) {
      test = weakened.test
      file = weakened.file
      line = weakened.line
      assertions_before = weakened.before
      assertions_after = weakened.after
    }
  }

  struct Change: Encodable {
    let files_changed: Int
    let edits_code: Bool
    let edits_policy: Bool
    let edits_quarantine: Bool
    let touches_tests: [String]
    let touches_tests_omitted: Int?
    let removed: [TestID]
    let newly_skipped: [TestID]
    let weakened: [Weakened]
    let weakened_omitted: Int?

    init(_ change: GateChange, _ rows: [GateRow], most: Int) {
      func edited(_ kind: GateRow.Class) -> [TestID] {
        rows.filter { $0.kind == kind && $0.isEdited }.prefix(most).map(\.id)
      }
      let tests = change.testFiles
      files_changed = change.files.count
      edits_code = change.editsCode
      edits_policy = change.editsPolicy
      edits_quarantine = change.editsQuarantine
      touches_tests = Array(tests.prefix(most))
      touches_tests_omitted = tests.count > most ? tests.count - most : nil
      removed = edited(.removed)
      newly_skipped = edited(.newlySkipped)
      weakened = change.weakened.prefix(most).map(Weakened.init)
      weakened_omitted = change.weakened.count > most ? change.weakened.count - most : nil
    }
  }

  struct Slowdown: Encodable {
    let tests: Int
    let base_ms: Double
    let head_ms: Double
    let slower_tests: Int
    let max_slowdown_percent: Double
    let percent: Double?
    let p_value: Double?
    let statistic = "sign test"

    init(_ slowdown: GateSlowdown) {
      tests = slowdown.tests
      base_ms = slowdown.baseMS.rounded3
      head_ms = slowdown.headMS.rounded3
      slower_tests = slowdown.slower
      max_slowdown_percent = slowdown.maxPercent
      percent = slowdown.percent?.rounded3
      p_value = slowdown.pValue
    }
  }

  let status: GateAnswer.Status
  let reason: String?
  let message: String
  let may_merge: Bool
  let blocks: [Block]
  let counts: [String: Int]?
  let tests: [Row]
  let tests_omitted: Int?
  let errors: [ErrorAnswer]?
  let errors_omitted: Int?
  let head: Side?
  let base: Side?
  let policy: Policy?
  let change: Change?
  let slowdown: Slowdown?
  let notes: [String]?
  let execution_time_ms: Double

  /// Scalars of a message; the run's own report has all.
  private static let errorLimit = 2000
  private static let errorLimitForModels = 200

  /// - Parameters:
  ///   - details: also tests that are as they were.
  ///   - bound: entries of each list, for models, who get no policy; nil for all there is.
  init(_ answer: GateAnswer, details: Bool, bound: Int? = nil) {
    let most = bound ?? .max
    let errorLimit = bound == nil ? Self.errorLimit : Self.errorLimitForModels
    let listed = details ? answer.rows : answer.rows.filter { $0.kind != .unchanged }
    status = answer.status
    reason = answer.reason?.rawValue
    message = answer.message
    may_merge = answer.status == .passed
    blocks = answer.blocks.map { Block($0, most: most) }
    counts =
      answer.rows.isEmpty ? nil : Self.counts(answer.rows)
    tests = listed.prefix(most).map { Row($0, errorLimit: errorLimit) }
    tests_omitted = listed.count > most ? listed.count - most : nil
    errors = answer.head.errors.prefix(most).map(ErrorAnswer.init).nonEmpty
    errors_omitted = answer.head.errors.count > most ? answer.head.errors.count - most : nil
    head = Side(answer.head, answer.headOrigin, incomplete: answer.head.problem)
    base = Side(answer.base, answer.baseOrigin, incomplete: answer.base.problemAsBase)
    policy = bound == nil ? Policy(answer.policy, isOfBase: answer.change != nil) : nil
    change = answer.change.map { Change($0, answer.rows, most: most) }
    slowdown = answer.slowdown.map(Slowdown.init)
    notes =
      answer.allNotes(ofHead: min(most, GateAnswer.headNotesShown), limit: errorLimit).nonEmpty
    execution_time_ms = answer.durationMS.rounded3
  }

  /// There is nothing to answer with.
  init(failed verdict: Verdict) {
    status = .error
    reason = verdict.reason?.rawValue
    message = verdict.message ?? "no verdict"
    may_merge = false
    (blocks, tests) = ([], [])
    (counts, tests_omitted, errors, errors_omitted, head, base, policy, change, slowdown, notes) = (
      nil, nil, nil, nil, nil, nil, nil, nil, nil, nil
    )
    execution_time_ms = 0
  }

  private static func counts(_ rows: [GateRow]) -> [String: Int] {
    var counts = Dictionary(uniqueKeysWithValues: GateRow.Class.allCases.map { ($0.rawValue, 0) })
    for row in rows { counts[row.kind.rawValue, default: 0] += 1 }
    return counts
  }
}

extension GateAnswer {
  /// Notes of head's run that are told.
  static let headNotesShown = 5
  /// Scalars of one of them in a line.
  static let headNoteLimit = 300

  /// Its own notes, then those of head's run.
  func allNotes(ofHead most: Int, limit: Int = headNoteLimit) -> [String] {
    let more = head.notes.count - most
    return notes + head.notes.prefix(most).map { "head: \($0.cut(limit))" }
      + (more > 0 ? ["head: \(more) more notes"] : [])
  }
}

extension ContractJSON {
  /// Entries of each list in an answer for models: the most that fits.
  private static let bounds = [40, 20, 10, 5, 2]

  /// The answer of `gate`.
  /// - Parameter details: also tests that are as they were.
  public static func gate(_ answer: GateAnswer, details: Bool) -> Data {
    encode(GateAnswerShape(answer, details: details))
  }

  /// The same for a model: the first of each list.
  public static func gate(_ answer: GateAnswer, tokens: Int) -> Data {
    let all = bounds.lazy.map { encode(GateAnswerShape(answer, details: false, bound: $0)) }
    return all.first { TokenEstimate.of(String(decoding: $0, as: UTF8.self)) <= tokens }
      ?? encode(GateAnswerShape(answer, details: false, bound: 0))
  }

  /// The answer of `gate` where nothing could be compared.
  public static func gate(failed report: Report) -> Data {
    encode(GateAnswerShape(failed: report.verdict))
  }
}

extension AgentReport {
  /// Lines of each class: the most that fits.
  private static let bounds = [30, 15, 8, 4, 2]

  public static func text(_ answer: GateAnswer, tokens: Int = defaultTokens) -> String {
    let all = bounds.lazy.map { TextSummary.render(answer, style: .plain, most: $0) }
    return all.first { TokenEstimate.of($0) <= tokens }
      ?? TextSummary.render(answer, style: .plain, most: 1)
  }
}

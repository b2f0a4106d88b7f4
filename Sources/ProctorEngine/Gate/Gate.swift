public import ProctorModel

/// Decides whether a change may be merged. Pure: the same input gives the same answer.
public struct Gate {
  private let input: GateInput
  private var policy: GatePolicy { input.policy }

  public init(_ input: GateInput) { self.input = input }

  /// - Throws: `EngineError` when an entry of the policy cannot be matched.
  public func answer() throws(EngineError) -> GateAnswer {
    if let problem = input.head.problem { return undecided(.headIncomplete, "head \(problem)") }
    if !input.head.isExplained {
      return undecided(.headIncomplete, "head's run is red, and no test or error says why")
    }
    if let problem = input.base.problemAsBase {
      return undecided(.baseIncomplete, "base \(problem)")
    }
    let rows = try allowed(GateClassifier(input).rows())
    let slowdown = policy.maxSlowdownPercent.map { GateSlowdown(rows: rows, maxPercent: $0) }
    let blocks = blocks(rows, slowdown)
    if blocks.isEmpty, input.head.counts.passed + input.head.counts.failed == 0 {
      return undecided(.headIncomplete, "no test ran in head", rows)
    }
    return GateAnswer(
      status: blocks.isEmpty ? .passed : .blocked, message: Self.message(blocks, rows),
      blocks: blocks, rows: rows, head: input.head, base: input.base, policy: policy,
      change: input.change, slowdown: slowdown, notes: notes(rows, slowdown))
  }

  /// What blocks without any comparison is still told.
  private func undecided(
    _ reason: GateAnswer.Reason, _ message: String, _ rows: [GateRow] = []
  ) -> GateAnswer {
    GateAnswer(
      status: .error, reason: reason, message: message,
      blocks: [errorsOutsideTests].compactMap(\.self), rows: rows, head: input.head,
      base: input.base, policy: policy, change: input.change, notes: [])
  }

  private func allowed(_ rows: [GateRow]) throws(EngineError) -> [GateRow] {
    let removed = try GateAllowance(policy.allowRemoved)
    let skipped = try GateAllowance(policy.allowSkipped)
    var rows = rows
    for index in rows.indices {
      guard let test = rows[index].test else { continue }
      switch rows[index].kind {
      case .removed: rows[index].allowedBy = try removed.entry(for: test)
      case .newlySkipped: rows[index].allowedBy = try skipped.entry(for: test)
      default: break
      }
    }
    return rows
  }

  // MARK: reasons

  private func blocks(_ rows: [GateRow], _ slowdown: GateSlowdown?) -> [GateBlock] {
    let of = Dictionary(grouping: rows, by: \.kind)
    return [
      errorsOutsideTests,
      block(policy.blocksNewFailures, .newFailures, of[.newFailure]) {
        "\(Self.tests($0, "fails", "fail")) that \($0 == 1 ? "does" : "do") not fail in base"
      },
      block(true, .flaky, of[.flaky]?.filter(blocksAsFlaky)) {
        "\(Self.tests($0, "is", "are")) flaky"
      },
      block(
        policy.blocksRemoved, .removed,
        of[.removed]?.filter { $0.allowedBy == nil && $0.movedTo == nil }
      ) { "\(Self.tests($0, "is", "are")) gone that base has" },
      block(
        policy.blocksNewlySkipped, .newlySkipped,
        of[.newlySkipped]?.filter { $0.allowedBy == nil }
      ) { "\(Self.tests($0, "is", "are")) skipped that base runs" },
      weakened,
      block(policy.blocksKnownFailures, .knownFailures, of[.knownFailure]) {
        "\(Self.tests($0, "fails", "fail")) as in base, which the policy does not let through"
      },
      fewerTests, minTests, slowdown.flatMap(slower),
    ].compactMap(\.self)
  }

  private func block(
    _ isWanted: Bool, _ rule: GateBlock.Rule, _ rows: [GateRow]?, _ message: (Int) -> String
  ) -> GateBlock? {
    guard isWanted, let rows, !rows.isEmpty else { return nil }
    return GateBlock(rule, message(rows.count), tests: rows.map(\.id))
  }

  private static func tests(_ count: Int, _ one: String, _ more: String) -> String {
    count == 1 ? "1 test \(one)" : "\(count) tests \(more)"
  }

  private var errorsOutsideTests: GateBlock? {
    let count = input.head.errors.count
    guard count > 0 else { return nil }
    return GateBlock(
      .errorsOutsideTests,
      count == 1
        ? "there is an error outside tests in head"
        : "there are \(count) errors outside tests in head")
  }

  private func blocksAsFlaky(_ row: GateRow) -> Bool {
    switch policy.flaky {
    case .fail: true
    case .warn: row.head?.outcome != .passed
    case .pass: false
    }
  }

  private var weakened: GateBlock? {
    guard policy.blocksWeakened, let weakened = input.change?.weakened, !weakened.isEmpty else {
      return nil
    }
    let count = weakened.count
    return GateBlock(
      .weakened,
      "\(Self.tests(count, "asserts", "assert")) less than in base, by a count of assertions",
      tests: weakened.compactMap(\.test))
  }

  private var fewerTests: GateBlock? {
    let (base, head) = (input.base.counts.total, input.head.counts.total)
    guard policy.blocksFewerTests, head < base else { return nil }
    return GateBlock(.fewerTests, "head has \(head) tests and base has \(base)")
  }

  private var minTests: GateBlock? {
    let ran = input.head.counts.passed + input.head.counts.failed
    guard let least = policy.minTests, ran < least else { return nil }
    return GateBlock(.minTests, "\(ran) tests ran in head, and the policy wants \(least)")
  }

  private func slower(_ slowdown: GateSlowdown) -> GateBlock? {
    guard slowdown.isSlower, let percent = slowdown.percent else { return nil }
    return GateBlock(
      .slower,
      "\(slowdown.slower) of \(slowdown.tests) tests take more than \(Self.percent(slowdown.maxPercent)) "
        + "longer than in base, \(Self.percent(percent)) in sum")
  }

  private static func percent(_ value: Double) -> String {
    // Any sum of times may stand in a report; converting what does not fit would end the process.
    value.isFinite && value.magnitude < 1e9 ? "\(Int(value.rounded())) %" : "many times"
  }

  // MARK: words

  private static func message(_ blocks: [GateBlock], _ rows: [GateRow]) -> String {
    guard blocks.isEmpty else { return blocks.map(\.message).joined(separator: "; ") }
    let known = rows.count { $0.kind == .knownFailure }
    return known == 0
      ? "nothing is worse than in base"
      : "nothing is worse than in base, where \(tests(known, "fails", "fail")) too"
  }

  private func notes(_ rows: [GateRow], _ slowdown: GateSlowdown?) -> [String] {
    var notes: [String] = []
    if let slowdown, slowdown.pValue == nil {
      notes.append(
        "whether tests became slower cannot be told: the times of \(slowdown.tests) say too little")
    }
    if input.change?.editsPolicy == true {
      notes.append("the change edits [gate], which counts once it is merged: base's is in force")
    }
    if input.change?.editsQuarantine == true {
      notes.append(
        "the change edits the quarantine file: failures that it keeps out of the verdict count")
    }
    return notes
  }
}

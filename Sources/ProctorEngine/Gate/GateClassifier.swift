import ProctorModel

/// Puts each test of two sides into one class.
struct GateClassifier {
  private let input: GateInput
  private let base: [TestID: GateTest]
  private let head: [TestID: GateTest]
  private let moves: GateMoves

  init(_ input: GateInput) {
    self.input = input
    base = Dictionary(input.base.tests.map { ($0.id, $0) }) { first, _ in first }
    head = Dictionary(input.head.tests.map { ($0.id, $0) }) { first, _ in first }
    moves = GateMoves(
      gone: input.base.tests.filter { [head] in head[$0.id] == nil },
      new: input.head.tests.filter { [base] in base[$0.id] == nil })
  }

  /// By class, then by id.
  func rows() -> [GateRow] {
    let order = Dictionary(
      uniqueKeysWithValues: GateRow.Class.allCases.enumerated().map { ($1, $0) })
    return Set(base.keys).union(head.keys).map(row).sorted {
      let (left, right) = (order[$0.kind] ?? 0, order[$1.kind] ?? 0)
      return left == right ? $0.id < $1.id : left < right
    }
  }

  private func row(_ id: TestID) -> GateRow {
    let movedFrom = moves.from[id]
    let before = base[id] ?? movedFrom.flatMap { base[$0] }
    let after = head[id]
    let (kind, evidence) = after.map { classified($0, before) } ?? (absent(id), nil)
    var row = GateRow(kind, id: id, base: before, head: after)
    row.evidence = evidence
    row.movedTo = moves.to[id]
    row.movedFrom = movedFrom
    // Where a new test stands in for one that moved, it is still new.
    if movedFrom != nil, [.unchanged, .fixed, .unskipped].contains(kind) {
      row = GateRow(.new, id: id, base: before, head: after)
      row.movedFrom = movedFrom
    }
    row.isEdited =
      input.change?.touches(after?.file) == true || input.change?.touches(before?.file) == true
    return row
  }

  /// What did not build or collect hides tests: they are not gone.
  private func absent(_ id: TestID) -> GateRow.Class {
    input.head.missing.contains(id) || input.head.problemAsBase != nil ? .missing : .removed
  }

  private func classified(
    _ head: GateTest, _ base: GateTest?
  ) -> (GateRow.Class, evidence: String?) {
    if head.isFlaky { return (.flaky, "it both failed and passed in head's run") }
    if head.isQuarantined, !isQuarantineEdited { return (.knownFailure, nil) }
    if fails(head) { return failing(head, base) }
    guard let base else { return (.new, nil) }
    if head.outcome == .skipped {
      return (base.outcome == .skipped && !base.isQuarantined ? .unchanged : .newlySkipped, nil)
    }
    if fails(base) || base.isQuarantined { return (.fixed, nil) }
    return (base.outcome == .skipped ? .unskipped : .unchanged, nil)
  }

  private func failing(
    _ head: GateTest, _ base: GateTest?
  ) -> (GateRow.Class, evidence: String?) {
    if let evidence = input.flakyEvidence[head.id] { return (.flaky, evidence) }
    guard let base else { return (.newFailure, nil) }
    if base.isFlaky { return (.flaky, "it both failed and passed in base's run") }
    return (fails(base) || base.isQuarantined ? .knownFailure : .newFailure, nil)
  }

  /// A quarantine that the change itself edits does not count: then a failure is one.
  private func fails(_ test: GateTest) -> Bool {
    test.outcome.countsAsFailed || test.isQuarantined && isQuarantineEdited
  }

  private var isQuarantineEdited: Bool { input.change?.editsQuarantine ?? false }
}

/// Which new tests are removed ones in another file.
///
/// Names decide: first with the file's own name, for folders that were renamed, then without. One that is not the only
/// one of its name is not told as moved.
struct GateMoves {
  private(set) var to: [TestID: TestID] = [:]
  private(set) var from: [TestID: TestID] = [:]

  init(gone: [GateTest], new: [GateTest]) {
    for withFile in [true, false] {
      let gone = Self.only(gone.filter { to[$0.id] == nil }, withFile)
      let new = Self.only(new.filter { from[$0.id] == nil }, withFile)
      for (key, old) in gone {
        guard let now = new[key], now.file != old.file else { continue }
        to[old.id] = now.id
        from[now.id] = old.id
      }
    }
  }

  private struct Key: Hashable {
    let adapter: String
    let name: String
    let file: Substring?
  }

  /// By key, those that are alone with it.
  private static func only(_ tests: [GateTest], _ withFile: Bool) -> [Key: GateTest] {
    Dictionary(grouping: tests) { key($0, withFile) }.compactMapValues {
      $0.count == 1 ? $0[0] : nil
    }
  }

  private static func key(_ test: GateTest, _ withFile: Bool) -> Key {
    let adapter = test.id.text.prefix { $0 != ":" }
    // The part behind the file, which says more than the name alone: the class, the module.
    let rest =
      test.file.flatMap { file in
        test.fullName.hasPrefix(file) ? String(test.fullName.dropFirst(file.count)) : nil
      } ?? test.name
    return Key(
      adapter: String(adapter), name: rest,
      file: withFile ? test.file?.split(separator: "/").last ?? "" : nil)
  }
}

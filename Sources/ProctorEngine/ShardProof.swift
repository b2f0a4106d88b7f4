import ProctorModel

/// The proof that reports are all parts of one plan, each once, each whole.
struct ShardProof {
  private let shards: [(piece: ReportMerge.Piece, shard: Shard)]
  private let plan: String?
  private let lost: [Int: String]

  /// - Parameters:
  ///   - plan: the digest that they must have; nil for whatever they have, if all have the same.
  ///   - lost: what became of shards that are not there, as far as that is known.
  init(_ pieces: [ReportMerge.Piece], plan: String?, lost: [Int: String]) {
    shards = pieces.compactMap { piece in piece.report.shard.map { (piece, $0) } }
    self.plan = plan
    self.lost = lost
  }

  /// What is not proved; nil when all is, or when nothing is divided.
  var failure: Verdict? {
    guard let first = shards.first?.shard else {
      return plan.map { _ in
        ReportMerge.error(.shardMissing, "no report of a shard is there\(words(lost.keys.min()))")
      }
    }
    return invalid ?? differing(first) ?? twice ?? missing(first) ?? shared ?? rebuilt(first)
  }

  private var invalid: Verdict? {
    shards.first {
      !(1...Shard.most ~= $0.shard.count) || !(1...$0.shard.count ~= $0.shard.index)
    }.map { conflict("\($0.piece.name) says it is \($0.shard.title)") }
  }

  /// Another plan, or other code.
  private func differing(_ first: Shard) -> Verdict? {
    if let plan, let other = shards.first(where: { $0.shard.plan != plan }) {
      return conflict("\(other.piece.title) is of another plan than this run's")
    }
    for (piece, shard) in shards.dropFirst() {
      let pair = "\(shards[0].piece.title) and \(piece.title)"
      if shard.count != first.count {
        return conflict("\(pair) are of different numbers of shards")
      }
      if shard.selection != first.selection {
        return conflict("\(pair) ran different selections")
      }
      if Self.differ(shard.commit, first.commit) || Self.differ(shard.code, first.code) {
        return conflict("\(pair) ran different code")
      }
      if shard.plan != first.plan || shard.planned != first.planned {
        let plans = "\(first.plan.prefix(12)) and \(shard.plan.prefix(12))"
        return conflict(
          "\(pair) are of different plans (\(plans)): every machine must have the same --durations")
      }
    }
    return nil
  }

  /// What one of them does not know is no difference.
  private static func differ(_ left: String?, _ right: String?) -> Bool {
    left != nil && right != nil && left != right
  }

  private var twice: Verdict? {
    zip(shards, shards.dropFirst()).first { $0.shard.index == $1.shard.index }.map {
      conflict("\($0.shard.title) is there twice: \($0.piece.name) and \($1.piece.name)")
    }
  }

  private func missing(_ first: Shard) -> Verdict? {
    let present = Set(shards.map(\.shard.index))
    let gone = (1...first.count).filter { !present.contains($0) }
    guard !gone.isEmpty else { return nil }
    let names = gone.prefix(10).map(String.init).joined(separator: ", ")
    return ReportMerge.error(
      .shardMissing,
      "\(gone.count == 1 ? "shard" : "shards") \(names)"
        + (gone.count > 10 ? " and \(gone.count - 10) more" : "")
        + " of \(first.count) \(gone.count == 1 ? "is" : "are") missing"
        + words(gone.first { lost[$0] != nil }))
  }

  private func words(_ shard: Int?) -> String {
    shard.flatMap { lost[$0] }.map { " (\($0))" } ?? ""
  }

  /// A test in two shards.
  private var shared: Verdict? {
    var owners: [TestID: Int] = [:]
    for (piece, shard) in shards {
      for id in piece.tests {
        if let other = owners.updateValue(shard.index, forKey: id), other != shard.index {
          return conflict("\(id) is in shard \(other) and in shard \(shard.index)")
        }
      }
    }
    return nil
  }

  /// The plan as it was carried out must be the plan that was made: its digest is computed again.
  private func rebuilt(_ first: Shard) -> Verdict? {
    var entries: [String: Int] = [:]
    for (piece, shard) in shards {
      let whole = shard.projects ?? []
      let found =
        whole + piece.tests.map(\.text).filter { id in !whole.contains(where: id.hasPrefix) }
      // What did not build or collect has no tests to tell of, and is red by itself.
      if found.count != shard.assigned, piece.report.errors.isEmpty {
        return conflict(
          "\(piece.title) was given \(shard.assigned) tests, and tells of \(found.count)")
      }
      for entry in found { entries[entry] = shard.index }
    }
    let carriedOut = ShardPlan(count: first.count, selection: first.selection, shards: entries)
    guard carriedOut.digest != first.plan else { return nil }
    if shards.contains(where: { !$0.piece.report.errors.isEmpty }) { return nil }
    return conflict("the tests of all shards together are not those of the plan")
  }

  private func conflict(_ message: String) -> Verdict {
    ReportMerge.error(.shardConflict, message)
  }
}

extension ReportMerge.Piece {
  /// Those with an outcome, and those without one.
  fileprivate var tests: [TestID] {
    report.tests.map(\.test.id) + report.missing.map(\.id)
  }
}

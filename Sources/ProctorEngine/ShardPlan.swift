import Crypto
public import FoundationEssentials
public import ProctorModel

/// Which machine runs which tests: every listed test of a selection in exactly one shard.
///
/// The plan is the same on every machine that lists the same tests and has the same durations. Its digest stands in each
/// shard's report, and can be computed again from what all of them ran.
public struct ShardPlan: Hashable, Sendable {
  /// Parts, at least 1.
  public let count: Int
  /// The filter; nil for everything.
  public let selection: String?
  /// The 1-based shard of each entry: a test's id, or the beginning of the ids of a project that can only be run whole.
  let shards: [String: Int]
  /// SHA-256 in hexadecimal digits, over the entries in order, their shards, the count and the selection.
  public let digest: String

  /// The form of plan files, and of what the digest is over.
  private static let version = 1

  init(count: Int, selection: String?, shards: [String: Int]) {
    self.count = count
    self.selection = selection
    self.shards = shards
    var hash = SHA256()
    func add(_ text: String) { hash.update(data: Data("\(text.utf8.count):\(text)\n".utf8)) }
    add("proctor shard plan \(Self.version)")
    add("\(count)")
    add(selection ?? "")
    add(selection == nil ? "everything" : "filtered")
    for (entry, shard) in shards.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) })
    {
      add(entry)
      add("\(shard)")
    }
    digest = hash.finalize().map { byte in
      let digits = String(byte, radix: 16)
      return digits.count == 1 ? "0\(digits)" : digits
    }.joined()
  }

  /// Tests and whole projects.
  public var entries: Int { shards.count }

  func entries(of shard: Int) -> Int { shards.values.count { $0 == shard } }

  /// The 1-based shard of a test or a whole project; nil when the plan does not have it.
  func shard(of entry: String) -> Int? { shards[entry] }
}

extension ShardPlan {
  /// Balances tests by what they took before, the longest first.
  ///
  /// Tests of one file (or suite, where files are not known) stay together, since most runners pay for each file once;
  /// a file that takes longer than a quarter of a shard's share is cut into pieces, so that no shard waits for one file.
  /// A test of unknown duration counts as the median.
  /// - Parameters:
  ///   - whole: projects that can only be run whole.
  ///   - duration: milliseconds that a test took before; nil for unknown. All machines must be told the same.
  public init(
    tests: [TestCase], whole: [Project], count: Int, selection: String?,
    duration: (TestID) -> Double?
  ) {
    let known = tests.map { duration($0.id).flatMap(Self.microseconds) }
    let typical = Self.median(known.compactMap(\.self))
    let weighed = zip(tests, known).map { (test: $0, weight: $1 ?? typical) }
    let total = weighed.reduce(0) { $0 + $1.weight }
    // Nothing is known of what such a project holds: it counts as one shard's share of the rest.
    let share = max(1, total / count)
    var units = whole.map { Unit(entries: [TestID(project: $0, fullName: "").text], weight: share) }
    for group in Dictionary(grouping: weighed, by: { Self.group($0.test) }).values {
      let tests = group.map { (entry: $0.test.id.text, weight: $0.weight) }
      units += Self.pieces(tests.sorted { $0.entry < $1.entry }, most: max(1, share / 4))
    }
    var loads = [Int](repeating: 0, count: count)
    var shards: [String: Int] = [:]
    for unit in units.sorted() {
      let lightest = loads.indices.min { (loads[$0], $0) < (loads[$1], $1) } ?? 0
      loads[lightest] += unit.weight
      for entry in unit.entries { shards[entry] = lightest + 1 }
    }
    self.init(count: count, selection: selection, shards: shards)
  }

  /// What is assigned as one.
  private struct Unit: Comparable {
    /// Sorted, never empty.
    let entries: [String]
    /// Microseconds, at least 1: sums of whole numbers are the same in any order.
    let weight: Int

    static func < (left: Unit, right: Unit) -> Bool {
      (right.weight, left.entries.first ?? "") < (left.weight, right.entries.first ?? "")
    }
  }

  /// Neighbours together, up to a weight.
  private static func pieces(_ tests: [(entry: String, weight: Int)], most: Int) -> [Unit] {
    var (pieces, entries, weight): ([Unit], [String], Int) = ([], [], 0)
    for test in tests {
      if !entries.isEmpty, weight + test.weight > most {
        pieces.append(Unit(entries: entries, weight: weight))
        (entries, weight) = ([], 0)
      }
      entries.append(test.entry)
      weight += test.weight
    }
    return entries.isEmpty ? pieces : pieces + [Unit(entries: entries, weight: weight)]
  }

  private static func group(_ test: TestCase) -> String {
    TestID(project: test.project, fullName: test.file ?? test.product ?? test.suite).text
  }

  /// nil for what no clock can have shown.
  private static func microseconds(_ milliseconds: Double) -> Int? {
    guard milliseconds.isFinite, milliseconds >= 0, milliseconds < 1e10 else { return nil }
    return max(1, Int(milliseconds * 1000))
  }

  /// Of microseconds; a millisecond when nothing is known.
  private static func median(_ values: [Int]) -> Int {
    values.isEmpty ? 1000 : values.sorted()[values.count / 2]
  }
}

// MARK: as a file

extension ShardPlan {
  private struct File: Codable {
    struct Entry: Codable {
      let entry: String
      let shard: Int
    }

    let proctor_shard_plan: Int
    let count: Int
    let selection: String?
    let digest: String
    let entries: [Entry]
  }

  /// As JSON, for machines that shall not plan by themselves.
  public var data: Data {
    let file = File(
      proctor_shard_plan: Self.version, count: count, selection: selection, digest: digest,
      entries: shards.sorted { $0.key < $1.key }.map { .init(entry: $0.key, shard: $0.value) })
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return ((try? encoder.encode(file)) ?? Data()) + Data("\n".utf8)
  }

  /// - Throws: `EngineError` with code `usage` for what is no plan, or one that was changed.
  public init(reading data: Data, from path: String) throws(EngineError) {
    guard let file = try? JSONDecoder().decode(File.self, from: data),
      file.proctor_shard_plan == Self.version, 1...Shard.most ~= file.count
    else {
      throw EngineError(
        .usage, "\(path) is no plan of shards",
        resolution: "Give the file that proctor wrote, whole.")
    }
    self.init(
      count: file.count, selection: file.selection,
      shards: Dictionary(file.entries.map { ($0.entry, $0.shard) }) { first, _ in first })
    guard digest == file.digest, shards.count == file.entries.count,
      shards.values.allSatisfy({ 1...count ~= $0 })
    else {
      throw EngineError(
        .usage, "\(path) is not as proctor wrote it: its digest does not fit",
        resolution: "Have the plan written again.")
    }
  }

  /// - Throws: `EngineError` with code `usage` when there is none.
  public static func read(_ path: String) throws(EngineError) -> ShardPlan {
    guard let data = FileSystem.read(path, limit: ReportReader.fileLimitMB << 20) else {
      throw EngineError(
        .usage, "\(path) cannot be read", resolution: "Name the file of a plan with --plan.")
    }
    return try ShardPlan(reading: data, from: path)
  }
}

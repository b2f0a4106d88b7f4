import ProctorModel

/// Which shard an engine of continuous integration, a cluster or a build tool says this process is, by the variables
/// that each of them documents.
public struct ShardEnvironment: Sendable {
  /// The request, and what is to be created to say that shards are understood (Bazel's `TEST_SHARD_STATUS_FILE`).
  public struct Found: Sendable {
    public let request: ShardRequest
    public let statusFile: String?
  }

  /// A pair of variables.
  private struct Pair {
    let index: String
    /// Of the first shard.
    let first: Int
    let count: String
    /// The index is only there where there are several.
    var indexIsOptional = false
    /// The count comes from proctor's user.
    var countIsOwn = false
  }

  private static let own = "PROCTOR_SHARD"
  private static let ownCount = "PROCTOR_SHARDS"
  private static let pairs = [
    Pair(index: "CI_NODE_INDEX", first: 1, count: "CI_NODE_TOTAL", indexIsOptional: true),
    Pair(index: "CIRCLE_NODE_INDEX", first: 0, count: "CIRCLE_NODE_TOTAL"),
    Pair(index: "BUILDKITE_PARALLEL_JOB", first: 0, count: "BUILDKITE_PARALLEL_JOB_COUNT"),
    Pair(index: "SYSTEM_JOBPOSITIONINPHASE", first: 1, count: "SYSTEM_TOTALJOBSINPHASE"),
    Pair(index: "SEMAPHORE_JOB_INDEX", first: 1, count: "SEMAPHORE_JOB_COUNT"),
    Pair(index: "TEST_SHARD_INDEX", first: 0, count: "TEST_TOTAL_SHARDS"),
    Pair(index: "JOB_COMPLETION_INDEX", first: 0, count: ownCount, countIsOwn: true),
  ]

  private let variables: [String: String]

  public init(_ variables: [String: String]) { self.variables = variables }

  /// - Throws: `EngineError` with code `usage` that names the variable when one is missing, broken, or says something
  ///   else than another.
  public func found() throws(EngineError) -> Found {
    if let text = value(Self.own) {
      return Found(request: try ShardRequest(text, from: Self.own), statusFile: nil)
    }
    var all: [(name: String, request: ShardRequest)] = []
    for pair in Self.pairs {
      if let request = try request(pair) { all.append((pair.index, request)) }
    }
    if let request = try slurm() { all.append(("SLURM_ARRAY_TASK_ID", request)) }
    // Several engines set their variables also where nothing is divided.
    let divided = all.filter { $0.request.count > 1 }
    guard let first = divided.first ?? all.first else { throw Self.nothing }
    if let other = divided.first(where: {
      ($0.request.index, $0.request.count) != (first.request.index, first.request.count)
    }) {
      throw EngineError(
        .usage,
        "\(first.name) says shard \(Self.words(first.request)), \(other.name) says "
          + Self.words(other.request),
        resolution: "Say which: \(Self.own)=\(Self.words(first.request)), or --shard.")
    }
    let isBazel = divided.contains { $0.name == "TEST_SHARD_INDEX" }
    return Found(
      request: first.request, statusFile: isBazel ? value("TEST_SHARD_STATUS_FILE") : nil)
  }

  private func request(_ pair: Pair) throws(EngineError) -> ShardRequest? {
    let (index, count) = (value(pair.index), value(pair.count))
    if pair.countIsOwn, index == nil { return nil }
    guard index != nil || count != nil else { return nil }
    guard let count else {
      throw Self.missing(
        pair.count, beside: pair.index,
        pair.countIsOwn ? "Set \(pair.count) to the number of shards." : nil)
    }
    let total = try number(count, of: pair.count, 1...Shard.most)
    guard let index else {
      if pair.indexIsOptional, total == 1 { return ShardRequest(index: 1, count: 1) }
      throw Self.missing(pair.index, beside: pair.count, nil)
    }
    let range = pair.first...(pair.first + total - 1)
    return ShardRequest(
      index: try number(index, of: pair.index, range) - pair.first + 1, count: total)
  }

  /// Any array without gaps: `--array=1-8`, `--array=0-30:10`.
  private func slurm() throws(EngineError) -> ShardRequest? {
    let name = "SLURM_ARRAY_TASK_ID"
    guard let text = value(name) else { return nil }
    func read(_ name: String, _ range: ClosedRange<Int>) throws(EngineError) -> Int {
      guard let text = value(name) else {
        throw Self.missing(name, beside: "SLURM_ARRAY_TASK_ID", nil)
      }
      return try number(text, of: name, range)
    }
    let least = try read("SLURM_ARRAY_TASK_MIN", 0...Int(Int32.max))
    let greatest = try read("SLURM_ARRAY_TASK_MAX", least...Int(Int32.max))
    let count = try read("SLURM_ARRAY_TASK_COUNT", 1...Shard.most)
    let task = try number(text, of: name, least...greatest)
    let step = count > 1 ? max(1, (greatest - least) / (count - 1)) : 1
    guard least + step * (count - 1) == greatest, (task - least) % step == 0 else {
      throw EngineError(
        .usage,
        "SLURM_ARRAY_TASK_COUNT is \(count), and the array from \(least) to \(greatest) has gaps",
        resolution: "Submit an array without gaps, such as --array=1-\(count), or give --shard I/N."
      )
    }
    return ShardRequest(index: (task - least) / step + 1, count: count)
  }

  /// Absent is absent, and so is an empty one.
  private func value(_ name: String) -> String? {
    variables[name].flatMap { $0.isEmpty ? nil : $0 }
  }

  private func number(
    _ text: String, of name: String, _ range: ClosedRange<Int>
  ) throws(EngineError) -> Int {
    guard let number = ShardRequest.number(text), range.contains(number) else {
      throw EngineError(
        .usage,
        "\(name) is \"\(text)\", not a number from \(range.lowerBound) to \(range.upperBound)",
        resolution: "Correct the variable, or give --shard I/N.")
    }
    return number
  }

  private static func words(_ request: ShardRequest) -> String {
    "\(request.index)/\(request.count)"
  }

  private static func missing(
    _ name: String, beside other: String, _ resolution: String?
  ) -> EngineError {
    EngineError(
      .usage, "\(other) is set and \(name) is not",
      resolution: resolution ?? "Set both, or give --shard I/N.")
  }

  private static let nothing = EngineError(
    .usage, "--shard auto: no variable says which shard this is",
    resolution: "Set \(own)=I/N or give --shard I/N. These are looked for: "
      + pairs.map(\.index).joined(separator: ", ") + ", SLURM_ARRAY_TASK_ID.")
}

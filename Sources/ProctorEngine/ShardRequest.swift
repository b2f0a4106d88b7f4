public import ProctorModel

/// The part of a run that a machine is asked for.
public struct ShardRequest: Sendable {
  /// 1-based.
  public let index: Int
  public let count: Int
  /// Made elsewhere; nil: made here, of what is listed here.
  public var plan: ShardPlan?
  /// Milliseconds that tests took before.
  public var durations: [TestID: Double] = [:]

  public init(index: Int, count: Int) {
    self.index = index
    self.count = count
  }

  /// `2/4`, 1-based.
  /// - Parameter name: of the option or variable that says so, for complaints.
  /// - Throws: `EngineError` with code `usage`.
  public init(_ text: String, from name: String) throws(EngineError) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let index = Self.number(parts[0]), let count = Self.number(parts[1])
    else {
      throw EngineError(
        .usage, "\(name) is \"\(text)\", which is no shard",
        resolution: "Give the shard and how many there are: 2/4 for the second of four.")
    }
    guard 1...Shard.most ~= count, 1...count ~= index else {
      throw EngineError(
        .usage, "\(name) is \"\(text)\": there is no such shard",
        resolution: "Shards are counted from 1 to their number, which is at most \(Shard.most).")
    }
    self.init(index: index, count: count)
  }

  /// Digits only; nil for anything else.
  static func number(_ text: some StringProtocol) -> Int? {
    text.utf8.allSatisfy { 48...57 ~= $0 } ? Int(text) : nil
  }

  /// - Throws: `EngineError` with code `usage` when the plan is one for another run.
  public func checked(selection: String?) throws(EngineError) -> ShardRequest {
    guard let plan else { return self }
    guard plan.count == count else {
      throw EngineError(
        .usage, "the plan is for \(plan.count) shards, not for \(count)",
        resolution: "Give --shard \(index)/\(plan.count), or the plan that was made for \(count).")
    }
    guard plan.selection == selection else {
      throw EngineError(
        .usage,
        "the plan was made \(Self.words(plan.selection)), this run is \(Self.words(selection))",
        resolution: "Give the filter that the plan was made with.")
    }
    return self
  }

  private static func words(_ selection: String?) -> String {
    selection.map { "for the filter \($0)" } ?? "without a filter"
  }
}

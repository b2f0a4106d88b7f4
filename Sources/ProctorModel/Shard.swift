/// The part of a divided run that a report tells of: what is needed to prove that all parts are there.
public struct Shard: Hashable, Sendable, Codable {
  /// 1-based.
  public let index: Int
  public let count: Int
  /// The digest of the plan that divided the tests: `ShardPlan`.
  public let plan: String
  /// Entries of the whole plan: tests, and projects that can only be run whole.
  public let planned: Int
  /// Entries of this part.
  public let assigned: Int
  /// Projects of this part that can only be run whole, as the beginning of their tests' ids.
  public let projects: [String]?
  /// The filter; nil for everything.
  public let selection: String?
  /// Of the repository; nil where that is not known.
  public let commit: String?
  /// A digest of the source files' names and contents, the same on every machine; nil where that is not known.
  public let code: String?

  public init(
    index: Int, count: Int, plan: String, planned: Int, assigned: Int, projects: [String]? = nil,
    selection: String? = nil, commit: String? = nil, code: String? = nil
  ) {
    self.index = index
    self.count = count
    self.plan = plan
    self.planned = planned
    self.assigned = assigned
    self.projects = projects
    self.selection = selection
    self.commit = commit
    self.code = code
  }

  /// Parts that one run can have.
  public static let most = 10_000

  /// Others have all tests of the plan.
  public var isEmpty: Bool { assigned == 0 && planned > 0 }

  /// `shard 2 of 4`, for messages.
  public var title: String { "shard \(index) of \(count)" }
}

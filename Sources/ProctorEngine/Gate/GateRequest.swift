public import ProctorModel

/// What a gate is to compare.
public struct GateRequest: Sendable {
  /// A revision; nil for the files as they are.
  public var head: String?
  /// A report of head's tests; nil to run them.
  public var headReport: String?
  /// What head is to be merged into, a revision; nil to find it.
  public var base: String?
  /// A report of base's tests; nil for the history's, else to run them.
  public var baseReport: String?
  /// What earlier runs say.
  public var memory: any GateMemory = NoGateMemory()

  public init() {}
}

/// What earlier runs of a workspace say to a gate, and what is kept of its own.
public protocol GateMemory: Sendable {
  /// The tests of a commit; nil when not all of them are known.
  func side(of commit: String) async -> GateSide?
  /// Of tests that failed, those that passed on the same code before; in a sentence each.
  func passes(of ids: [TestID], on code: CodeOrigin) async -> [TestID: String]
  /// A run of a side is over.
  /// - Parameter code: what it was of; nil for the workspace's files as they are.
  func keep(_ report: Report, of code: CodeOrigin?) async
}

/// Nothing is known, and nothing kept.
struct NoGateMemory: GateMemory {
  func side(of commit: String) async -> GateSide? { nil }
  func passes(of ids: [TestID], on code: CodeOrigin) async -> [TestID: String] { [:] }
  func keep(_ report: Report, of code: CodeOrigin?) async {}
}

import Synchronization

/// How often the same tests run, where once is not enough.
public struct Repetition: Sendable, Hashable {
  /// Times at most; nil for as long as there is time.
  public let most: Int?
  /// Whether the first failure ends it.
  public let untilFailure: Bool

  public init(most: Int?, untilFailure: Bool) {
    self.most = most
    self.untilFailure = untilFailure
  }
}

/// What the projects of a run tell each other: that one of them has found a failure.
final class FailureSeen: Sendable {
  private let seen = Mutex(false)

  var isSet: Bool { seen.withLock { $0 } }
  func set() { seen.withLock { $0 = true } }
}

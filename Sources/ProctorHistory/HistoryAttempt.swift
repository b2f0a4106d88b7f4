public import ProctorModel

/// One execution of a test, as the history keeps it.
public struct HistoryAttempt: Hashable, Sendable {
  /// Scalars of a failure's message that are kept.
  private static let messageLimit = 200

  /// 1-based, in its run.
  public let number: Int
  public let outcome: Outcome
  /// nil when the runner did not say.
  public let durationMS: Double?
  /// The first line of what went wrong first.
  public let message: String?
  public let location: SourceLocation?

  public init(
    number: Int, outcome: Outcome, durationMS: Double?, message: String? = nil,
    location: SourceLocation? = nil
  ) {
    self.number = number
    self.outcome = outcome
    self.durationMS = durationMS
    self.message = message
    self.location = location
  }

  init(_ attempt: Attempt, number: Int) {
    let failure = attempt.outcome.countsAsFailed ? attempt.failures.first : nil
    self.init(
      number: number, outcome: attempt.outcome, durationMS: attempt.durationMS,
      message: failure.flatMap { Self.short($0.message) },
      location: failure?.location)
  }

  /// - Returns: nil for nothing but space.
  static func short(_ message: String) -> String? {
    let line = message.unicodeScalars.split { $0 == "\n" || $0 == "\r" }
      .first { !$0.allSatisfy(\.properties.isWhitespace) }
    return line.map { String(String.UnicodeScalarView($0.prefix(messageLimit))) }
  }
}

/// An execution of a test with the run that it was in.
public struct RecordedAttempt: Hashable, Sendable {
  public let run: HistoryRun
  public let attempt: HistoryAttempt
}

/// A test that the history knows.
public struct HistoryTest: Hashable, Sendable {
  public let id: TestID
  /// Its own name, without the suite.
  public let name: String

  public init(id: TestID, name: String) {
    self.id = id
    self.name = name
  }
}

import ProctorModel

// What answers tell of tests that ran several times, and of those that the verdict leaves out; absent is absent.

/// A test that failed and passed on the same code.
struct FlakyAnswer: Encodable {
  let id: TestID
  let full_name: String
  let attempts: Int
  let failed_attempts: Int
  /// Of its first failure.
  let error: String?
  let file: String?
  let line: Int?

  init(_ result: TestResult) {
    let failed = result.attempts.filter { $0.outcome.countsAsFailed }
    let failure = failed.first?.failures.first
    id = result.test.id
    full_name = result.test.fullName
    attempts = result.attempts.count
    failed_attempts = failed.count
    error = failed.first?.firstMessage.cut(2000)
    file = failure?.location?.file ?? result.test.file
    line = failure?.location?.line
  }
}

/// A failure that the quarantine file keeps out of the verdict, and the entry that does.
struct QuarantinedAnswer: Encodable {
  let id: TestID
  let full_name: String
  let outcome: Outcome
  let error: String
  let file: String?
  let line: Int?
  let entry: String
  let owner: String
  let reason: String
  let expires: String

  /// nil for a test that counts.
  init?(_ result: TestResult) {
    guard let quarantined = result.quarantined else { return nil }
    let attempt = quarantined.attempt
    let failure = attempt.failures.first
    id = result.test.id
    full_name = result.test.fullName
    outcome = attempt.outcome
    error = attempt.firstMessage.cut(2000)
    file = failure?.location?.file ?? result.test.file
    line = failure?.location?.line
    entry = quarantined.entry.text
    owner = quarantined.entry.owner
    reason = quarantined.entry.reason
    expires = quarantined.entry.expires
  }
}

struct ShuffleAnswer: Encodable {
  let seed: UInt64
  /// Those that were seen to run in that order.
  let projects: [String]

  init(_ shuffle: Report.Shuffle) {
    seed = shuffle.seed
    projects = shuffle.projects.map(\.title)
  }
}

/// The keys that all answers about runs have for this.
struct RerunAnswer: Encodable {
  /// Listed where little is wanted.
  static let fewShown = 5

  private let flaky: Int?
  private let flaky_policy: FlakyPolicy?
  private let flaky_tests: [FlakyAnswer]?
  private let quarantined: Int?
  private let quarantined_tests: [QuarantinedAnswer]?
  private let repetitions: Int?
  private let shuffle: ShuffleAnswer?
  private let notes: [String]?

  /// - Parameter most: tests and notes listed of each kind; nil for all.
  init(_ report: Report, most: Int? = nil) {
    let most = most ?? .max
    let flaky = report.flaky
    let quarantined = report.quarantined
    self.flaky = flaky.isEmpty ? nil : flaky.count
    flaky_policy = flaky.isEmpty ? nil : report.flakyPolicy
    flaky_tests = flaky.prefix(most).map(FlakyAnswer.init).nonEmpty
    self.quarantined = quarantined.isEmpty ? nil : quarantined.count
    quarantined_tests = quarantined.prefix(most).compactMap(QuarantinedAnswer.init).nonEmpty
    repetitions = report.repetitions
    shuffle = report.shuffle.map(ShuffleAnswer.init)
    notes = report.notes.prefix(most).map { $0.cut(2000) }.nonEmpty
  }
}

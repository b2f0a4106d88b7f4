import FoundationEssentials
import ProctorModel

// What answers tell of single tests, key by key as the contract fixes it; absent is absent.

struct FailureAnswer: Encodable {
  let test: String
  let id: TestID
  let full_name: String
  let adapter: AdapterID
  let suite: String
  let outcome: Outcome
  let raw_status: String
  let file: String?
  let line: Int?
  let column: Int?
  let definition_line: Int?
  let duration_ms: Double?
  var error: String
  var more_failures: [Detail]?
  var frames: [Frame]?
  var stdout: String?
  var stdout_omitted_bytes: Int?
  var stderr: String?
  var stderr_omitted_bytes: Int?
  let attempts: Int
  /// nil in answers to models, as the next two.
  var started_ms: Double?
  var worker: String?
  var attempt_details: [AttemptAnswer]?
  /// Other tests that fail alike and are not listed.
  var similar_failures: Int?

  struct Detail: Encodable {
    let error: String
    let file: String?
    let line: Int?
    let column: Int?

    init(_ failure: Failure) {
      error = failure.message
      file = failure.location?.file
      line = failure.location?.line
      column = failure.location?.column
    }
  }

  init(_ result: TestResult) {
    let attempt = result.last
    let first = attempt.failures.first
    test = result.test.name
    id = result.test.id
    full_name = result.test.fullName
    adapter = result.test.project.adapter
    suite = result.test.suite
    outcome = attempt.outcome
    raw_status = attempt.rawStatus
    file = first?.location?.file ?? result.test.file
    line = first?.location?.line
    column = first?.location?.column
    definition_line = result.test.definition?.line
    duration_ms = attempt.shownDuration
    error = attempt.firstMessage
    more_failures = attempt.failures.dropFirst().map(Detail.init).nonEmpty
    frames = first?.frames.nonEmpty
    stdout = attempt.stdout?.nonEmpty?.text
    stdout_omitted_bytes = attempt.stdout?.omittedCount
    stderr = attempt.stderr?.nonEmpty?.text
    stderr_omitted_bytes = attempt.stderr?.omittedCount
    attempts = result.attempts.count
    started_ms = attempt.startedMS?.rounded3
    worker = attempt.worker
    attempt_details = AttemptAnswer.all(of: result)
  }
}

struct TestRow: Encodable {
  let id: TestID
  let name: String
  let full_name: String
  let adapter: AdapterID
  let suite: String
  let file: String?
  let definition_line: Int?
  let outcome: Outcome
  let raw_status: String
  let duration_ms: Double?
  let note: String?
  let attempts: Int
  let started_ms: Double?
  let worker: String?
  let attempt_details: [AttemptAnswer]?

  init(_ result: TestResult) {
    id = result.test.id
    name = result.test.name
    full_name = result.test.fullName
    adapter = result.test.project.adapter
    suite = result.test.suite
    file = result.test.file
    definition_line = result.test.definition?.line
    outcome = result.outcome
    raw_status = result.last.rawStatus
    duration_ms = result.last.shownDuration
    note = result.last.note
    attempts = result.attempts.count
    started_ms = result.last.startedMS?.rounded3
    worker = result.last.worker
    attempt_details = result.outcome.countsAsFailed ? nil : AttemptAnswer.all(of: result)
  }
}

/// One of several executions of a test.
struct AttemptAnswer: Encodable {
  let outcome: Outcome
  let raw_status: String
  let duration_ms: Double?
  let started_ms: Double?
  let worker: String?
  let error: String?
  let file: String?
  let line: Int?
  let stdout: String?
  let stderr: String?

  /// nil for a test that was executed once.
  static func all(of result: TestResult) -> [AttemptAnswer]? {
    guard result.attempts.count > 1 else { return nil }
    return result.attempts.enumerated().map {
      AttemptAnswer($1, decides: $0 == result.deciding)
    }
  }

  /// - Parameter decides: its output stands in the failure itself.
  private init(_ attempt: Attempt, decides: Bool) {
    outcome = attempt.outcome
    raw_status = attempt.rawStatus
    duration_ms = attempt.shownDuration
    started_ms = attempt.startedMS?.rounded3
    worker = attempt.worker
    error = attempt.outcome.countsAsFailed ? attempt.firstMessage : nil
    file = attempt.failures.first?.location?.file
    line = attempt.failures.first?.location?.line
    stdout = decides ? nil : attempt.stdout?.nonEmpty?.text
    stderr = decides ? nil : attempt.stderr?.nonEmpty?.text
  }
}

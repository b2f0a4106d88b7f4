public import FoundationEssentials
public import ProctorModel

/// A report that `proctor run --format json` wrote, read again: its keys as the contract has them.
///
/// `Report(recorded:)` makes the model of it.
public struct RecordedReport: Codable, Sendable {
  struct Attempt: Codable, Sendable {
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
  }

  struct Detail: Codable, Sendable {
    let error: String
    let file: String?
    let line: Int?
    let column: Int?
  }

  struct Failure: Codable, Sendable {
    let test: String
    let id: String
    let full_name: String
    let adapter: String
    let suite: String
    let outcome: Outcome
    let raw_status: String
    let file: String?
    let line: Int?
    let column: Int?
    let definition_line: Int?
    let duration_ms: Double?
    let started_ms: Double?
    let worker: String?
    let error: String
    let more_failures: [Detail]?
    let frames: [Frame]?
    let stdout: String?
    let stdout_omitted_bytes: Int?
    let stderr: String?
    let stderr_omitted_bytes: Int?
    let attempts: Int
    let attempt_details: [Attempt]?
  }

  struct Test: Codable, Sendable {
    let id: String
    let name: String
    let full_name: String
    let adapter: String
    let suite: String
    let file: String?
    let definition_line: Int?
    let outcome: Outcome
    let raw_status: String
    let duration_ms: Double?
    let started_ms: Double?
    let worker: String?
    let note: String?
    let attempts: Int
    let attempt_details: [Attempt]?
  }

  /// Shown only: its test is listed as skipped.
  struct Quarantined: Codable, Sendable {
    let id: String
    let outcome: Outcome
    let error: String
    let file: String?
    let line: Int?
    let owner: String
    let reason: String
    let expires: String
  }

  struct Problem: Codable, Sendable {
    let stage: RunError.Stage
    let adapter: String?
    let suite: String?
    let file: String?
    let line: Int?
    let column: Int?
    let code: String?
    let message: String
  }

  struct Sample: Codable, Sendable {
    let elapsed_ms: Double
    let cpu_percent: Double?
    let memory_mb: Double?
  }

  struct Command: Codable, Sendable {
    let purpose: Invocation.Purpose
    let argv: [String]
    let exit_code: Int32?
    let signal: Int32?
    let duration_ms: Double
    let started_ms: Double?
    let peak_memory_mb: Double?
    let cpu_ms: Double?
    let samples: [Sample]?
  }

  struct Adapter: Codable, Sendable {
    let adapter: String
    let root: String
    let evidence: String?
    let version: String?
    let total_tests: Int
    let passed: Int
    let failed: Int
    let skipped: Int
    let execution_time_ms: Double
    let commands: [Command]?
    let output: String?
  }

  struct Sandbox: Codable, Sendable {
    let backend: String
    let layers: [String]
    let network: String
    let workspace: String
    let limits: ResourceLimits?
    let limits_by: String?
    let missing: [String]?
    let denied: [Denial]?
    let denied_omitted: Int?
    let reached: [ReachedLimit]?
  }

  struct Change: Codable, Sendable {
    struct File: Codable, Sendable {
      let path: String
      let change: CandidateChange.Kind
      let insertions: Int?
      let deletions: Int?
    }

    let files: [File]
    let touches_tests: [String]
  }

  var run: String?
  let operation: String?
  public let selection: String?
  let status: Verdict.Status
  let reason: Verdict.Reason?
  let message: String?
  public let total_tests: Int
  let passed: Int
  let failed: Int
  let skipped: Int
  let execution_time_ms: Double
  let started_at: String?
  let code_state: String?
  let failures: [Failure]
  let errors: [Problem]?
  let quarantined_tests: [Quarantined]?
  let missing: [String]?
  let suggestions: [String]?
  let notes: [String]?
  let adapters: [Adapter]
  let sandbox: Sandbox?
  let writes: [WorkspaceWrite]?
  let patch: Change?
  /// The part of a divided run that it is; nil for a whole run.
  public let shard: Shard?
  let tests: [Test]?
  public var sources: [SourceExcerpt]?

  /// Seconds since 1970; nil for a report that does not say.
  public var startedAt: Double? { started_at.flatMap(Timestamp.seconds) }

  /// Whether it has every test and not only those that failed (`--details`).
  public var listsAllTests: Bool { tests != nil }

  /// Where its code went wrong, what matters most first.
  public var places: [SourceLocation] {
    let first = failures.map { ($0.file, $0.line) } + (errors ?? []).map { ($0.file, $0.line) }
    let more = failures.flatMap { failure in
      (failure.more_failures ?? []).map { ($0.file, $0.line) }
        + (failure.frames ?? []).prefix(3).map { (Optional($0.file), $0.line) }
        + (failure.attempt_details ?? []).map { ($0.file, $0.line) }
    }
    return (first + more).compactMap { file, line in
      guard let file, line != nil else { return nil }
      return SourceLocation(file: file, line: line)
    }
  }

  /// - Throws: `Unreadable`, which says what it is instead.
  public init(reading data: Data) throws(Unreadable) {
    do {
      self = try JSONDecoder().decode(RecordedReport.self, from: data)
    } catch {
      throw Unreadable(data, error)
    }
  }

  /// Why some bytes are no report.
  public struct Unreadable: Error, Sendable {
    /// Goes on after the file's name: `is not JSON: ...`.
    public let text: String

    init(_ data: Data, _ error: any Error) {
      guard !data.isEmpty else {
        text = "is empty"
        return
      }
      switch error {
      case DecodingError.keyNotFound(let key, let context):
        text =
          "is no answer of proctor run --format json: \(Self.place(context)) lacks "
          + "\"\(key.stringValue)\"\(Self.hint(data))"
      case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
        text = "is no answer of proctor run --format json: \(Self.place(context)) has another type"
      case DecodingError.dataCorrupted(let context) where !context.codingPath.isEmpty:
        text =
          "is no answer of proctor run --format json: \(Self.place(context)) has a value that "
          + "this version of proctor does not know"
      default: text = "is not JSON, or only a part of it"
      }
    }

    private static func place(_ context: DecodingError.Context) -> String {
      let path = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? ".\($0.stringValue)" }
      return path.isEmpty ? "it" : String(path.joined().drop { $0 == "." })
    }

    /// The answer of another command looks like a mistake that is easily made.
    private static func hint(_ data: Data) -> String {
      struct Other: Decodable { let tests_run: Int }
      return (try? JSONDecoder().decode(Other.self, from: data)) == nil
        ? "" : " (it is one of proctor test: use proctor run --filter)"
    }
  }
}

extension Report {
  /// Where its code went wrong, what matters most first.
  public var places: [SourceLocation] {
    let failed = tests.filter { $0.outcome.countsAsFailed }
    let first =
      failed.compactMap(\.last.failures.first?.location) + errors.compactMap(\.location)
    let more = failed.flatMap { test in
      test.attempts.flatMap(\.failures).flatMap { failure in
        [failure.location].compactMap(\.self)
          + failure.frames.prefix(3).map { SourceLocation(file: $0.file, line: $0.line) }
      }
    }
    return (first + more).filter { $0.line != nil }
  }
}

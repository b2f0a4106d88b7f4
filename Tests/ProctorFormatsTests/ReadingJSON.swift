import Foundation
import ProctorFormats
import ProctorModel

/// What a decoder read, as the goldens of `fixtures/reports` hold it.
struct ReadingJSON: Encodable {
  struct Case: Encodable {
    let suites: [String]
    let classname: String?
    let name: String
    let definition: String?
    let outcome: Outcome
    let attempts: [AttemptJSON]
  }

  struct AttemptJSON: Encodable {
    let outcome: Outcome
    let raw_status: String
    let duration_ms: Double?
    let note: String?
    let failures: [FailureJSON]
    let stdout: String?
    let stderr: String?
  }

  struct FailureJSON: Encodable {
    let message: String
    let location: String?
  }

  struct ErrorJSON: Encodable {
    let message: String
    let location: String?
    let suite: String?
  }

  struct NoteJSON: Encodable {
    let kind: String
    let message: String
  }

  let complete: Bool
  let notes: [NoteJSON]
  let errors: [ErrorJSON]
  let cases: [Case]

  init(_ cases: [ReportedCase], _ reading: ReportReading) {
    complete = reading.isComplete
    notes = reading.notes.map { NoteJSON(kind: $0.kind.rawValue, message: $0.message) }
    errors = reading.errors.map {
      ErrorJSON(message: $0.message, location: $0.location?.text, suite: $0.suite)
    }
    self.cases = cases.map(Self.row)
  }

  private static func row(_ found: ReportedCase) -> Case {
    Case(
      suites: found.suites, classname: found.classname, name: found.name,
      definition: found.definition?.text, outcome: found.outcome,
      attempts: found.attempts.map { attempt in
        AttemptJSON(
          outcome: attempt.outcome, raw_status: attempt.rawStatus,
          duration_ms: attempt.durationMS, note: attempt.note,
          failures: attempt.failures.map {
            FailureJSON(message: $0.message, location: $0.location?.text)
          },
          stdout: attempt.stdout?.text, stderr: attempt.stderr?.text)
      })
  }

  var data: Data {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      return try encoder.encode(self) + Data("\n".utf8)
    }
  }
}

public import FoundationEssentials
import ProctorModel

/// Reads the Common Test Report Format (ctrf.io, specVersion 0.0.0 and later).
///
/// Its own summary must fit its tests, and `environment.healthy` false, or an `extra` error, makes the
/// file one that no green verdict may rest on.
public enum CTRF {
  private struct Document: Decodable {
    let results: Results
  }

  private struct Results: Decodable {
    let summary: Summary
    let tests: [Test]
    let environment: Environment?
  }

  private struct Summary: Decodable {
    let tests: Int
    let passed: Int
    let failed: Int
  }

  private struct Environment: Decodable {
    let healthy: Bool?
  }

  private struct Test: Decodable {
    let name: String
    let status: String
    let duration: Double?
    let suite: Suite?
    let message: String?
    let trace: String?
    let rawStatus: String?
    let filePath: String?
    let line: Int?
    let stdout: [String]?
    let stderr: [String]?
  }

  /// A text in early versions, a list of the names around the test in later ones.
  private enum Suite: Decodable {
    case names([String])

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let one = try? container.decode(String.self) {
        self = .names([one])
      } else {
        self = .names(try container.decode([String].self))
      }
    }
  }

  public static func decode(_ data: Data) -> (cases: [ReportedCase], reading: ReportReading) {
    let document: Document
    do {
      document = try JSONDecoder().decode(Document.self, from: data)
    } catch {
      let note = ReportReading.Note(
        kind: .malformed, message: "no CTRF document: \(Self.words(error))")
      return ([], ReportReading(cases: 0, errors: [], notes: [note], isComplete: false))
    }
    let results = document.results
    let cases = results.tests.map(reported)
    var notes: [ReportReading.Note] = []
    let failed = results.tests.count { $0.status == "failed" }
    let passed = results.tests.count { $0.status == "passed" }
    let summary = results.summary
    if (summary.tests, summary.failed, summary.passed) != (cases.count, failed, passed) {
      notes.append(
        ReportReading.Note(
          kind: .countsDisagree,
          message: "the summary says \(summary.tests) tests, \(summary.passed) passed and "
            + "\(summary.failed) failed; the report holds \(cases.count), \(passed) and \(failed)"))
    }
    let isHealthy = results.environment?.healthy != false
    if !isHealthy {
      notes.append(
        ReportReading.Note(
          kind: .malformed, message: "the report says its environment was unhealthy"))
    }
    return (
      cases, ReportReading(cases: cases.count, errors: [], notes: notes, isComplete: isHealthy)
    )
  }

  private static func reported(_ test: Test) -> ReportedCase {
    var suites: [String] = []
    if case .names(let names)? = test.suite { suites = names.filter { !$0.isEmpty } }
    return ReportedCase(
      suites: suites, classname: nil, name: test.name,
      definition: test.filePath.map { SourceLocation(file: $0, line: test.line) },
      attempts: [attempt(test)])
  }

  private static func attempt(_ test: Test) -> Attempt {
    let raw = test.rawStatus ?? test.status
    switch test.status {
    case "passed":
      return Attempt(
        outcome: .passed, rawStatus: raw, durationMS: test.duration, stdout: output(test.stdout),
        stderr: output(test.stderr))
    case "skipped", "pending":
      return Attempt(outcome: .skipped, rawStatus: raw, note: test.message)
    default:
      // "failed", and "other", which says neither: what is not known to have passed has not.
      let message = [test.message, test.trace].compactMap(\.self).filter { !$0.isEmpty }
        .joined(separator: "\n")
      return Attempt(
        outcome: test.status == "failed" ? .failed : .errored, rawStatus: raw,
        durationMS: test.duration,
        failures: [
          Failure(message: message.isEmpty ? raw : String(message.prefix(JUnitXML.messageLimit)))
        ], stdout: output(test.stdout), stderr: output(test.stderr))
    }
  }

  private static func output(_ lines: [String]?) -> CapturedText? {
    lines.map { CapturedText(text: $0.joined(separator: "\n")) }?.nonEmpty
  }

  static func words(_ error: any Error) -> String {
    switch error {
    case DecodingError.keyNotFound(let key, _): "the key \(key.stringValue) is missing"
    case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
      "\(context.codingPath.map(\.stringValue).joined(separator: ".")) has another type"
    default: "it is not JSON, or cut short"
    }
  }
}

import ProctorModel

/// A file that `ingest` read, key by key; absent is absent.
struct ReportAnswer: Encodable {
  struct Note: Encodable {
    let kind: String
    let message: String
  }

  let file: String
  let format: String?
  let tool: String?
  let complete: Bool
  let total_tests: Int
  let passed: Int
  let failed: Int
  let skipped: Int
  /// What its tests took in sum.
  let tests_duration_ms: Double?
  var notes: [Note]?

  init(_ report: ReportFile) {
    file = report.file
    format = report.format
    tool = report.tool
    complete = report.isComplete
    total_tests = report.counts.total
    passed = report.counts.passed
    failed = report.counts.failed
    skipped = report.counts.skipped
    tests_duration_ms = report.durationMS?.rounded3
    notes = report.notes.map { Note(kind: $0.kind, message: $0.message) }.nonEmpty
  }
}

import ProctorFormats
import ProctorModel

/// The only road from foreign reports to a verdict, as strict as that of runs.
struct IngestVerdict {
  /// A file and what reading it came to.
  struct Read {
    let file: String
    let reading: ReportReading
    let counts: Counts
    /// It is none, and stood in a folder among reports.
    let isIgnored: Bool
  }

  let files: [Read]
  let errors: [RunError]
  let counts: Counts

  var verdict: Verdict {
    broken ?? lost ?? errorsOutsideTests ?? failedTests ?? nothingRan ?? Verdict(status: .passed)
  }

  /// A file of which not all could be read.
  private var broken: Verdict? {
    let broken = files.filter { !$0.isIgnored && !$0.reading.isComplete }
    guard let first = broken.first else { return nil }
    let note =
      first.reading.notes.first { Self.losing.contains($0.kind) } ?? first.reading.notes.first
    let more = broken.count > 1 ? " (and \(broken.count - 1) more files)" : ""
    let isLost = note?.kind == .truncated || note?.kind == .unreadable
    return Verdict(
      status: .error, reason: isLost ? .reportLost : .reportCorrupt,
      message: "\(first.file): \(note?.message ?? "not all of it can be understood")\(more)")
  }

  private static let losing: Set<ReportReading.Note.Kind> = [
    .truncated, .malformed, .refused, .unreadable, .notAReport,
  ]

  /// A file whose own totals name more than it holds.
  private var lost: Verdict? {
    guard let first = files.first(where: { $0.reading.claimsMore }) else { return nil }
    let note = first.reading.notes.first { $0.kind == .countsDisagree }
    return Verdict(
      status: .error, reason: .testsMissing,
      message: "\(first.file): \(note?.message ?? "its totals name more tests than it holds")")
  }

  private var errorsOutsideTests: Verdict? {
    guard let first = errors.min(by: { $0.stage.gravity < $1.stage.gravity }) else { return nil }
    let more = errors.count > 1 ? " (and \(errors.count - 1) more)" : ""
    let place = first.location.map { "\($0.text): " } ?? ""
    let line = first.message.split(separator: "\n").first.map(String.init) ?? first.message
    return Verdict(
      status: .failed, reason: first.stage.reason, message: "\(place)\(line)\(more)")
  }

  private var failedTests: Verdict? {
    guard counts.failed > 0 else { return nil }
    return Verdict(
      status: counts.passed > 0 ? .partialFailure : .failed, reason: .testsFailed,
      message: counts.failed == 1 ? "1 test failed" : "\(counts.failed) tests failed")
  }

  private var nothingRan: Verdict? {
    guard counts.passed == 0 else { return nil }
    if counts.total > 0 {
      return Verdict(
        status: .noTests, reason: .allSkipped,
        message: "all \(counts.total) tests were skipped, so nothing was tested")
    }
    let read = files.count { !$0.isIgnored }
    return Verdict(
      status: .noTests, reason: read == 0 ? .nothingDetected : .emptySelection,
      message: read == 0 ? "there is no report in what was named" : "the reports hold no tests")
  }
}

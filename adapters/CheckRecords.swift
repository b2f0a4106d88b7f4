import FoundationEssentials
import ProctorModel

/// What proctor's guest code says of a check: diagnostics, and at the end how much was checked.
struct CheckRecords {
  let context: AdapterContext
  let finished: [FinishedCheck]

  private struct Record: Decodable {
    let event: String
    let severity: String?
    let finder: String?
    let file: String?
    let message: String?
    let code: String?
    let line: Int?
    let column: Int?
    let end_line: Int?
    let end_column: Int?
    let compiled: Int?
  }

  func findings() -> CheckFindings {
    var findings = CheckFindings([], checked: 0)
    var hasEnded = false
    for data in finished.flatMap(\.records) {
      guard let record = try? JSONDecoder().decode(Record.self, from: data) else {
        findings.problem = .init(.reportCorrupt, "a record of the check cannot be read")
        continue
      }
      if record.event == "problem" {
        findings.problem = .init(.toolMissing, record.message ?? "")
      }
      if let compiled = record.compiled {
        findings.checked += compiled
        hasEnded = true
      }
      diagnostic(record).map { findings.diagnostics.append($0) }
    }
    if !hasEnded, findings.problem == nil {
      let place = finished.last.flatMap(Self.lastFile).map { ": \(context.display($0))" } ?? ""
      findings.problem = .init(.reportLost, "the check ended before it was done\(place)")
    }
    return findings
  }

  private func diagnostic(_ record: Record) -> Diagnostic? {
    guard record.event == "diagnostic",
      let severity = record.severity.flatMap(Diagnostic.Severity.init),
      let finder = record.finder.flatMap(Diagnostic.Finder.init)
    else { return nil }
    return Diagnostic(
      severity, by: finder, record.message ?? "",
      at: record.file.map {
        SourceLocation(file: context.display($0), line: record.line, column: record.column)
      }, endLine: record.end_line, endColumn: record.end_column, code: record.code,
      adapter: context.project.adapter)
  }

  /// The file it was busy with when it last said so.
  static func lastFile(of check: FinishedCheck) -> String? {
    check.records.reversed().lazy.compactMap { try? JSONDecoder().decode(Record.self, from: $0) }
      .first { $0.event == "importing" }?.file
  }
}

import FoundationEssentials
import ProctorFormats
public import ProctorModel

extension ReportReader {
  static func content(
    of data: Data
  ) -> Result<RecordedReport, RecordedReport.Unreadable> {
    do {
      return .success(try RecordedReport(reading: data))
    } catch {
      return .failure(error)
    }
  }

  /// Milliseconds that each test took in an earlier run.
  /// - Throws: `EngineError` with code `usage` for what is no report, or one that does not list its tests.
  public static func durations(in file: String) throws(EngineError) -> [TestID: Double] {
    let recorded: RecordedReport
    switch content(of: try data(file)) {
    case .success(let report): recorded = report
    case .failure(let problem): throw unusable(file, problem.text)
    }
    guard recorded.listsAllTests else {
      throw unusable(file, "does not list its tests")
    }
    let pairs = Report(recorded: recorded).tests.compactMap { result in
      result.last.durationMS.map { (result.test.id, $0) }
    }
    return Dictionary(pairs) { first, _ in first }
  }
}

import FoundationEssentials
import ProctorFormats
import ProctorModel

extension ReportReader {
  /// One side of a gate by a file that an earlier run wrote.
  /// - Parameter mayBePatched: whether it may be of a copy that a patch was applied to.
  /// - Throws: `EngineError` with code `usage` for a file that is no report.
  func side(
    in file: String, mayBePatched: Bool
  ) throws(EngineError) -> GateSide {
    guard let recorded = try reports(in: [file]).first else {
      throw EngineError(.usage, "\(file) is no report", resolution: "Name a file.")
    }
    let report = Report(recorded: recorded)
    return GateSide(
      report, source: .report,
      problem: Self.shard(file) ?? Self.problem(recorded, report, mayBePatched))
  }

  /// The part of a divided run that a report is of.
  private struct Part: Decodable {
    struct Shard: Decodable {
      let index: Int
      let count: Int
    }

    let shard: Shard?
  }

  private static func shard(_ file: String) -> String? {
    let data = FileSystem.read(file, limit: fileLimitMB << 20)
    let part = data.flatMap { try? JSONDecoder().decode(Part.self, from: $0) }?.shard
    return part.map { "is shard \($0.index) of \($0.count): merge all of them first" }
  }

  /// Why it does not tell of all tests, as the end of a sentence.
  private static func problem(
    _ recorded: RecordedReport, _ report: Report, _ mayBePatched: Bool
  ) -> String? {
    if recorded.listsAllTests, recorded.total_tests != report.tests.count {
      return "counts \(recorded.total_tests) tests and lists \(report.tests.count)"
    }
    if let selection = recorded.selection { return "is of a selection: \(selection)" }
    if report.change != nil, !mayBePatched { return "is of a patched copy" }
    return nil
  }
}

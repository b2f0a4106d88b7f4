public import FoundationEssentials
public import ProctorFormats
public import ProctorModel

extension ReportReader {
  /// Reports to be merged: files, and those whose names end in `.json` in folders and what is below them.
  /// - Throws: `EngineError` with code `usage` for what is not there, and for folders without a report.
  public static func parts(in paths: [String]) throws(EngineError) -> [ReportMerge.Part] {
    var parts: [ReportMerge.Part] = []
    var known: Set<String> = []
    for path in paths {
      let files = FileSystem.isFolder(path) ? Self.files(below: path) : [path]
      guard !files.isEmpty else {
        throw unusable(path, "is a folder without reports: no file in it is named *.json")
      }
      // A folder and a file of it, or two links, are one report.
      for file in files where known.insert(FileSystem.realPath(file) ?? file).inserted {
        parts.append(ReportMerge.Part(name: file, content: content(of: try data(file))))
      }
    }
    return parts
  }

  private static func files(below folder: String) -> [String] {
    FileSystem.entries(of: folder).flatMap { entry in
      let path = "\(folder.hasSuffix("/") ? String(folder.dropLast()) : folder)/\(entry.name)"
      if entry.isFolder { return files(below: path) }
      return entry.name.hasSuffix(".json") ? [path] : []
    }
  }

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

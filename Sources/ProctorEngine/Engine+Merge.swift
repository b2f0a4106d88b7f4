import Glibc
import ProctorFormats
public import ProctorModel

extension Engine {
  /// Puts reports together: those that proctor wrote, other tools', or both.
  ///
  /// In folders, what `ingest` takes is taken. What ends in `.json` and is in no other tool's format must be a report of
  /// proctor's own there, and what ends in `.tap` or `.trx` must be one; other files that are no reports are passed over.
  /// - Parameter request: whatever it says, all tests are kept, up to its limits for each file.
  /// - Throws: `EngineError` with code `usage` for a file that is not there, and when there is no report.
  public func merge(_ request: IngestRequest) throws(EngineError) -> Report {
    var request = request
    request.keepsAll = true
    let files = try IngestFiles(request, in: workspace)
    if let empty = files.emptyFolders.first {
      throw Self.unusable(
        empty, "is a folder without reports: no file in it is named \(IngestRequest.endings)")
    }
    let sources = self.sources
    var parts: [ReportMerge.Part] = []
    for file in files.files { parts.append(try part(file, request, sources)) }
    if let first = parts.first, parts.allSatisfy(\.isPassedOver) {
      throw Self.unusable(
        first.name, parts.count == 1 ? "is no report" : "is no report, nor is any other file there")
    }
    return ReportMerge(parts).report()
  }

  private static func unusable(_ path: String, _ text: String) -> EngineError {
    EngineError(
      .usage, "\(path) \(text)",
      resolution: "Give reports that proctor run --format json --details or other tools wrote.")
  }

  private func part(
    _ file: IngestFiles.File, _ request: IngestRequest, _ sources: SourceIndex
  ) throws(EngineError) -> ReportMerge.Part {
    let author = try Self.author(of: file)
    if author == .proctor {
      return ReportMerge.Part(
        name: file.name, content: ReportReader.content(of: try ReportReader.data(file.path)))
    }
    return ReportMerge.Part(
      name: file.name, foreign: try report(of: [file], request, sources),
      isPassedOver: author == .nobody && !file.mustBeReport)
  }

  /// Who wrote a report.
  private enum Author {
    case proctor, another
    /// It is none.
    case nobody
  }

  private static func author(of file: IngestFiles.File) throws(EngineError) -> Author {
    errno = 0
    guard let blocks = FileBlocks(file.path) else {
      // A pipe can be read once only; reports of other tools are looked at before.
      if errno == 0 { return .proctor }
      throw unusable(file.name, "cannot be read: \(String(cString: strerror(errno)))")
    }
    switch blocks.look() {
    case .own: return .proctor
    case .format: return .another
    case .empty: return file.ending == "json" ? .proctor : .another
    case .unknown where file.ending == "json": return .proctor
    case .unknown: return .nobody
    }
  }
}

import FoundationEssentials
import Glibc
public import ProctorFormats
import ProctorModel

/// Reads runs to be looked at: from files, or those that a workspace's archive keeps.
public struct ReportReader: Sendable {
  /// Megabytes of one file.
  public static let fileLimitMB = 200
  /// Runs of the archive that one page is made of.
  private static let runs = RunHistory.limit

  private let workspace: String
  private let environment: [String: String]

  /// - Parameter workspace: where the code is that reports speak of; an existing folder.
  public init(workspace: String, environment: [String: String]) throws(EngineError) {
    self.workspace = try Engine.root(of: workspace)
    self.environment = environment
  }

  /// Reports that `proctor run --format json` wrote, with the code around their failures as it is now.
  /// - Throws: `EngineError` with code `usage` that names the first file which is none, and what it is instead.
  public func reports(in files: [String]) throws(EngineError) -> [RecordedReport] {
    var reports: [RecordedReport] = []
    for file in files {
      var report: RecordedReport
      do {
        report = try RecordedReport(reading: try Self.data(file))
      } catch let error as EngineError {
        throw error
      } catch {
        let text = (error as? RecordedReport.Unreadable)?.text ?? "cannot be read"
        throw Self.unusable(file, text)
      }
      report.sources =
        report.sources
        ?? SourceReader(root: workspace).excerpts(around: report.places, since: report.startedAt)
      reports.append(report)
    }
    return reports
  }

  /// The last runs of the workspace, and the kept files that cannot be read.
  /// - Throws: `EngineError` with code `usage` when there is none.
  public func keptReports() throws(EngineError) -> (reports: [RecordedReport], broken: [String]) {
    let kept = try RunArchive(workspace: workspace, environment: environment)
      .reports(most: Self.runs)
    guard !kept.reports.isEmpty else {
      throw EngineError(
        .usage, "no run of \(workspace) is kept",
        resolution: "Run its tests first with proctor run, or name reports that proctor run "
          + "--format json --details wrote.")
    }
    return kept
  }

  static func data(_ file: String) throws(EngineError) -> Data {
    let descriptor = open(file, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw Self.unusable(file, "cannot be read: \(String(cString: strerror(errno)))")
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT != S_IFDIR else {
      throw Self.unusable(file, "is a folder")
    }
    let limit = Self.fileLimitMB << 20
    var data = Data()
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    while data.count <= limit, Int(status.st_size) <= limit {
      let count = FileSystem.read(descriptor, &buffer)
      guard count >= 0 else {
        throw Self.unusable(file, "cannot be read: \(String(cString: strerror(errno)))")
      }
      guard count > 0 else { return data }
      data.append(contentsOf: buffer[..<count])
    }
    throw Self.unusable(file, "is larger than \(Self.fileLimitMB) MB")
  }

  static func unusable(_ file: String, _ text: String) -> EngineError {
    EngineError(
      .usage, "\(file) \(text)",
      resolution: "Give reports that proctor run --format json --details wrote.")
  }
}

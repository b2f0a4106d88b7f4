public import FoundationEssentials
import Glibc
public import ProctorFormats
public import ProctorModel

/// The last runs of a workspace, kept in the cache folder to be looked at.
///
/// A run is one file that appears whole or not at all; its name begins with the moment it began, so that names tell the
/// order. Any number of processes may add to it at once.
public struct RunArchive: Sendable {
  /// Runs that are kept.
  public static let most = 50
  /// Bytes of all that are kept; the oldest make room.
  private static let mostBytes = 256 << 20
  /// A larger run is not kept.
  private static let runLimit = 64 << 20
  /// Workspaces of which runs are kept; the one that ran longest ago makes room.
  private static let mostWorkspaces = 500
  private static let suffix = ".jsonl"
  /// Of a row, which is a line of known keys.
  private static let rowLimit = 64 << 10

  private let root: String
  private let folder: String

  /// - Parameter workspace: an existing folder.
  /// - Throws: `EngineError` when there is no such folder, or no cache folder.
  public init(workspace: String, environment: [String: String]) throws(EngineError) {
    root = try Engine.root(of: workspace)
    folder = try CacheFolder(environment: environment).archive(of: root)
  }

  // MARK: adding

  /// Keeps a run, and lets the oldest go.
  /// - Parameters:
  ///   - operation: `run_all_tests` or `run_test`.
  ///   - selection: what was asked for; nil for everything.
  /// - Returns: the name by which it can be asked for; nil for a run in which nothing began.
  @discardableResult
  public func add(
    _ report: Report, operation: String, selection: String?
  ) throws(EngineError) -> String? {
    guard let beginning = report.beginning else { return nil }
    let name = Self.name(at: beginning.date)
    let changed = Set((report.change?.files ?? []).map(\.path))
    let record = RunRecord.encode(
      report, row: RunRow(report, run: name, operation: operation, selection: selection),
      sources: SourceReader(root: root).excerpts(
        around: report.places, since: beginning.date, excluding: changed))
    guard record.count <= Self.runLimit else {
      throw EngineError(
        .storage, "the run is not kept for proctor report: it takes \(record.count >> 20) MB",
        resolution: "Up to \(Self.runLimit >> 20) MB are kept; have tests print less.")
    }
    try FileSystem.makeFolder(folder)
    try AtomicFile.write(record, to: "\(folder)/\(name)\(Self.suffix)", mode: 0o600)
    makeRoom()
    return name
  }

  /// `20261122-035115-123-1a2b3c4d`: names sort as the runs began.
  /// - Parameter date: seconds since 1970.
  public static func name(at date: Double) -> String {
    let digits = Timestamp.text(date).filter { $0.isASCII && $0.isNumber }
    return "\(digits.prefix(8))-\(digits.dropFirst(8).prefix(6))-\(digits.dropFirst(14).prefix(3))"
      + "-\(RunFolder.nonce().prefix(8))"
  }

  private func makeRoom() {
    var bytes = 0
    for (index, name) in names.reversed().enumerated() {
      let path = "\(folder)/\(name)\(Self.suffix)"
      bytes += FileSystem.size(path) ?? 0
      // Another process may have removed it already, which is as well.
      if index >= Self.most || bytes > Self.mostBytes { unlink(path) }
    }
    AtomicFile.sweep(folder)
    CacheFolder.makeRoom(beside: folder, most: Self.mostWorkspaces)
  }

  // MARK: reading

  /// The oldest first.
  private var names: [String] {
    FileSystem.entries(of: folder).filter { !$0.isFolder && $0.name.hasSuffix(Self.suffix) }
      .map { String($0.name.dropLast(Self.suffix.count)) }
      .filter { $0.first != "." }
  }

  /// The kept runs, the newest first, and the names of files that cannot be read.
  public var rows: (rows: [RunRow], broken: [String]) {
    var (rows, broken): ([RunRow], [String]) = ([], [])
    for name in names.reversed() {
      if let row = lines(of: name, 1)?.first.flatMap(RunRecord.row), row.run == name {
        rows.append(row)
      } else {
        broken.append("\(folder)/\(name)\(Self.suffix)")
      }
    }
    return (rows, broken)
  }

  /// One run's whole report with what became of its tests before, as JSON; nil when there is no such run.
  public func report(_ run: String) -> Data? {
    let names = names
    guard let index = names.firstIndex(of: run), let lines = lines(of: run, 3), lines.count == 3
    else { return nil }
    let past = names[...index].suffix(RunHistory.limit).compactMap { name in
      self.lines(of: name, 2)?.dropFirst().first.map { (run: name, outcomes: $0) }
    }
    return RunRecord.report(lines[2], past: past)
  }

  /// The kept reports, the oldest first, and the names of files that cannot be read.
  /// - Parameter most: the newest so many.
  func reports(most: Int) -> (reports: [RecordedReport], broken: [String]) {
    var (reports, broken): ([RecordedReport], [String]) = ([], [])
    for name in names.suffix(most) {
      if let lines = lines(of: name, 3), lines.count == 3,
        let report = try? RecordedReport(reading: lines[2])
      {
        reports.append(report)
      } else {
        broken.append("\(folder)/\(name)\(Self.suffix)")
      }
    }
    return (reports, broken)
  }

  /// The first lines of a file, of which each is whole; nil when there are not so many.
  private func lines(of name: String, _ count: Int) -> [Data]? {
    let path = "\(folder)/\(name)\(Self.suffix)"
    let data =
      count == 1
      ? FileSystem.prefix(of: path, bytes: Self.rowLimit)
      : FileSystem.read(path, limit: Self.runLimit)
    guard let data else { return nil }
    var (lines, start): ([Data], Int) = ([], data.startIndex)
    while lines.count < count, let end = data[start...].firstIndex(of: UInt8(ascii: "\n")) {
      lines.append(Data(data[start..<end]))
      start = data.index(after: end)
    }
    return lines.count == count ? lines : nil
  }
}

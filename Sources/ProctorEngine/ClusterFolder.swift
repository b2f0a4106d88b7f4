import FoundationEssentials
import Glibc
import ProctorFormats
import ProctorModel

/// The folder that the user named for a divided run: it must be seen by every node.
struct ClusterFolder: Sendable {
  /// Absolute, symbolic links resolved.
  let path: String
  private let isNew: Bool

  var plan: String { "\(path)/proctor.plan" }
  func report(of shard: Int) -> String { "\(path)/shard-\(shard).json" }

  /// - Parameter path: absolute; a new folder, or an empty one.
  /// - Throws: `EngineError` with code `usage` when it holds something: reports of another run could be taken for this
  ///   one's.
  init(_ path: String) throws(EngineError) {
    isNew = !FileSystem.exists(path)
    try FileSystem.makeFolder(path)
    guard let real = FileSystem.realPath(path), FileSystem.isFolder(real) else {
      throw EngineError(
        .usage, "\(path) is no folder", resolution: "Name a new or empty folder with --output.")
    }
    guard !real.contains(where: { $0.isNewline || $0 == "\u{0}" }) else {
      throw EngineError(
        .usage, "a job cannot write to a folder whose name has a line end",
        resolution: "Name another folder with --output.")
    }
    guard (FileSystem.names(in: Array(real.utf8CString)) ?? [[]]).isEmpty else {
      throw EngineError(
        .usage, "the folder \(path) is not empty",
        resolution: "Name a new or empty folder with --output.")
    }
    self.path = real
  }

  /// The report of a shard; nil when it is not there, or not whole.
  func part(of shard: Int, plan: String) -> ReportMerge.Part? {
    let file = report(of: shard)
    guard let data = try? ReportReader.data(file),
      case .success(let recorded) = ReportReader.content(of: data),
      // What gave no verdict may have come to none before the tests were divided.
      recorded.shard.map({ $0.index == shard && $0.plan == plan }) ?? true
    else { return nil }
    return ReportMerge.Part(name: file, content: .success(recorded))
  }

  /// Removes what the run made.
  func clear() {
    for entry in FileSystem.entries(of: path)
    where entry.name == "proctor.plan" || entry.name.hasPrefix("shard-") {
      unlink("\(path)/\(entry.name)")
    }
    if isNew { rmdir(path) }
  }
}

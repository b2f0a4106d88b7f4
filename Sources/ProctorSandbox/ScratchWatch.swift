import CSandbox
import FoundationEssentials
import Glibc
import ProctorModel

/// Notices when a command fills the disk.
///
/// Looking at the file system's free space costs nothing; only when it fell by the limit are the files
/// counted that the command can have written.
struct ScratchWatch {
  private let folders: [String]
  private let limits: ResourceLimits
  private let begin: (free: UInt64, files: UInt64)
  private let second: Int

  /// nil when there is no limit, or nothing on disk that the command can write to.
  init?(folders: [String], limits: ResourceLimits) {
    guard limits.scratchMB != nil || limits.scratchFiles != nil, let first = folders.first,
      let space = Self.space(first)
    else { return nil }
    self.folders = folders
    self.limits = limits
    begin = space
    second = time(nil)
  }

  /// The limit that is exceeded, with what was found; nil when none is.
  func exceeded() -> ReachedLimit? {
    guard let now = Self.space(folders[0]) else { return nil }
    let bytes = limits.scratchMB.map { UInt64($0) << 20 } ?? .max
    let files = UInt64(limits.scratchFiles ?? .max)
    guard
      begin.free > now.free && begin.free - now.free > bytes
        || begin.files > now.files && begin.files - now.files > files
    else { return nil }
    let written = count()
    if written.bytes > bytes {
      return ReachedLimit(
        .scratchMB, evidence: "\(written.bytes >> 20) MB were written to disk", isFatal: true)
    }
    if written.files > files {
      return ReachedLimit(
        .scratchFiles, evidence: "\(written.files) files were made on disk", isFatal: true)
    }
    return nil
  }

  private static func space(_ path: String) -> (free: UInt64, files: UInt64)? {
    var space = statvfs()
    guard statvfs(path, &space) == 0 else { return nil }
    return (UInt64(space.f_bfree) * UInt64(space.f_frsize), UInt64(space.f_ffree))
  }

  /// What changed since the start.
  private func count() -> (bytes: UInt64, files: UInt64) {
    var result: (bytes: UInt64, files: UInt64) = (0, 0)
    for folder in folders {
      let names = (try? FileManager.default.subpathsOfDirectory(atPath: folder)) ?? []
      for name in names {
        var status = stat()
        guard lstat("\(folder)/\(name)", &status) == 0, Int(status.st_ctim.tv_sec) >= second else {
          continue
        }
        result.bytes += UInt64(status.st_blocks) * 512
        result.files += 1
      }
    }
    return result
  }
}

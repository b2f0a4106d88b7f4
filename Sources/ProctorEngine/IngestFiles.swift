import FoundationEssentials
import Glibc
import ProctorFormats
import ProctorModel

/// The files that are to be read, in the order they were named; those of a folder by name.
struct IngestFiles {
  struct File {
    /// As it is opened.
    let path: String
    /// As answers name it.
    let name: String
    /// It was named itself, rather than found in a folder, or its name says so.
    let mustBeReport: Bool

    /// What its name ends with, without the dot, in small letters; empty when there is no dot.
    var ending: String { IngestFiles.fileExtension(name) }
  }

  /// What reports are called that stand in a folder among other files.
  static let extensions = ["xml", "json", "jsonl", "ndjson", "tap", "trx"]
  /// Endings that nothing else has: such a file that cannot be told is one that was broken.
  private static let onlyReports: Set<String> = ["tap", "trx"]
  private static let most = 100_000

  private let request: IngestRequest
  private let workspace: String
  private var seen: Set<String> = []
  private(set) var files: [File] = []
  /// Folders that were named and hold no file that could be a report.
  private(set) var emptyFolders: [String] = []

  /// - Throws: `EngineError` with code `usage` for no path at all, one outside of where it may be, or more files than
  ///   anybody can mean.
  init(_ request: IngestRequest, in workspace: String) throws(EngineError) {
    self.request = request
    self.workspace = workspace
    guard !request.paths.isEmpty else {
      throw EngineError(
        .usage, "no report is named", resolution: "Name files of reports, or folders of them.")
    }
    for path in request.paths { try add(path) }
  }

  private mutating func add(_ path: String) throws(EngineError) {
    let absolute = path.hasPrefix("/") ? path : "\(request.base)/\(path)"
    let real = FileSystem.realPath(absolute)
    if request.isConfined { try confine(path, absolute, real) }
    guard let real, FileSystem.isFolder(real) else {
      return add(real ?? absolute, isNamed: true)
    }
    var pending = [real]
    var isEmpty = true
    while let folder = pending.popLast() {
      guard files.count < Self.most else {
        throw EngineError(
          .usage, "\(path) has more than \(Self.most) files that could be reports",
          resolution: "Name the folders that hold reports.")
      }
      if access(folder, R_OK | X_OK) != 0 {
        // What it holds is not known: it is told as a report that cannot be read.
        add(folder, isNamed: true)
        isEmpty = false
        continue
      }
      for entry in FileSystem.entries(of: folder) {
        let inner = "\(folder)/\(entry.name)"
        if entry.isFolder {
          pending.append(inner)
        } else if Self.extensions.contains(Self.fileExtension(entry.name)) {
          // A link in a folder may lead anywhere.
          guard let target = FileSystem.realPath(inner), !request.isConfined || isInside(target)
          else { continue }
          add(target, isNamed: false)
          isEmpty = false
        }
      }
    }
    if isEmpty { emptyFolders.append(path) }
  }

  private func confine(_ path: String, _ absolute: String, _ real: String?) throws(EngineError) {
    let parent = FileSystem.realPath(absolute.parentFolder)
    guard isInside(real ?? parent ?? absolute), !absolute.contains("/../") || real != nil else {
      throw EngineError(
        .usage, "\(path) is outside the workspace \(workspace)",
        resolution: "Name reports inside the workspace.")
    }
  }

  private func isInside(_ path: String) -> Bool {
    path == workspace || path.hasPrefix(workspace + "/")
  }

  private mutating func add(_ path: String, isNamed: Bool) {
    guard seen.insert(path).inserted else { return }
    let name =
      path.hasPrefix(workspace + "/") ? String(path.dropFirst(workspace.count + 1)) : path
    let mustBeReport = isNamed || Self.onlyReports.contains(Self.fileExtension(path))
    files.append(File(path: path, name: name, mustBeReport: mustBeReport))
  }

  fileprivate static func fileExtension(_ name: String) -> String {
    name.lastIndex(of: ".").map { name[name.index(after: $0)...].lowercased() } ?? ""
  }
}

/// A regular file's bytes, block by block.
final class FileBlocks: Sequence, IteratorProtocol {
  private static let blockSize = 256 * 1024

  private let descriptor: Int32
  private var buffer = [UInt8](repeating: 0, count: blockSize)
  /// Why reading ended before the end of the file.
  private(set) var problem: String?

  /// nil when it cannot be read; `errno` says why, 0 that it is no regular file.
  init?(_ path: String) {
    descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { return nil }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      errno = 0
      return nil
    }
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
  }

  func next() -> Data? {
    let count = FileSystem.read(descriptor, &buffer)
    if count < 0 { problem = String(cString: strerror(errno)) }
    return count > 0 ? Data(buffer[..<count]) : nil
  }

  /// What its start says it is; afterwards it is read from the start.
  func look() -> ReportSniffer.Finding {
    var head = Data()
    while head.count < ReportSniffer.headSize, let block = next() { head.append(block) }
    lseek(descriptor, 0, SEEK_SET)
    return ReportSniffer.look(at: head)
  }
}

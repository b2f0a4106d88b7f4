import FoundationEssentials
import Glibc
import ProctorModel

/// Reads code around lines of a workspace's files, bounded, and nothing outside the workspace.
struct SourceReader {
  /// Places that are read at most.
  private static let placeLimit = 400
  /// A larger file is no source.
  private static let fileLimit = 2 << 20
  private static let lineLimit = 400
  private static let before = 7
  private static let after = 4

  /// Absolute, symbolic links resolved.
  let root: String

  /// - Parameters:
  ///   - date: when the code ran, in seconds since 1970; nil when unknown.
  ///   - excluded: files of which the workspace has others than ran.
  func excerpts(
    around places: [SourceLocation], since date: Double?, excluding excluded: Set<String> = []
  ) -> [SourceExcerpt] {
    var seen: Set<SourceLocation> = []
    var files: [String: File?] = [:]
    var excerpts: [SourceExcerpt] = []
    for place in places where excerpts.count < Self.placeLimit && !excluded.contains(place.file) {
      guard let line = place.line,
        seen.insert(SourceLocation(file: place.file, line: line)).inserted
      else { continue }
      let file = files[place.file] ?? read(place.file)
      files[place.file] = .some(file)
      // A line that the file does not have is not shown as another one.
      guard let file, line <= file.lines.count else { continue }
      let first = max(1, line - Self.before)
      let last = min(file.lines.count, line + Self.after)
      excerpts.append(
        SourceExcerpt(
          file: place.file, firstLine: first,
          lines: file.lines[(first - 1)..<last].map(Self.text),
          isChanged: date.map { file.changed > $0 } ?? false))
    }
    return excerpts
  }

  private struct File {
    let lines: [Data]
    /// Seconds since 1970.
    let changed: Double
  }

  private func read(_ path: String) -> File? {
    guard !path.hasPrefix("/") else { return nil }
    let descriptor = open("\(root)/\(path)", O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var status = stat()
    // Where it really is: links may lead out of the workspace.
    guard let real = FileSystem.realPath("/proc/self/fd/\(descriptor)"),
      real.hasPrefix(root == "/" ? root : root + "/"), fstat(descriptor, &status) == 0,
      let data = FileSystem.read(descriptor, limit: Self.fileLimit)
    else { return nil }
    let lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    return File(
      lines: lines.last?.isEmpty == true ? lines.dropLast() : lines,
      changed: Double(status.st_mtim.tv_sec) + Double(status.st_mtim.tv_nsec) / 1e9)
  }

  private static func text(_ line: Data) -> String {
    let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
    let text = String(decoding: line, as: UTF8.self)
    return text.unicodeScalars.count > lineLimit
      ? String(String.UnicodeScalarView(text.unicodeScalars.prefix(lineLimit))) + " [...]" : text
  }
}

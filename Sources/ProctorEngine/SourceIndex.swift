import FoundationEssentials
import ProctorFormats
import ProctorModel

/// Finds the files of a workspace that foreign reports speak of, which may come from another machine.
///
/// A place is only given where exactly one file fits best, and has such a line.
final class SourceIndex {
  /// Larger files' lines are not counted.
  private static let readLimit = 8 << 20

  private let tree: () -> WorkspaceTree
  private let root: String
  private let patterns = LocationPatterns()
  private lazy var byName: [String: [String]] = Dictionary(
    grouping: tree().files, by: Self.lastPart)
  private var lineCounts: [String: Int] = [:]

  /// - Parameter tree: walks the workspace; asked once, and only when something is looked for.
  init(root: String, tree: @escaping () -> WorkspaceTree) {
    self.root = root
    self.tree = tree
  }

  private static func lastPart(_ path: String) -> String {
    path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
  }

  /// The file of the workspace that a path of any machine means.
  func find(_ path: String) -> (file: String, confidence: LocationOrigin.Confidence)? {
    var plain = path.replacing("\\", with: "/")
    if plain.hasPrefix("file://") { plain = String(plain.dropFirst(7)) }
    if plain.hasPrefix(root + "/") { plain = String(plain.dropFirst(root.count + 1)) }
    let isAbsolute = plain.hasPrefix("/") || plain.dropFirst().hasPrefix(":/")
    let parts = plain.split(separator: "/").filter { $0 != "." }
    guard let name = parts.last, let candidates = byName[String(name)] else { return nil }
    let relative = parts.joined(separator: "/")
    if !isAbsolute, candidates.contains(relative) { return (relative, .high) }
    let scored = candidates.map { candidate in
      let same = zip(candidate.split(separator: "/").reversed(), parts.reversed())
        .prefix { $0.0 == $0.1 }.count
      return (file: candidate, same: same)
    }
    guard let best = scored.max(by: { $0.same < $1.same }),
      scored.count(where: { $0.same == best.same }) == 1
    else { return nil }
    return (best.file, confidence(best.same, of: parts.count, best.file))
  }

  /// - Parameter same: how many parts of the path fit, from its end.
  private func confidence(_ same: Int, of all: Int, _ file: String) -> LocationOrigin.Confidence {
    if same == 1 { return all == 1 ? .medium : .low }
    return same == all || same == file.split(separator: "/").count ? .high : .medium
  }

  private func hasLine(_ line: Int, in file: String) -> Bool {
    if let count = lineCounts[file] { return line <= count }
    guard let data = FileSystem.read("\(root)/\(file)", limit: Self.readLimit) else { return true }
    let ends = data.reduce(0) { $1 == 0x0a ? $0 + 1 : $0 }
    let count = data.last == 0x0a ? ends : ends + 1
    lineCounts[file] = count
    return line <= count
  }

  // MARK: places

  /// A place that a report has a field for. What is not in the workspace stays as it is written.
  func place(_ said: SourceLocation) -> (SourceLocation, LocationOrigin) {
    guard let found = find(said.file) else {
      return (said, LocationOrigin(source: .attribute, confidence: .low))
    }
    let line = said.line.flatMap { hasLine($0, in: found.file) ? $0 : nil }
    return (
      SourceLocation(file: found.file, line: line, column: said.column),
      LocationOrigin(source: .attribute, confidence: found.confidence)
    )
  }

  /// The first place in a text that is one of the workspace.
  func place(in text: String) -> (SourceLocation, LocationOrigin)? {
    for candidate in patterns.candidates(in: text) {
      guard let found = find(candidate.file), hasLine(candidate.line, in: found.file) else {
        continue
      }
      return (
        SourceLocation(file: found.file, line: candidate.line, column: candidate.column),
        LocationOrigin(source: candidate.source, confidence: found.confidence)
      )
    }
    return nil
  }

  func located(_ failure: Failure) -> Failure {
    guard let (place, origin) = failure.location.map(place) ?? place(in: failure.message) else {
      return failure
    }
    return Failure(
      message: failure.message, location: place, frames: failure.frames, origin: origin)
  }

  func located(_ error: RunError) -> RunError {
    let exact = error.location.flatMap { $0.line == nil ? nil : place($0) }
    let found = exact ?? place(in: error.message) ?? error.location.map(place)
    var result = RunError(
      stage: error.stage, adapter: error.adapter, message: error.message, location: found?.0,
      code: error.code, suite: error.suite)
    result.origin = found?.1
    return result
  }
}

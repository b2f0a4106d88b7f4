import FoundationEssentials
import ProctorModel

/// Finds the projects of a described runner.
struct ManifestDetection {
  let manifest: AdapterManifest
  let tree: WorkspaceTree

  func projects() -> [Project] {
    // Marks nearer to the root come first, so that the outermost project is found first.
    var found: [(folder: String, evidence: String)] = []
    let marks = tree.files.compactMap { file in root(of: file).map { (file: file, folder: $0) } }
    for (file, folder) in marks.sorted(by: { depth($0.file) < depth($1.file) }) {
      // A project holds the ones below it: their marks belong to it.
      let isCovered = found.contains {
        $0.folder == folder || $0.folder.isEmpty || folder.hasPrefix($0.folder + "/")
      }
      if isCovered || isSomethingElse(folder) || !hasTests(in: folder) { continue }
      found.append((folder, file))
    }
    return found.map {
      Project(adapter: AdapterID(rawValue: manifest.name), root: $0.folder, evidence: $0.evidence)
    }
  }

  private func depth(_ path: String) -> Int { path.split(separator: "/").count }

  /// The folder that a file marks as a project, above all that the pattern names; nil when it marks none.
  private func root(of file: String) -> String? {
    guard let pattern = manifest.detect.files.first(where: { Self.matches($0, file) }) else {
      return nil
    }
    if let texts = manifest.detect.contains {
      let content = tree.read(file).map { String(decoding: $0, as: UTF8.self) } ?? ""
      guard texts.contains(where: { content.contains($0) }) else { return nil }
    }
    return file.split(separator: "/").dropLast(depth(pattern)).joined(separator: "/")
  }

  private func isSomethingElse(_ folder: String) -> Bool {
    let prefix = folder.isEmpty ? "" : folder + "/"
    return (manifest.detect.unless ?? []).contains { tree.files.contains(prefix + $0) }
  }

  private func hasTests(in folder: String) -> Bool {
    guard let tests = manifest.detect.tests else { return true }
    return tree.files.contains { file in
      (folder.isEmpty || file.hasPrefix(folder + "/"))
        && tests.contains { Self.matches($0, file) }
    }
  }

  /// Whether a path ends with what a pattern describes; `*` stands for anything but `/`.
  static func matches(_ pattern: String, _ path: String) -> Bool {
    let wanted = pattern.split(separator: "/")
    let parts = path.split(separator: "/").suffix(wanted.count)
    return wanted.count == parts.count
      && zip(wanted, parts).allSatisfy { matchesName($0, $1) }
  }

  private static func matchesName(_ pattern: Substring, _ name: Substring) -> Bool {
    let pieces = pattern.split(separator: "*", omittingEmptySubsequences: false)
    guard pieces.count > 1 else { return pattern == name }
    guard name.hasPrefix(pieces[0]) else { return false }
    var rest = name.dropFirst(pieces[0].count)
    for piece in pieces.dropFirst().dropLast() where !piece.isEmpty {
      guard let range = rest.firstRange(of: piece) else { return false }
      rest = rest[range.upperBound...]
    }
    return rest.hasSuffix(pieces[pieces.count - 1])
  }
}

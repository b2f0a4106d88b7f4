import FoundationEssentials
import ProctorModel

/// Finds packages that use jest.
struct JestDetection {
  let tree: WorkspaceTree

  private struct Manifest: Decodable {
    let dependencies: [String: String]?
    let devDependencies: [String: String]?
    let scripts: [String: String]?
    let hasJest: Bool
    /// `jest.projects`: the packages that one run covers.
    let coversOthers: Bool

    private enum CodingKeys: String, CodingKey { case dependencies, devDependencies, scripts, jest }
    private enum JestKeys: String, CodingKey { case projects }

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      dependencies = try? container.decode([String: String].self, forKey: .dependencies)
      devDependencies = try? container.decode([String: String].self, forKey: .devDependencies)
      scripts = try? container.decode([String: String].self, forKey: .scripts)
      hasJest = container.contains(.jest)
      coversOthers =
        (try? container.nestedContainer(keyedBy: JestKeys.self, forKey: .jest))?.contains(.projects)
        == true
    }
  }

  private static let configurations = ["js", "ts", "mjs", "cjs", "json"].map { "jest.config.\($0)" }

  func projects() -> [Project] {
    var found: [(folder: String, evidence: String, covers: Bool)] = []
    for folder in folders() {
      // A root whose configuration names projects runs them all.
      if found.contains(where: { $0.covers && Self.holds($0.folder, folder) }) { continue }
      if let (evidence, covers) = evidence(folder) { found.append((folder, evidence, covers)) }
    }
    return found.map { item in
      Project(
        adapter: AdapterID(rawValue: "jest"), root: item.folder, evidence: item.evidence,
        excluded: found.map(\.folder).filter { $0 != item.folder && Self.holds(item.folder, $0) })
    }
  }

  /// Folders with a manifest or a jest configuration, nearest to the root first.
  private func folders() -> [String] {
    let files = (["package.json"] + Self.configurations).flatMap(tree.files(named:))
    let folders = Set(files.map { $0.split(separator: "/").dropLast().joined(separator: "/") })
    return folders.sorted {
      ($0.split(separator: "/").count, $0) < ($1.split(separator: "/").count, $1)
    }
  }

  private func evidence(_ folder: String) -> (String, covers: Bool)? {
    let place = folder.isEmpty ? "." : folder
    let prefix = folder.isEmpty ? "" : folder + "/"
    if let name = Self.configurations.first(where: { tree.read(prefix + $0) != nil }) {
      return ("\(name) at \(place)", tree.text(prefix + name)?.contains("projects") == true)
    }
    guard let data = tree.read(prefix + "package.json") else { return nil }
    guard let manifest = try? JSONDecoder().decode(Manifest.self, from: data) else {
      // A broken manifest beside jest tests is a project whose error is the answer.
      let hasTests = tree.files.contains { $0.hasPrefix(prefix) && $0.contains(".test.") }
      let mentions = data.firstRange(of: Data("jest".utf8)) != nil
      return hasTests && mentions ? ("package.json (not valid JSON) at \(place)", false) : nil
    }
    if manifest.hasJest { return ("package.json with jest at \(place)", manifest.coversOthers) }
    if manifest.devDependencies?["jest"] != nil || manifest.dependencies?["jest"] != nil {
      return ("package.json depending on jest at \(place)", false)
    }
    let scripts = manifest.scripts.map(\.values) ?? [:].values
    let runsJest = scripts.contains { $0.split { !($0.isLetter || $0 == "-") }.contains("jest") }
    return runsJest ? ("package.json with a jest script at \(place)", false) : nil
  }

  private static func holds(_ outer: String, _ inner: String) -> Bool {
    outer.isEmpty || inner.hasPrefix(outer + "/")
  }
}

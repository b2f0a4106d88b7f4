import ProctorModel
import TOMLKit

/// Finds Python projects with tests.
struct PytestDetection {
  let tree: WorkspaceTree

  private struct Candidate {
    let folder: String
    let evidence: String
    /// It has a pytest configuration of its own.
    let isConfigured: Bool
    /// Folders it collects from, relative to the workspace; nil for its whole subtree.
    let collects: [String]?
  }

  private static let manifests = ["pyproject.toml", "setup.py", "setup.cfg", "requirements.txt"]

  func projects() -> [Project] {
    let tests = tree.files.filter(Self.isTest)
    let configured = configuredFolders()
    guard !tests.isEmpty || !configured.isEmpty else { return [] }
    var chosen: [Candidate] = []
    for candidate in (configured + manifestFolders()).sorted(by: Self.outermostFirst) {
      if chosen.contains(where: { covers($0, candidate.folder) }) { continue }
      if chosen.contains(where: { $0.folder == candidate.folder }) { continue }
      let own = tests.filter { Self.contains(candidate.folder, $0) }
      if candidate.isConfigured || !own.isEmpty { chosen.append(candidate) }
    }
    let loose = tests.filter { test in !chosen.contains { Self.contains($0.folder, test) } }
    if let first = loose.first {
      chosen.append(
        Candidate(
          folder: "", evidence: "test files such as \(first)", isConfigured: false, collects: nil))
    }
    return chosen.filter { owns($0, tests, among: chosen) }
      .sorted(by: Self.outermostFirst)
      .map { candidate in
        Project(
          adapter: AdapterID(rawValue: "pytest"), root: candidate.folder,
          evidence: candidate.evidence,
          excluded: chosen.map(\.folder).filter {
            $0 != candidate.folder && Self.contains(candidate.folder, $0 + "/")
          })
      }
  }

  /// A manifest whose tests all belong to projects below it is none itself.
  private func owns(_ candidate: Candidate, _ tests: [String], among all: [Candidate]) -> Bool {
    if candidate.isConfigured { return true }
    let inner = all.filter {
      $0.folder != candidate.folder && Self.contains(candidate.folder, $0.folder + "/")
    }
    return tests.contains { test in
      Self.contains(candidate.folder, test) && !inner.contains { Self.contains($0.folder, test) }
    }
  }

  /// Whether running the outer project collects the inner folder's tests, as bare pytest would.
  private func covers(_ outer: Candidate, _ folder: String) -> Bool {
    guard outer.isConfigured, outer.folder != folder, Self.contains(outer.folder, folder + "/")
    else {
      return false
    }
    guard let collects = outer.collects else { return true }
    return collects.contains { Self.contains($0, folder + "/") }
  }

  private func configuredFolders() -> [Candidate] {
    let sources: [(name: String, marks: [String])] = [
      ("pytest.ini", [""]), (".pytest.ini", [""]), ("pyproject.toml", ["[tool.pytest"]),
      ("tox.ini", ["[pytest]"]), ("setup.cfg", ["[tool:pytest]"]),
    ]
    return sources.flatMap { source in
      tree.files(named: source.name).compactMap { path -> Candidate? in
        guard let text = tree.text(path) else { return nil }
        // By text, not by a parser: a broken file is still a project whose error is the answer.
        let found = source.marks.contains { mark in
          mark.isEmpty || text.split(separator: "\n").contains { $0.hasPrefix(mark) }
        }
        guard found else { return nil }
        let folder = Self.folder(of: path)
        let section =
          source.marks[0].isEmpty
          ? "" : " with \(source.marks[0])\(source.marks[0].hasSuffix("]") ? "" : "...]")"
        return Candidate(
          folder: folder, evidence: "\(source.name)\(section) at \(folder.isEmpty ? "." : folder)",
          isConfigured: true,
          collects: source.name == "pyproject.toml" ? testPaths(text, folder) : nil)
      }
    }
  }

  private func manifestFolders() -> [Candidate] {
    Self.manifests.flatMap { name in
      tree.files(named: name).map { path in
        let folder = Self.folder(of: path)
        return Candidate(
          folder: folder, evidence: "\(name) with test files at \(folder.isEmpty ? "." : folder)",
          isConfigured: false, collects: nil)
      }
    }
  }

  private func testPaths(_ text: String, _ folder: String) -> [String]? {
    let options = (try? TOMLTable(string: text))?["tool"]?.table?["pytest"]?.table
    let value = options?["ini_options"]?.table?["testpaths"] ?? options?["testpaths"]
    let paths =
      value?.array.map { $0.compactMap(\.string) }
      ?? value?.string.map { $0.split(separator: " ").map(String.init) }
    return paths.map { $0.map { folder.isEmpty ? $0 : "\(folder)/\($0)" } }
  }

  private static func isTest(_ path: String) -> Bool {
    guard path.hasSuffix(".py") else { return false }
    let name = path.split(separator: "/").last ?? ""
    return name.hasPrefix("test_") || name.hasSuffix("_test.py")
  }

  private static func folder(of path: String) -> String {
    path.split(separator: "/").dropLast().joined(separator: "/")
  }

  private static func contains(_ folder: String, _ path: String) -> Bool {
    folder.isEmpty || folder == "." || path.hasPrefix(folder + "/")
  }

  /// Nearest to the root first; of one folder, a pytest configuration before a bare manifest.
  private static func outermostFirst(_ left: Candidate, _ right: Candidate) -> Bool {
    func depth(_ candidate: Candidate) -> Int { candidate.folder.split(separator: "/").count }
    return (depth(left), left.folder, left.isConfigured ? 0 : 1)
      < (depth(right), right.folder, right.isConfigured ? 0 : 1)
  }
}

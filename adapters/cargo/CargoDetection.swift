import ProctorModel
import TOMLKit

/// Finds Cargo workspaces and lone packages.
struct CargoDetection {
  let tree: WorkspaceTree

  private static let manifest = "Cargo.toml"

  func projects() -> [Project] {
    var workspaces: [(folder: String, excluded: [String])] = []
    // A package below another one without a workspace is a project of its own: cargo test in the outer
    // one does not run its tests.
    var result: [Project] = []
    for path in tree.files(named: Self.manifest) {
      let folder = path.split(separator: "/").dropLast().joined(separator: "/")
      // Cargo itself takes the nearest workspace above a package, unless that excludes it.
      if workspaces.contains(where: {
        Self.holds($0.folder, folder) && !$0.excluded.contains { Self.holds($0, folder) }
      }) {
        continue
      }
      let table = try? TOMLTable(string: tree.text(path) ?? "")
      if let workspace = table?["workspace"]?.table {
        let excluded = (workspace["exclude"]?.array.map { $0.compactMap(\.string) } ?? [])
          .map { folder.isEmpty ? $0 : "\(folder)/\($0)" }
        workspaces.append((folder, excluded))
      }
      result.append(
        Project(
          adapter: AdapterID(rawValue: "cargo"), root: folder,
          evidence: "\(Self.manifest) at \(folder.isEmpty ? "." : folder)"))
    }
    return result
  }

  private static func holds(_ outer: String, _ inner: String) -> Bool {
    outer.isEmpty || inner == outer || inner.hasPrefix(outer + "/")
  }
}

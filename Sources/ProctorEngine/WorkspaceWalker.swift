import FoundationEssentials
import Glibc
import ProctorModel

/// Lists the files of a workspace for detection.
struct WorkspaceWalker {
  /// Folders that hold dependencies or build products, wherever they stand.
  private static let skippedFolders: Set<String> = [
    "node_modules", "target", ".build", ".git", ".hg", ".svn", "__pycache__", ".venv", "venv",
    ".tox", ".nox", ".eggs", ".mypy_cache", ".pytest_cache", ".swiftpm", ".cargo", ".cache",
    "bower_components", ".yarn", ".pnpm-store",
  ]
  /// More files than this are not looked at: detection needs manifests, not everything.
  private static let fileLimit = 500_000
  /// Manifests larger than this are no manifests.
  private static let readLimit = 16 << 20

  let root: String

  /// The workspace at a path as the user gave it.
  /// - Throws: `EngineError` with code `workspace` when there is none.
  static func open(_ path: String) throws(EngineError) -> WorkspaceWalker {
    guard let real = FileSystem.realPath(path) else {
      throw EngineError(
        .workspace, "there is no folder at \(path)",
        resolution: "Give the path of an existing folder: proctor run DIR.")
    }
    guard FileSystem.isFolder(real) else {
      throw EngineError(
        .workspace, "\(path) is a file, not a folder",
        resolution:
          "Give the folder that holds the project; for one file use: proctor test \(path).")
    }
    guard access(real, R_OK | X_OK) == 0 else {
      throw EngineError(
        .workspace, "the folder \(path) cannot be read",
        resolution: "Give proctor's user read permission on it.")
    }
    return WorkspaceWalker(root: real)
  }

  func tree() -> WorkspaceTree {
    var files: [String] = []
    var pending: [(folder: String, rules: IgnoreRules)] = [("", IgnoreRules())]
    while let (folder, inherited) = pending.popLast(), files.count < Self.fileLimit {
      let rules =
        read(folder + (folder.isEmpty ? "" : "/") + ".gitignore")
        .map { inherited.adding(String(decoding: $0, as: UTF8.self), in: folder) } ?? inherited
      for entry in FileSystem.entries(of: folder.isEmpty ? root : "\(root)/\(folder)") {
        let path = folder.isEmpty ? entry.name : "\(folder)/\(entry.name)"
        if entry.isFolder {
          if !Self.skippedFolders.contains(entry.name), !isVirtualEnvironment(path),
            !rules.ignores(path, isFolder: true)
          {
            pending.append((path, rules))
          }
        } else if !rules.ignores(path, isFolder: false) {
          files.append(path)
        }
      }
    }
    let root = root
    return WorkspaceTree(
      root: root, files: files.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    ) {
      FileSystem.read("\(root)/\($0)", limit: Self.readLimit)
    }
  }

  private func read(_ path: String) -> Data? {
    FileSystem.read("\(root)/\(path)", limit: Self.readLimit)
  }

  private func isVirtualEnvironment(_ folder: String) -> Bool {
    access("\(root)/\(folder)/pyvenv.cfg", F_OK) == 0
  }
}

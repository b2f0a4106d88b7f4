import ProctorModel

/// Keeps a toolchain from opening more of the host to tests than a toolchain is.
///
/// What a tool needs is found from files of the workspace too (`pyvenv.cfg`, links, `rust-toolchain.toml`),
/// and those may come from anybody.
struct ReadGuard {
  /// Folders of the home folder that hold keys, tokens and private data.
  private static let secrets: Set<String> = [
    ".ssh", ".gnupg", ".aws", ".azure", ".config", ".docker", ".kube", ".password-store",
    ".mozilla",
    ".netrc", ".git-credentials", ".npmrc", ".pypirc", ".local/share/keyrings",
  ]

  let workspace: String
  let home: String?

  /// - Throws: `ToolProblem` that names the first folder which is too much.
  func check(_ reads: [String], of project: Project) throws(ToolProblem) {
    for path in reads {
      let real = FileSystem.realPath(path) ?? path
      guard [path, real].contains(where: isTooMuch) else { continue }
      throw ToolProblem(
        message:
          "the tools of \(project.title) would show tests the folder \(path) of this machine",
        resolution: "Check where the project's interpreter, virtual environment and links point to."
      )
    }
  }

  private func isTooMuch(_ path: String) -> Bool {
    func holds(_ folder: String) -> Bool { folder == path || folder.hasPrefix(path + "/") }
    if path == "/" || holds(workspace) || ["/etc", "/var", "/proc", "/sys", "/dev"].contains(path) {
      return true
    }
    guard let home, home.count > 1 else { return false }
    return holds(home)
      || Self.secrets.contains { path == "\(home)/\($0)" || path.hasPrefix("\(home)/\($0)/") }
  }
}

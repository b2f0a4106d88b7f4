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
    guard let path = reads.first(where: isTooMuch) else { return }
    throw ToolProblem(
      message:
        "the tools of \(project.title) would show tests the folder \(path) of this machine",
      resolution: "Check where the project's interpreter, virtual environment and links point to.")
  }

  /// The same for what `proctor.toml` names.
  func check(_ reads: [String]) throws(ToolProblem) {
    guard let path = reads.first(where: isTooMuch) else { return }
    throw ToolProblem(
      message: "[tests] read in proctor.toml would show tests \(path) of this machine",
      resolution: "Name the folder that tests need: none that holds a home, keys or the workspace.")
  }

  private func isTooMuch(_ path: String) -> Bool {
    [path, FileSystem.realPath(path) ?? path].contains(where: holdsSecrets)
  }

  private func holdsSecrets(_ path: String) -> Bool {
    func holds(_ folder: String) -> Bool { folder == path || folder.hasPrefix(path + "/") }
    if path == "/" || holds(workspace) || ["/etc", "/var", "/proc", "/sys", "/dev"].contains(path) {
      return true
    }
    guard let home, home.count > 1 else { return false }
    return holds(home)
      || Self.secrets.contains { path == "\(home)/\($0)" || path.hasPrefix("\(home)/\($0)/") }
  }
}

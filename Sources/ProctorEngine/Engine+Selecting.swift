import ProctorModel

extension Engine {
  /// What `PATH [NAME]` of `run_test` means.
  /// - Parameters:
  ///   - path: an existing file or folder inside the workspace, absolute or relative to `base`; or
  ///     the id of a test.
  ///   - base: an absolute folder, the user's working directory.
  /// - Throws: `EngineError` with code `usage` when it is neither.
  public func selector(
    path: String, name: String?, base: String
  ) throws(EngineError) -> TestSelector {
    let absolute = path.hasPrefix("/") ? path : "\(base)/\(path)"
    if let inCopy = inCopy(absolute) { return .path(inCopy, name: name) }
    if let real = FileSystem.realPath(absolute) ?? FileSystem.realPath("\(workspace)/\(path)") {
      if real == workspace { return .path(".", name: name) }
      guard real.hasPrefix(workspace + "/") else {
        throw EngineError(
          .usage, "\(path) is outside the workspace \(workspace)",
          resolution: "Name its workspace with --workspace DIR.")
      }
      return .path(String(real.dropFirst(workspace.count + 1)), name: name)
    }
    let known = Set(projects().map { TestID(project: $0, fullName: "").text })
    if known.contains(where: { path.hasPrefix($0) }) { return .id(TestID(text: path)) }
    throw EngineError(
      .usage, "there is no file or folder \(path), and it is not the id of a test",
      resolution: "Give a path inside the workspace, or an id as printed by: proctor list.")
  }

  /// The path of what a copy has in the workspace's place, relative.
  func inCopy(_ absolute: String) -> String? {
    guard let copy, absolute.hasPrefix(workspace + "/"),
      let real = FileSystem.realPath("\(copy.folder)\(absolute.dropFirst(workspace.count))"),
      real.hasPrefix(copy.folder + "/")
    else { return nil }
    return String(real.dropFirst(copy.folder.count + 1))
  }
}

import FoundationEssentials
public import ProctorModel

/// The build step of a described runner compiles, and that is all there is to ask it.
extension ManifestAdapter: CheckAdapter {
  public var checkedLanguage: String { id.rawValue }

  public func checkedProjects(in tree: WorkspaceTree) -> [Project] {
    canCheck ? detect(in: tree) : []
  }

  public func check(_ context: AdapterContext, files: [String]) -> [Invocation] { build(context) }

  public func readCheck(
    _ context: AdapterContext, files: [String], _ finished: [FinishedCheck]
  ) -> CheckFindings {
    let errors = readBuild(context, finished.map(\.command)).errors
    return CheckFindings(
      errors.map { Diagnostic($0, adapter: id) }, checked: finished.count, unit: "builds",
      coverage: .unknown)
  }
}

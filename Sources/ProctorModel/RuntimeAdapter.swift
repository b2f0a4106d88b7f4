/// An adapter whose language can also run code of the user's outside of tests.
public protocol RuntimeAdapter: Adapter {
  /// Finds what running it needs; no test runner.
  /// - Throws: `ToolProblem` when something is missing.
  func toolchain(
    for project: Project, workspace: String, settings: AdapterSettings, runtime: FunctionRuntime,
    host: any Host
  ) throws(ToolProblem) -> Toolchain
}

extension RuntimeAdapter {
  /// What its tests need, for a language whose compiler runs them.
  public func toolchain(
    for project: Project, workspace: String, settings: AdapterSettings, runtime: FunctionRuntime,
    host: any Host
  ) throws(ToolProblem) -> Toolchain {
    try toolchain(for: project, workspace: workspace, settings: settings, host: host)
  }
}

import FoundationEssentials
public import ProctorModel

/// Functions of Python files: by the interpreter itself, or in RestrictedPython.
extension PytestAdapter: FunctionAdapter {
  public var language: String { "Python" }
  public var functionExtensions: [String] { ["py"] }
  public var functionRuntimes: Set<FunctionRuntime> { [.native, .vm] }
  public var timedRuntimes: Set<FunctionRuntime> { functionRuntimes }

  public func toolchain(
    for project: Project, workspace: String, settings: AdapterSettings, runtime: FunctionRuntime,
    host: any Host
  ) throws(ToolProblem) -> Toolchain {
    try PythonToolchain(
      project: project, workspace: workspace, settings: settings, host: host,
      needs: runtime == .vm ? .restricted : nil
    ).find()
  }

  private static let functionFiles = GuestFiles([
    "proctor_host.py": PackageResources.proctor_host_py,
    "proctor_call.py": PackageResources.proctor_call_py,
    "proctor_call_restricted.py": PackageResources.proctor_call_restricted_py,
    "proctor_code.py": PackageResources.proctor_code_py,
    "proctor_piece.py": PackageResources.proctor_piece_py,
    "proctor_matplotlib.py": PackageResources.proctor_matplotlib_py,
  ])

  /// Proctor's programs that run functions and pieces of code.
  func functionGuest(_ context: AdapterContext) -> GuestFolder {
    GuestFolder(
      context: context, name: "python-function",
      files: Self.functionFiles, isOwn: true)
  }

  public func plan(
    _ call: FunctionCall, _ context: AdapterContext
  ) throws(FunctionFailure) -> FunctionPlan {
    let guest = functionGuest(context)
    let python = context.toolchain.main
    let argv =
      switch call.runtime {
      case .vm: [python, "-I", "-B", "-X", "utf8", guest.path("proctor_call_restricted.py")]
      case .native, .wasm: [python, "-B", "-X", "utf8", guest.path("proctor_call.py")]
      }
    // A restricted call loads nothing of its file's ahead.
    let places =
      call.runtime == .vm
      ? nil
      : [
        "PROCTOR_AHEAD_ROOT": context.projectDirectory,
        "PROCTOR_AHEAD_WORKSPACE": context.workspace,
      ]
    return FunctionPlan(
      builds: guest.installation + guest.compilation("proctor_host.py", python: context.toolchain),
      call: guest.call(
        call, argv: argv,
        waiting: places?.merging(["PROCTOR_AHEAD": call.file]) { $1 } ?? [:], waitingForAny: places,
        endsWithAnswer: true),
      layers: call.runtime == .vm ? ["RestrictedPython (depth, not a wall)"] : [])
  }
}

import FoundationEssentials
public import ProctorModel

/// Functions of JavaScript and TypeScript files: by node, or in a QuickJS engine that has nothing of the host.
extension JestAdapter: FunctionAdapter {
  public var language: String { "JavaScript" }
  public var functionExtensions: [String] { ["js", "mjs", "cjs", "ts", "mts", "cts"] }
  public var functionRuntimes: Set<FunctionRuntime> { [.native, .vm] }
  public var timedRuntimes: Set<FunctionRuntime> { functionRuntimes }

  /// QuickJS is had as a package of Python's.
  public func functionToolchain(
    for project: Project, workspace: String, settings: AdapterSettings, runtime: FunctionRuntime,
    host: any Host
  ) throws(ToolProblem) -> Toolchain {
    guard runtime == .vm else {
      return try toolchain(for: project, workspace: workspace, settings: settings, host: host)
    }
    return try PythonToolchain(
      project: project, workspace: workspace, settings: AdapterSettings(), host: host,
      needs: .quickjs
    ).find()
  }

  /// Proctor's programs that run functions and pieces of code.
  func functionGuest(_ context: AdapterContext) -> GuestFolder {
    GuestFolder(
      context: context, name: "javascript-function",
      files: [
        "proctor_call.mjs": PackageResources.proctor_call_mjs,
        "proctor_code.cjs": PackageResources.proctor_code_cjs,
        "proctor_guest.cjs": PackageResources.proctor_guest_cjs,
        "proctor_core.cjs": PackageResources.proctor_core_cjs,
        "proctor_vm.js": PackageResources.proctor_vm_js,
        "proctor_call_quickjs.py": PackageResources.proctor_call_quickjs_py,
        "proctor_host.py": PackageResources.proctor_host_py,
      ], isOwn: true)
  }

  public func plan(
    _ call: FunctionCall, _ context: AdapterContext
  ) throws(FunctionFailure) -> FunctionPlan {
    let guest = functionGuest(context)
    guard call.runtime == .vm else {
      return FunctionPlan(
        builds: guest.installation,
        call: guest.call(call, argv: [context.toolchain.main, guest.path("proctor_call.mjs")]))
    }
    return FunctionPlan(
      builds: guest.installation + guest.compilation("proctor_host.py", python: context.toolchain),
      call: guest.call(
        call,
        argv: [
          context.toolchain.main, "-I", "-B", "-X", "utf8", guest.path("proctor_call_quickjs.py"),
        ]),
      layers: ["QuickJS without files, network and modules (depth, not a wall)"])
  }
}

import FoundationEssentials
public import ProctorModel

/// Functions of JavaScript and TypeScript files: by node, or in an engine that has nothing of the host: an isolate
/// of the project's own isolated-vm, or QuickJS where it has none.
extension JestAdapter: FunctionAdapter {
  public var language: String { "JavaScript" }
  public var functionExtensions: [String] { ["js", "mjs", "cjs", "ts", "mts", "cts"] }
  public var functionRuntimes: Set<FunctionRuntime> { [.native, .vm] }
  public var timedRuntimes: Set<FunctionRuntime> { functionRuntimes }

  private static let isolatedVM = "isolated-vm"

  /// QuickJS is had as a package of Python's.
  public func toolchain(
    for project: Project, workspace: String, settings: AdapterSettings, runtime: FunctionRuntime,
    host: any Host
  ) throws(ToolProblem) -> Toolchain {
    func node() throws(ToolProblem) -> Toolchain {
      try toolchain(for: project, workspace: workspace, settings: settings, host: host)
    }
    guard runtime == .vm else { return try node() }
    if let folder = Self.isolatedVM(of: project, workspace, host) {
      return try node().adding(Self.isolatedVM, folder)
    }
    return try PythonToolchain(
      project: project, workspace: workspace, settings: AdapterSettings(), host: host,
      needs: .quickjs
    ).find()
  }

  /// The package's folder, looked for as node does, but in the workspace only. One that does not work is the
  /// project's all the same.
  private static func isolatedVM(
    of project: Project, _ workspace: String, _ host: any Host
  ) -> String? {
    var folder = project.directory(in: workspace)
    while folder == workspace || folder.hasPrefix(workspace + "/") {
      let modules = "\(folder)/node_modules"
      let package = "\(modules)/\(isolatedVM)"
      // Of links that lead nowhere there is only the name.
      if host.exists(package) || host.names(in: modules).contains(isolatedVM) { return package }
      folder = folder.parentFolder
    }
    return nil
  }

  private static let functionFiles = GuestFiles([
    "proctor_call.mjs": PackageResources.proctor_call_mjs,
    "proctor_code.cjs": PackageResources.proctor_code_cjs,
    "proctor_guest.cjs": PackageResources.proctor_guest_cjs,
    "proctor_typescript.cjs": PackageResources.proctor_typescript_cjs,
    "proctor_typescript_hooks.mjs": PackageResources.proctor_typescript_hooks_mjs,
    "proctor_channel.cjs": PackageResources.proctor_channel_cjs,
    "proctor_core.cjs": PackageResources.proctor_core_cjs,
    "proctor_vm.js": PackageResources.proctor_vm_js,
    "proctor_call_isolated.cjs": PackageResources.proctor_call_isolated_cjs,
    "proctor_call_quickjs.py": PackageResources.proctor_call_quickjs_py,
    "proctor_host.py": PackageResources.proctor_host_py,
  ])

  /// Proctor's programs that run functions and pieces of code.
  func functionGuest(_ context: AdapterContext) -> GuestFolder {
    GuestFolder(
      context: context, name: "javascript-function",
      files: Self.functionFiles, isOwn: true)
  }

  public func plan(
    _ call: FunctionCall, _ context: AdapterContext
  ) throws(FunctionFailure) -> FunctionPlan {
    let guest = functionGuest(context)
    let program = context.toolchain.main
    guard call.runtime == .vm else {
      return FunctionPlan(
        builds: guest.installation,
        call: guest.call(
          call, argv: [program, guest.path("proctor_call.mjs")], endsWithAnswer: true))
    }
    if let package = context.toolchain.tools[Self.isolatedVM] {
      guard call.timing == nil else {
        throw FunctionFailure(
          .sandbox, "the project's isolated-vm cannot time functions: use --isolation auto")
      }
      return FunctionPlan(
        builds: guest.installation,
        call: guest.call(
          call,
          argv: [
            program, "--no-node-snapshot", guest.path("proctor_call_isolated.cjs"), package,
          ], endsWithAnswer: true),
        layers: ["isolated-vm without files, network and modules (depth, not a wall)"])
    }
    return FunctionPlan(
      builds: guest.installation + guest.compilation("proctor_host.py", python: context.toolchain),
      call: guest.call(
        call, argv: [program, "-I", "-B", "-X", "utf8", guest.path("proctor_call_quickjs.py")],
        endsWithAnswer: true),
      layers: ["QuickJS without files, network and modules (depth, not a wall)"])
  }
}

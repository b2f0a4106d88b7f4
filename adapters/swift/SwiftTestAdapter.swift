import FoundationEssentials
import Glibc
public import ProctorModel

/// swift test: XCTest and Swift Testing of Swift packages.
public struct SwiftTestAdapter: Adapter {
  public let id = AdapterID(rawValue: "swift")
  public let listsWhileRunning = false
  public let sourceExtensions = ["swift"]
  public let environmentAllowList = ["SWIFT_DETERMINISTIC_HASHING", "SWT_*", "XCT_*"]

  public init() {}

  public func detect(in tree: WorkspaceTree) -> [Project] {
    tree.files(named: "Package.swift").map { path in
      let folder = path.split(separator: "/").dropLast().joined(separator: "/")
      return Project(
        adapter: id, root: folder, evidence: "Package.swift at \(folder.isEmpty ? "." : folder)")
    }
  }

  public func toolchain(
    for project: Project, workspace: String, settings: AdapterSettings, host: any Host
  ) throws(ToolProblem) -> Toolchain {
    try SwiftToolchain(
      project: project, workspace: workspace, settings: settings, host: host
    ).find()
  }

  // MARK: build

  public func fetch(_ context: AdapterContext) -> [Invocation] {
    let plan = SwiftPlan(context: context)
    return [
      Invocation(
        purpose: .fetch, title: "resolving packages",
        argv: [context.toolchain.main, "package"] + plan.folders + ["resolve"],
        environment: ["GIT_CONFIG_GLOBAL": "\(Invocation.filesPlaceholder)/gitconfig"],
        directory: context.projectDirectory, mounts: plan.mounts + plan.gitFolders,
        files: ["gitconfig": Data((context.toolchain.tools["git"] ?? "").utf8)])
    ]
  }

  public func buildFolders(_ context: AdapterContext) -> [String] {
    [SwiftPlan(context: context).productFolder]
  }

  public func build(_ context: AdapterContext) -> [Invocation] {
    let plan = SwiftPlan(context: context)
    let compile = Invocation(
      purpose: .install, title: "compiling the XCTest observer",
      argv: MakingScript.argv(
        #"""
        "$2" -O -parse-as-library -emit-library -enable-experimental-feature SymbolLinkageMarkers \
          -module-name ProctorXCTestObserver -module-cache-path /tmp/modules -o "$made" "$1/ProctorXCTestObserver.swift"
        """#) + [
          plan.observer, Invocation.filesPlaceholder,
          context.toolchain.tools["swiftc"] ?? "swiftc",
        ], directory: "/tmp", mounts: [.writable(context.guestFolder)],
      files: ["ProctorXCTestObserver.swift": Data(PackageResources.ProctorXCTestObserver_swift)])
    let build = compilation(context, title: "building tests")
    let stacks = Invocation(
      purpose: .install, title: "compiling the stack printer",
      argv: MakingScript.argv(#""$2" -shared -fPIC -O2 -o "$made" "$1/native_stacks.c""#) + [
        plan.stackLibrary, Invocation.filesPlaceholder, plan.clang,
      ], directory: "/tmp", mounts: [.writable(context.guestFolder)],
      files: ["native_stacks.c": Data(PackageResources.native_stacks_c)])
    return (access(plan.observer, R_OK) == 0 ? [] : [compile])
      + (access(plan.stackLibrary, R_OK) == 0 ? [] : [stacks]) + [build]
  }

  func compilation(_ context: AdapterContext, title: String) -> Invocation {
    let plan = SwiftPlan(context: context)
    return Invocation(
      purpose: .build, title: title,
      argv: [context.toolchain.main, "build"] + plan.folders
        + ["--build-tests"] + context.settings.arguments,
      directory: context.projectDirectory, mounts: plan.mounts)
  }

  public func readBuild(_ context: AdapterContext, _ finished: [FinishedInvocation]) -> Build {
    guard let last = finished.last else { return Build() }
    guard last.status.isSuccess else {
      // A failed build leaves the last good bundle behind: running it would be a lie.
      return Build(errors: SwiftBuildErrors(context: context, finished: last).errors())
    }
    guard let bundle = SwiftPlan(context: context).bundle() else { return Build() }
    return Build(
      products: SwiftPlan.Library.allCases.map {
        Build.Product(name: $0.rawValue, executable: bundle, directory: context.projectDirectory)
      })
  }

  // MARK: tests

  public func touchesTests(_ file: ChangedFile) -> Bool {
    file.isNamedAsTest
      || file.name == "Package.swift"
        && file.differs { ChangedFile.lines(of: $0, from: [".testTarget("]) }
  }

  public func list(
    _ context: AdapterContext, _ build: Build, scope: Scope, isComplete: Bool
  ) -> [Invocation] {
    let plan = SwiftPlan(context: context)
    return build.products.compactMap { product in
      SwiftPlan.Library(rawValue: product.name).map { plan.list(product, $0) }
    }
  }

  public func run(
    _ context: AdapterContext, _ build: Build, selection: Selection, mode: RunMode
  ) -> [Invocation] {
    let plan = SwiftPlan(context: context)
    let (cases, isEverything) =
      switch selection {
      case .all(let listed): (listed, true)
      case .cases(let cases): (cases, false)
      }
    let chosen = Dictionary(grouping: cases) { $0.product ?? "" }
    return build.products.flatMap { product -> [Invocation] in
      guard let own = chosen[product.name], let library = SwiftPlan.Library(rawValue: product.name)
      else {
        return []
      }
      if isEverything { return [plan.run(product, library, cases: own, isEverything: true, mode)] }
      return plan.chunks(own).map {
        plan.run(product, library, cases: $0, isEverything: false, mode)
      }
    }
  }

  public func frames(in output: String, of test: TestCase, _ context: AdapterContext) -> [Frame] {
    let name = String(test.name.prefix { $0 != "(" })
    return NativeStacks.frames(in: output, named: ["\(name.utf8.count)\(name)"], context)
  }

  public func decoder(
    for invocation: Invocation, _ context: AdapterContext, _ build: Build
  ) -> any EventDecoder {
    let isList = invocation.purpose == .list
    switch SwiftPlan.Library(rawValue: invocation.product ?? "") {
    case .xctest:
      return isList
        ? XCTestListDecoder(context: context)
        : XCTestDecoder(context: context, cases: invocation.cases ?? [])
    case .swiftTesting, nil:
      return isList
        ? SwiftTestingListDecoder(context: context)
        : SwiftTestingDecoder(context: context, cases: invocation.cases ?? [])
    }
  }

  public func exitAgrees(
    _ status: ExitStatus, failed: Bool, ran: Bool, of invocation: Invocation
  ) -> Bool {
    switch status {
    case .exited(0): !failed && ran
    case .exited(1): failed
    case .exited, .signaled: false
    }
  }
}

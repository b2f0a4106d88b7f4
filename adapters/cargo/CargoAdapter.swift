import FoundationEssentials
import Glibc
public import ProctorModel

/// cargo test: unit, integration and documentation tests of Cargo workspaces.
public struct CargoAdapter: Adapter {
  public let id = AdapterID(rawValue: "cargo")
  public let listsWhileRunning = false
  public let sourceExtensions = ["rs"]
  public let environmentAllowList = [
    "RUSTFLAGS", "RUSTDOCFLAGS", "RUST_TEST_THREADS", "RUST_MIN_STACK", "RUST_LOG",
    "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_*", "CARGO_PROFILE_*", "CARGO_TARGET_*", "CARGO_NET_*",
    "CARGO_HTTP_*", "CARGO_REGISTRIES_*_INDEX",
  ]

  public init() {}

  public func detect(in tree: WorkspaceTree) -> [Project] { CargoDetection(tree: tree).projects() }

  public func toolchain(
    for project: Project, workspace: String, settings: AdapterSettings, host: any Host
  ) throws(ToolProblem) -> Toolchain {
    try RustToolchain(project: project, workspace: workspace, settings: settings, host: host).find()
  }

  // MARK: build

  public func fetch(_ context: AdapterContext) -> [Invocation] {
    let plan = CargoPlan(context: context)
    return [
      Invocation(
        purpose: .fetch, title: "fetching crates", argv: plan.cargo("fetch"),
        environment: plan.environment, directory: context.projectDirectory,
        mounts: plan.mounts(keeping: true))
    ]
  }

  public func buildFolders(_ context: AdapterContext) -> [String] {
    [CargoPlan(context: context).targetFolder]
  }

  public func build(_ context: AdapterContext) -> [Invocation] {
    let plan = CargoPlan(context: context)
    let library = plan.channelLibrary
    let compile = Invocation(
      purpose: .install, title: "compiling the report channel",
      argv: MakingScript.argv(
        #"cc -shared -fPIC -O2 -o "$made" "$1/libtest_channel.c" "$1/native_stacks.c" -ldl -lpthread"#
      ) + [library, Invocation.filesPlaceholder], directory: "/",
      mounts: [.writable(context.guestFolder)],
      files: [
        "libtest_channel.c": Data(PackageResources.libtest_channel_c),
        "native_stacks.c": Data(PackageResources.native_stacks_c),
      ])
    let build = Invocation(
      purpose: .build, title: "building tests",
      argv: ["/bin/sh", "-c", plan.buildScript, context.toolchain.main]
        + ["--workspace", "--tests", "--message-format=json"] + plan.options
        + ["--config", CargoPlan.runnerSetting] + plan.target + context.settings.arguments,
      environment: plan.environment, directory: context.projectDirectory,
      mounts: plan.mounts + [.writable(plan.targetFolder)],
      files: ["runner.sh": Data(CargoPlan.runner.utf8)])
    return (access(library, R_OK) == 0 ? [] : [compile]) + [build]
  }

  public func readBuild(_ context: AdapterContext, _ finished: [FinishedInvocation]) -> Build {
    guard let last = finished.last else { return Build() }
    return CargoBuildReader(context: context, finished: last).build()
  }

  // MARK: tests

  /// Tests stand in the sources too, and manifests leave them out.
  public func touchesTests(_ file: ChangedFile) -> Bool {
    if file.isNamedAsTest || file.path.hasSuffix(".cargo/config.toml") { return true }
    let marks =
      file.name == "Cargo.toml"
      ? ["[[test]]", "harness", "test =", "doctest", "autotests", "[profile.test"]
      : file.name.hasSuffix(".rs")
        ? ["#[cfg(test)]", "#[test]", "::test]", "/// ```", "//! ```"] : []
    return file.differs { ChangedFile.lines(of: $0, from: marks) }
  }

  public func list(
    _ context: AdapterContext, _ build: Build, scope: Scope, isComplete: Bool
  ) -> [Invocation] {
    let plan = CargoPlan(context: context)
    let binaries = build.products.filter { $0.name != CargoPlan.documentation }
      .map { plan.libtest($0, .list, arguments: ["--list"]) }
    // Documentation tests are listed by compiling nothing, but parsing every crate again: only when
    // a selection needs their names.
    let documentation = isComplete ? build.product(CargoPlan.documentation) : nil
    return binaries
      + (documentation.map { [plan.documentation($0, .list, arguments: ["--list"])] } ?? [])
  }

  public func run(
    _ context: AdapterContext, _ build: Build, selection: Selection, mode: RunMode
  ) -> [Invocation] {
    let plan = CargoPlan(context: context)
    let (cases, isEverything) =
      switch selection {
      case .all(let listed): (listed, true)
      case .cases(let cases): (cases, false)
      }
    let chosen = Dictionary(grouping: cases) { $0.product ?? "" }
    let how: [String] =
      switch mode {
      case .normal: []
      case .serial, .ordered: ["--test-threads=1"]
      case .alone: ["--nocapture"]
      }
    return build.products.flatMap { product -> [Invocation] in
      let own = chosen[product.name] ?? []
      if product.name == CargoPlan.documentation {
        if isEverything { return [plan.documentation(product, .run, listsItself: true)] }
        let filters = own.map(\.nativeID).map(CargoPlan.documentationFilter)
        return own.isEmpty
          ? [] : [plan.documentation(product, .run, arguments: filters, cases: own)]
      }
      guard let first = own.first else { return [] }
      if first.nativeID.isEmpty { return [plan.customHarness(product, cases: own)] }
      if isEverything { return [plan.libtest(product, .run, cases: own)] }
      return plan.chunks(own).map {
        plan.libtest(
          product, .run, arguments: how + ["--exact"] + $0.map(\.nativeID), cases: $0,
          stacks: mode == .alone ? "crashes" : "hangs")
      }
    }
  }

  /// Documentation tests are processes of their own, and cannot be selected exactly.
  public func canRunAlone(_ test: TestCase) -> Bool { test.product != CargoPlan.documentation }

  public func frames(in output: String, of test: TestCase, _ context: AdapterContext) -> [Frame] {
    // A test of the crate `a-b` is the function `a_b::tests::name`; closures in it have longer names.
    NativeStacks.frames(in: output, named: ["::" + test.nativeID, test.nativeID], context)
  }

  public func decoder(
    for invocation: Invocation, _ context: AdapterContext, _ build: Build
  ) -> any EventDecoder {
    let product =
      build.product(invocation.product) ?? Build.Product(name: "", executable: "", directory: "")
    if invocation.purpose == .run, invocation.cases?.first?.nativeID.isEmpty == true {
      return CustomHarnessDecoder(cases: invocation.cases ?? [])
    }
    return LibtestDecoder(context: context, product: product, invocation: invocation)
  }

  public func exitAgrees(
    _ status: ExitStatus, failed: Bool, ran: Bool, of invocation: Invocation
  ) -> Bool {
    switch status {
    case .exited(0): !failed
    // Documentation tests cannot be selected exactly: others may have failed beside them.
    case .exited(101):
      failed || (invocation.product == CargoPlan.documentation && invocation.cases != nil)
    case .exited, .signaled: invocation.cases?.first?.nativeID.isEmpty == true && failed
    }
  }
}

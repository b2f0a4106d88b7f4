import FoundationEssentials
import Glibc
public import ProctorModel

/// Functions of Rust files: compiled into a library of their own, or to WebAssembly.
///
/// A few lines are added to the file and to the root of its crate, in the copy-on-write view of the workspace, so
/// that private functions can be called and the lines of the user's code stay what they are.
extension CargoAdapter: FunctionAdapter {
  public var language: String { "Rust" }
  public var functionExtensions: [String] { ["rs"] }
  public var functionRuntimes: Set<FunctionRuntime> { [.native, .wasm] }
  public var timedRuntimes: Set<FunctionRuntime> { functionRuntimes }
  public var timedBuild: String? { "release" }

  public func toolchain(
    for project: Project, workspace: String, settings: AdapterSettings, runtime: FunctionRuntime,
    host: any Host
  ) throws(ToolProblem) -> Toolchain {
    let toolchain = try toolchain(
      for: project, workspace: workspace, settings: settings, host: host)
    guard runtime == .wasm else { return toolchain }
    return try WasmToolchain(host: host).find(besides: toolchain)
  }

  public func plan(
    _ call: FunctionCall, _ context: AdapterContext
  ) throws(FunctionFailure) -> FunctionPlan {
    try RustFunctionPlan(call: call, context: context).plan()
  }

  public func failure(
    of build: FinishedInvocation, _ call: FunctionCall, _ context: AdapterContext
  ) -> FunctionFailure {
    RustFunctionErrors(call: call, context: context, finished: build).failure
  }
}

/// What compiles Rust to WebAssembly here, and what runs that.
struct WasmToolchain {
  let host: any Host

  /// Where Debian's compiler has the target, and what it links with.
  private static let debian = "/usr/lib/rustlib/wasm32-wasi"
  private static let debianParts = [
    "/usr/bin/cargo", "/usr/bin/rustc", debian, "/usr/bin/wasm-ld-14",
    "/usr/lib/wasm32-wasi/crt1-reactor.o",
  ]

  func find(besides toolchain: Toolchain) throws(ToolProblem) -> Toolchain {
    guard let runtime else {
      throw ToolProblem(
        message: "the WebAssembly runtime wasmtime is not installed",
        resolution: "Install it into the virtual environment in use, or for the machine's python3: "
          + "pip install wasmtime.")
    }
    var tools = toolchain.tools
    tools["wasmtime"] = runtime
    let root = toolchain.main.parentFolder.parentFolder
    let isOwn = host.exists("\(root)/lib/rustlib/wasm32-wasip1")
    var main = toolchain.main
    if isOwn {
      tools["target"] = "wasm32-wasip1"
    } else if Self.debianParts.allSatisfy(host.exists) {
      tools["target"] = "wasm32-wasi"
      tools["rustc"] = "/usr/bin/rustc"
      main = "/usr/bin/cargo"
    } else {
      throw ToolProblem(
        message: "Rust's target for WebAssembly is not installed",
        resolution: "Install it: rustup target add wasm32-wasip1, or "
          + "apt install cargo rustc libstd-rust-dev-wasm32 lld-14 wasi-libc.")
    }
    return Toolchain(
      main: main, tools: tools, version: isOwn ? toolchain.version : nil,
      reads: toolchain.reads + [runtime.parentFolder].filter { !$0.hasPrefix("/usr/") },
      path: toolchain.path, environment: toolchain.environment)
  }

  /// The library of PyPI's wasmtime, or of the system.
  private var runtime: String? {
    var libraries: [String] = []
    if let environment = host.environment["VIRTUAL_ENV"] { libraries.append("\(environment)/lib") }
    if let python = host.executable(named: "python3").flatMap(host.realPath) {
      libraries.append("\(python.parentFolder.parentFolder)/lib")
    }
    if let home = host.environment["HOME"] { libraries.append("\(home)/.local/lib") }
    libraries.append("/usr/local/lib")
    let packages = libraries.flatMap { library in
      host.names(in: library).filter { $0.hasPrefix("python") }.flatMap { python in
        ["site-packages", "dist-packages"].map { "\(library)/\(python)/\($0)/wasmtime" }
      }
    }
    let wheels = packages.flatMap { package in
      host.names(in: package).filter { $0.hasPrefix("linux-") }
        .map { "\(package)/\($0)/_libwasmtime.so" }
    }
    return (wheels + ["/usr/local/lib/libwasmtime.so", "/usr/lib/libwasmtime.so"])
      .first(where: host.exists)
  }
}

/// The commands that compile and call one function.
struct RustFunctionPlan {
  let call: FunctionCall
  let context: AdapterContext
  private let unit: RustUnit

  init(call: FunctionCall, context: AdapterContext) throws(FunctionFailure) {
    guard context.isIsolated else {
      throw FunctionFailure(
        .sandbox,
        "functions of Rust are called in a sandbox only: lines are added to a copy of the file")
    }
    guard RustSource.isPath(call.function) else {
      throw FunctionFailure(
        .notFound, "\(call.function) is no path of a Rust function, such as add or Point::new",
        near: RustSource(call.file, context).near(call.function))
    }
    (self.call, self.context) = (call, context)
    unit = try RustUnit(call: call, context: context)
  }

  private var isWasm: Bool { call.runtime == .wasm }
  private var target: String? { context.toolchain.tools["target"] }
  private var ending: String { isWasm ? "wasm" : "so" }

  /// Of all functions that are built with the same other crates.
  private var siblings: String {
    let key = [
      unit.directory, target ?? "", context.toolchain.main, context.toolchain.version ?? "",
      guest.folder, call.timing == nil ? "" : "timed",
    ].joined(separator: "\0")
    return "\(context.cache)/functions/\(Fingerprint.of(key))"
  }

  /// One for each function: cargo would compile the file anew for every other one.
  private var folder: String {
    "\(siblings)/\(Fingerprint.of([call.file, call.function].joined(separator: "\0")))"
  }

  /// The folder of another function, which has the other crates compiled; nil where there is nothing to take from it.
  private var sibling: String? {
    guard !unit.isAlone, access("\(folder)/target", F_OK) != 0 else { return nil }
    let names = try? FileManager.default.contentsOfDirectory(atPath: siblings).sorted()
    return names?.map { "\(siblings)/\($0)" }.first { access("\($0)/source", F_OK) == 0 }
  }

  private var library: String { "\(folder)/guest.\(ending)" }

  private var newLibrary: String { "\(folder)/new.\(ending)" }

  /// Native code that the runtime trusts: nothing of the workspace runs where it can be written.
  private var moduleFolder: String { "\(folder)-module" }

  private static let functionFiles = GuestFiles([
    "harness.rs": PackageResources.harness_rs, "shim.rs": PackageResources.shim_rs,
    "root.rs": PackageResources.root_rs, "rustc_library.sh": PackageResources.rustc_library_sh,
    "frames.h": PackageResources.frames_h,
    "function_host.c": PackageResources.function_host_c,
    "wasm_host.c": PackageResources.wasm_host_c,
  ])

  private var guest: GuestFolder {
    GuestFolder(
      context: context, name: "rust-function",
      files: Self.functionFiles)
  }

  func plan() -> FunctionPlan {
    let host = isWasm ? wasmHost : nativeHost
    return FunctionPlan(
      builds: guest.installation + host.builds + [build] + wasmCompilation(host.program),
      call: guest.call(
        call, argv: [host.program] + hostArguments,
        mounts: [.readOnly(folder)] + (isWasm ? [.readOnly(moduleFolder)] : []),
        environment: ["RUST_BACKTRACE": "0"]),
      layers: isWasm ? ["WebAssembly (wasmtime): no folders, no network, memory of its own"] : [])
  }

  // MARK: the host programs

  private var hostArguments: [String] {
    guard isWasm, let runtime = context.toolchain.tools["wasmtime"] else { return [library] }
    return [
      "--lib", runtime, "--module", library, "--cache", "\(moduleFolder)/guest.cwasm",
      "--memory-mib",
      String(call.memoryMB ?? 4096),
    ]
  }

  private typealias HostProgram = (program: String, builds: [Invocation])

  private var nativeHost: HostProgram {
    program("function_host", flags: ["-rdynamic", "-ldl", "-pthread"])
  }

  private var wasmHost: HostProgram { program("wasm_host", flags: ["-ldl"]) }

  private func program(_ name: String, flags: [String]) -> HostProgram {
    let program = guest.path(name)
    guard access(program, X_OK) != 0 else { return (program, []) }
    let build = Invocation(
      purpose: .install, title: "compiling \(name)",
      argv: MakingScript.argv(#"cc -std=c11 -O2 -o "$made" "$@""#) + [
        program, guest.path("\(name).c"),
      ] + flags, directory: "/", mounts: [.writable(context.guestFolder)])
    return (program, [build])
  }

  /// What the runtime makes of a module is kept; a call may not write.
  private func wasmCompilation(_ host: String) -> [Invocation] {
    guard isWasm, let runtime = context.toolchain.tools["wasmtime"] else { return [] }
    let script = #"""
      module=$1 folder=$2
      shift 2
      exec 9> "$folder/lock" && flock 9
      sum=$(cksum < "$module")
      [ -e "$folder/guest.cwasm" ] && [ "$(cat "$folder/module" 2>/dev/null)" = "$sum" ] && exit 0
      rm -f "$folder/guest.cwasm" "$folder/module"
      "$@" && printf %s "$sum" > "$folder/module"
      """#
    return [
      Invocation(
        purpose: .install, title: "compiling the module",
        argv: [
          "/bin/sh", "-c", script, "sh", library, moduleFolder, host, "--lib", runtime, "--module",
          library, "--compile", "\(moduleFolder)/guest.cwasm", "--memory-mib",
          String(call.memoryMB ?? 4096),
        ], directory: "/",
        mounts: [.writable(moduleFolder), .readOnly(folder), .readOnly(context.guestFolder)])
    ]
  }

  // MARK: the function

  /// Adds the lines, keeps the dates by which cargo knows what is new, and compiles.
  private static let script = #"""
    file=$1 root=$2 folder=$3 guest=$4 library=$5 new=$6 alone=$7 sibling=$8 stamp=$9
    shift 9
    # Two calls at once: one compiles, the other finds it done.
    exec 9> "$folder/lock" && flock 9 || exit 1
    rm -f "$new" "$folder/stamp"
    keep() { [ -z "$stamp" ] || printf %s "$stamp" > "$folder/stamp"; }
    sum=$(cksum < "$file")
    # The compiler said of a file alone that it is all there is to compile.
    if [ -n "$alone" ] && [ -e "$library" ] && [ "$(cat "$folder/source" 2>/dev/null)" = "$sum" ] &&
      [ -e "$folder/single" ]; then keep; exit; fi
    rm -f "$folder/single"
    # What another function's build made of other crates; a copy, as cargo writes into files.
    if [ -n "$sibling" ] && [ ! -e "$folder/target" ]; then
      rm -rf "$folder/taken"
      (flock -n 8 && cp -a "$sibling/target" "$folder/taken") 2>/dev/null 8< "$sibling/lock" &&
        mv "$folder/taken" "$folder/target"
    fi
    touch -r "$file" /tmp/file && touch -r "$root" /tmp/root || exit 1
    cat "$PROCTOR_FILES/shim.rs" >> "$file" && cat "$PROCTOR_FILES/root.rs" >> "$root" || exit 1
    [ "$file" = "$root" ] || touch -r /tmp/root "$root"
    # Dates may lie: only the same contents keep theirs.
    [ "$(cat "$folder/source" 2>/dev/null)" != "$sum" ] || touch -r /tmp/file "$file"
    cp -p "$guest/rustc_library.sh" /tmp/rustc_library && chmod +x /tmp/rustc_library || exit 1
    "$@" || exit
    # A fresh crate is not linked again. Whoever loads it meanwhile has the old or the new one, whole.
    [ ! -e "$new" ] || mv -f "$new" "$library" || exit 1
    # Each file has a line of its own, `path:`; what depends on the environment is told too.
    if [ -n "$alone" ] && [ "$(grep -c ':$' "$folder/depends")" = 2 ] && ! grep -q '^# env' "$folder/depends"; then
      : > "$folder/single"
    fi
    printf %s "$sum" > "$folder/source"
    # Of what a build script looks at elsewhere only cargo knows whether it changed.
    if [ -n "$alone" ]; then [ -e "$folder/single" ] || exit 0
    elif grep -rqsE --include=output '^cargo::?rerun-if-changed=/' "$folder/target"; then exit 0; fi
    keep
    """#

  private var build: Invocation {
    let plan = CargoPlan(context: context)
    var environment = plan.environment
    environment["PROCTOR_FILES"] = Invocation.filesPlaceholder
    if let compiler = context.toolchain.tools["rustc"] { environment["RUSTC"] = compiler }
    environment["RUSTC_WORKSPACE_WRAPPER"] = "/tmp/rustc_library"
    let shim = String(decoding: PackageResources.shim_rs, as: UTF8.self)
      .replacing("{{FUNCTION}}", with: call.function)
    let root = String(decoding: PackageResources.root_rs, as: UTF8.self)
      .replacing("{{HARNESS}}", with: RustSource.quoted(guest.path("harness.rs")))
    return Invocation(
      purpose: .build, title: "compiling \(call.function)",
      argv: ["/bin/sh", "-c", Self.script, "sh", call.file, unit.root, folder, guest.folder]
        + [
          library, newLibrary, unit.isAlone ? "alone" : "", sibling ?? "",
          Invocation.stampPlaceholder,
        ] + compiler(plan),
      environment: environment, directory: unit.directory,
      mounts: plan.mounts + [.writable(folder), .readOnly(context.guestFolder)]
        + (sibling.map { [.readOnly($0)] } ?? []),
      files: ["shim.rs": Data(shim.utf8), "root.rs": Data(root.utf8)],
      kept: Invocation.Kept(
        folder: siblings, marker: "\(siblings).built", stampFile: "\(folder)/stamp"))
  }

  private func compiler(_ plan: CargoPlan) -> [String] {
    let triple = target.map { ["--target", $0] } ?? []
    let last = ["--cap-lints=allow"] + (hasBlackBox ? ["--cfg=proctor_black_box"] : []) + linking
    let kind: [String]
    switch unit.kind {
    case .alone:
      let compiler =
        context.toolchain.tools["rustc"] ?? "\(context.toolchain.main.parentFolder)/rustc"
      // All that the compiler says is data, in one place.
      return [
        "/bin/sh", "-c", #"exec "$@" 2>&1"#, "sh", compiler, "--edition", "2021", "--crate-name",
        "guest", "--crate-type", "cdylib",
        "--error-format=json",
        "--emit=link=\(newLibrary),dep-info=\(folder)/depends",
      ] + (call.timing == nil ? [] : ["-C", "opt-level=3"]) + triple + last + [call.file]
    case .library: kind = ["--lib", "--crate-type", "cdylib"]
    case .binary(let name): kind = ["--bin", name]
    }
    return plan.cargo("rustc") + ["--message-format=json", "--target-dir", "\(folder)/target"]
      + (call.timing == nil ? [] : ["--release"]) + triple + kind + ["--"] + last + [
        "--emit=link=\(newLibrary)"
      ]
  }

  /// `std::hint::black_box` came with Rust 1.66; older compilers get a volatile read.
  private var hasBlackBox: Bool {
    let parts = (context.toolchain.version ?? "").split { !$0.isNumber }.prefix(2).compactMap {
      Int($0)
    }
    return parts.count == 2 && (parts[0], parts[1]) >= (1, 66)
  }

  /// Debian's compiler finds neither a linker nor the C library of the target by itself.
  private var linking: [String] {
    guard isWasm else { return [] }
    let common = ["-C", "link-arg=--export=__stack_pointer", "-C", "strip=debuginfo"]
    guard context.toolchain.tools["rustc"] != nil else { return common }
    let libraries = "/usr/lib/wasm32-wasi"
    return [
      "-C", "linker=wasm-ld-14", "-C", "linker-flavor=wasm-ld", "-C", "link-self-contained=no",
      "-L",
      libraries, "-C", "link-arg=\(libraries)/crt1-reactor.o", "-C",
      "link-arg=--export=_initialize", "-C", "target-feature=+mutable-globals",
    ] + common
  }
}

import FoundationEssentials
import Glibc
import ProctorModel

/// The commands that compile and call one Swift function.
///
/// A module is built as its tests would build it, and described by the compiler's symbol graph; then a
/// generated call is linked with its objects into a library. Both are kept until a file changes.
struct SwiftFunctionPlan {
  /// The product of the invocation that compiles the call itself.
  static let callProduct = "call"
  /// Set for a module with code at the top level of a file.
  static let scriptVariable = "PROCTOR_SCRIPT"

  let call: FunctionCall
  let unit: SwiftUnit

  private var context: AdapterContext { unit.context }
  private var package: SwiftPlan { unit.package }
  /// What is timed is compiled as it is released.
  private var isTimed: Bool { package.configuration == .release }
  private var optimization: String { isTimed ? "-O" : "-Onone" }
  private var tools: String {
    (context.toolchain.tools["swiftc"] ?? "/usr/bin/swiftc").parentFolder
  }

  private static let guestFiles = GuestFiles([
    "frames.h": PackageResources.frames_h,
    "function_host.c": PackageResources.function_host_c,
    "traps.c": PackageResources.traps_c,
    "ProctorHarness.swift": PackageResources.ProctorHarness_swift,
    "ProctorTiming.swift": PackageResources.ProctorTiming_swift,
  ])

  private var guest: GuestFolder {
    GuestFolder(
      context: context, name: "swift-function",
      files: Self.guestFiles)
  }

  func plan() throws(FunctionFailure) -> FunctionPlan {
    if unit.isCurrent, let target = unit.target { return try called(target) }
    if unit.isAlone {
      return FunctionPlan(
        builds: [aloneBuild], next: .plan { _ throws(FunctionFailure) in try built() })
    }
    return FunctionPlan(
      builds: [description],
      next: .plan { finished throws(FunctionFailure) in
        let target = try unit.target(in: finished.last?.stdout ?? Data())
        return FunctionPlan(
          builds: ([target.name] + target.hidden).map(build),
          next: .plan { _ throws(FunctionFailure) in try described(target) })
      })
  }

  private func built() throws(FunctionFailure) -> FunctionPlan {
    guard let target = unit.target else {
      throw FunctionFailure(.build, "what was built cannot be read")
    }
    return try called(target)
  }

  // MARK: the module

  private var description: Invocation {
    Invocation(
      purpose: .build, title: "reading the package",
      argv: [context.toolchain.main, "package"] + package.folders + ["describe", "--type", "json"],
      directory: context.projectDirectory, mounts: package.mounts)
  }

  private func build(_ target: String) -> Invocation {
    Invocation(
      purpose: .build, title: "building \(target)",
      argv: [context.toolchain.main, "build"] + package.folders + ["--target", target]
        + (isTimed ? ["-c", "release", "-Xswiftc", "-enable-testing"] : [])
        + context.settings.arguments,
      directory: context.projectDirectory, mounts: package.mounts,
      kept: Invocation.Kept(
        folder: package.productFolder, marker: "\(package.scratch).built"))
  }

  /// A file may be a script or a part of a program: the compiler knows.
  private static let alone = #"""
    folder=$1 file=$2 stamp=$3 nm=$4
    shift 4
    mkdir -p "$folder" && exec 9> "$folder/lock" && flock 9 || exit 1
    rm -rf "$folder/stamp" "$folder/graph" && mkdir -p "$folder/graph" "$folder/modules" || exit 1
    # Only a script's variables have no value without its program.
    object=
    said=$("$@" -parse-as-library "$file" 2>&1)
    if [ $? != 0 ]; then
      case "$said" in
        *"expressions are not allowed at the top level"*)
          "$@" "$file" 2>&1 || exit 1
          object=$folder/guest.o ;;
        *) printf '%s\n' "$said"; exit 1 ;;
      esac
    fi
    """#

  private static let keeping = #"""
    for graph in "$graphs"/*.json; do cat "$graph" && echo || exit 1; done > "$folder/graph.json"
    : > "$folder/script"
    if [ -n "$object" ]; then
      # Without the tool it is not known that there are none.
      if names=$("$nm" --defined-only "$object"); then printf '%s\n' "$names" | grep 'vp$' > "$folder/script"
      else echo unknown > "$folder/script"; fi
    fi
    printf %s "$stamp" > "$folder/stamp"
    """#

  private var aloneBuild: Invocation {
    let compiler =
      [
        "\(tools)/swiftc", "-module-name", SwiftUnit.aloneModule, "-c", "-emit-module",
        "-emit-module-path", "\(unit.folder)/modules/\(SwiftUnit.aloneModule).swiftmodule", "-o",
        "\(unit.folder)/guest.o", "-enable-testing", optimization, "-g", "-suppress-warnings",
        "-module-cache-path", moduleCache, "-emit-symbol-graph", "-emit-symbol-graph-dir",
        "\(unit.folder)/graph", "-symbol-graph-minimum-access-level", "private",
        "-Xfrontend", "-entry-point-function-name", "-Xfrontend", "guest_main",
      ]
    return Invocation(
      purpose: .build, title: "compiling \(context.display(call.file))",
      argv: [
        "/bin/sh", "-c",
        Self.alone + "\ngraphs=$folder/graph\n" + Self.keeping, "sh",
        unit.folder, call.file, unit.stamp ?? "none", "\(tools)/llvm-nm",
      ] + compiler,
      directory: call.file.parentFolder, mounts: [.writable(unit.folder), .writable(moduleCache)])
  }

  private var moduleCache: String { "\(context.cache)/functions/modules" }

  private static let describing = #"""
    folder=$1 manifest=$2 object=$3 stamp=$4 nm=$5
    shift 5
    mkdir -p "$folder" && exec 9> "$folder/lock" && flock 9 || exit 1
    rm -rf "$folder/stamp" "$folder/graph" && mkdir "$folder/graph" || exit 1
    cp "$manifest" "$folder/manifest.yaml" && cp "$PROCTOR_FILES/target.json" "$folder/target.json" || exit 1
    graphs=$folder/graph
    "$@" -output-dir "$graphs" || exit 1
    """#

  /// Has the compiler say what the module's functions are.
  private func described(_ target: SwiftUnit.Target) throws(FunctionFailure) -> FunctionPlan {
    let path = "\(package.scratch)/\(package.configuration).yaml"
    let manifest = SwiftBuildManifest(BuiltFile.read(path) ?? Data())
    guard let command = manifest.compilation(of: target.module) else {
      throw FunctionFailure(
        .build, "the package manager does not say how it builds \(target.name)")
    }
    let extract =
      [
        "\(tools)/swift-symbolgraph-extract", "-module-name", target.module,
        "-minimum-access-level", "private", "-skip-synthesized-members",
      ] + SwiftBuildManifest.imports(command).dropping("-package-name")
    let build = Invocation(
      purpose: .build, title: "reading the functions of \(target.name)",
      argv: [
        "/bin/sh", "-c", Self.describing + "\n" + Self.keeping, "sh", unit.folder, path,
        Self.scriptObject(command) ?? "", isWatched(manifest) ? unit.stamp ?? "none" : "none",
        "\(tools)/llvm-nm",
      ] + extract,
      environment: ["PROCTOR_FILES": Invocation.filesPlaceholder],
      directory: context.projectDirectory, mounts: package.mounts + [.writable(unit.folder)],
      files: ["target.json": (try? JSONEncoder().encode(target)) ?? Data()])
    return FunctionPlan(builds: [build], next: .plan { _ throws(FunctionFailure) in try built() })
  }

  /// Whether all packages lie where changes are noticed: a configuration may show others to builds.
  private func isWatched(_ manifest: SwiftBuildManifest) -> Bool {
    let places = [context.workspace, context.cache].map { $0 + "/" }
    return manifest.sources.allSatisfy { path in places.contains { path.hasPrefix($0) } }
  }

  /// The object of the file whose code at the top level is the program; its variables have no value in
  /// a library, where nobody runs it.
  private static func scriptObject(_ command: SwiftBuildManifest.Command) -> String? {
    guard !command.arguments.contains("-parse-as-library") else { return nil }
    let objects = command.outputs.filter { $0.hasSuffix(".o") }
    return objects.first { $0.hasSuffix("/main.swift.o") }
      ?? (objects.count == 1 ? objects[0] : nil)
  }

  // MARK: the function

  private struct Linking {
    let imports: [String]
    let objects: [String]
    let flags: [String]
    /// The file with code at the top level, when it must not be linked.
    let script: String?
  }

  private func linking(_ target: SwiftUnit.Target) throws(FunctionFailure) -> Linking {
    if unit.isAlone {
      return Linking(
        imports: ["-I", "\(unit.folder)/modules", "-module-cache-path", moduleCache],
        objects: ["\(unit.folder)/guest.o"], flags: [],
        script: unit.isScript ? "\(unit.folder)/guest.o" : nil)
    }
    let manifest = SwiftBuildManifest(unit.read("manifest.yaml") ?? Data())
    guard let command = manifest.compilation(of: target.module) else {
      throw FunctionFailure(.build, "what was built cannot be read")
    }
    let objects =
      manifest.objects(of: command) + target.hidden.flatMap(manifest.objects(ofTarget:))
    let folder = package.productFolder
    return Linking(
      imports: SwiftBuildManifest.imports(command), objects: objects,
      flags: manifest.linking(command.outputs.filter { $0.hasSuffix(".o") })
        + ["-Xlinker", "-rpath", "-Xlinker", folder],
      script: unit.isScript ? Self.scriptObject(command) : nil)
  }

  /// The source file of an object, which is named after it.
  private func isSource(_ object: String) -> Bool {
    unit.isAlone || object.hasSuffix("/\(call.file.split(separator: "/").last ?? "").o")
  }

  private func called(_ target: SwiftUnit.Target) throws(FunctionFailure) -> FunctionPlan {
    let swift = try SwiftCall(
      call, module: target.module, symbols: unit.symbols, symbolizer: "\(tools)/llvm-symbolizer")
    let folder = "\(unit.folder)/\(Fingerprint.of(swift.source + guest.folder))"
    let isCompiled =
      unit.isCurrent
      && unit.stamp.map { BuiltFile.read("\(folder)/stamp") == Data($0.utf8) } == true
      && access("\(folder)/guest.so", R_OK) == 0
    // Reading how the module was built takes longer than calling it.
    let linking = isCompiled && !unit.isScript ? nil : try linking(target)
    if let script = linking?.script, isSource(script) {
      throw FunctionFailure(
        .badArguments,
        "\(call.function) cannot be called: its file has variables at the top level, which have their "
          + "values only when the program runs; move the function, or the variables into a function",
        at: SourceLocation(file: context.display(call.file), line: swift.function.line))
    }
    let given = FunctionCall(
      file: call.file, function: call.function, arguments: swift.arguments, runtime: call.runtime,
      memoryMB: call.memoryMB, timing: call.timing, outputLimit: call.outputLimit)
    let own = isCompiled ? nil : linking.map { compilation(swift, $0, folder) }
    return FunctionPlan(
      builds: guest.installation + host.builds + harness.builds + [own].compactMap(\.self),
      call: guest.call(
        given, argv: [host.program, "\(folder)/guest.so"],
        mounts: [.readOnly(unit.folder)] + (unit.isAlone ? [] : [.readOnly(package.scratch)]),
        // The order of sets and dictionaries is then the same in each call.
        environment: ["SWIFT_BACKTRACE": "enable=no", "SWIFT_DETERMINISTIC_HASHING": "1"],
        waiting: ["PROCTOR_AHEAD_LIBRARIES": "\(tools.parentFolder)/lib/swift/linux"]))
  }

  private var host: (program: String, builds: [Invocation]) {
    let program = guest.path("function_host")
    guard access(program, X_OK) != 0 else { return (program, []) }
    let build = Invocation(
      purpose: .install, title: "compiling function_host",
      argv: MakingScript.argv(#""$2" -std=c11 -O2 -rdynamic -o "$made" "$1" -ldl -pthread"#) + [
        program, guest.path("function_host.c"), package.clang,
      ], directory: "/", mounts: [.writable(context.guestFolder)])
    return (program, [build])
  }

  /// Proctor's own part of each library, compiled.
  private var harness: (folder: String, builds: [Invocation]) {
    let version = context.toolchain.main + "\0" + (context.toolchain.tools["full version"] ?? "")
    let folder = guest.path("harness-\(Fingerprint.of(version))")
    guard access(folder, R_OK) != 0 else { return (folder, []) }
    let build = Invocation(
      purpose: .install, title: "compiling proctor's part of swift-function",
      argv: MakingScript.argv(
        #"""
        guest=$1
        mkdir "$made" && "$3" -std=c11 -O1 -fPIC -c -o "$made/traps.o" "$guest/traps.c" &&
          "$2" -swift-version 5 -parse-as-library -O -enforce-exclusivity=unchecked \
            -c -emit-module -module-cache-path /tmp/modules \
            -module-name ProctorHarness -emit-module-path "$made/ProctorHarness.swiftmodule" \
            -wmo -o "$made/harness.o" "$guest/ProctorHarness.swift" "$guest/ProctorTiming.swift"
        """#) + [folder, guest.folder, "\(tools)/swiftc", package.clang], directory: "/",
      mounts: [.writable(context.guestFolder)])
    return (folder, [build])
  }

  private static let compiling = #"""
    folder=$1 stamp=$2 traps=$3
    shift 3
    # Two calls at once: whoever loads it meanwhile has the old or the new one, whole.
    mkdir -p "$folder" && exec 9> "$folder/lock" && flock 9 || exit 1
    rm -f "$folder/stamp"
    # What the compiler finds out about linking it writes beside the first object.
    cp "$traps" "$folder/traps.o" || exit 1
    "$@" -o "$folder/new.so" 2>&1 || exit 1
    mv -f "$folder/new.so" "$folder/guest.so" && printf %s "$stamp" > "$folder/stamp"
    """#

  private func compilation(_ swift: SwiftCall, _ linking: Linking, _ folder: String) -> Invocation {
    let objects = linking.objects.filter { $0 != linking.script }
    let compiler =
      [
        "\(tools)/swiftc", "-swift-version", "5", "-parse-as-library", "-suppress-warnings",
        optimization,
        // Proctor's own part only; what is called stays as it was compiled.
        "-enforce-exclusivity=unchecked",
        "-emit-library", "-module-name", "ProctorLibrary", "-I", harness.folder,
      ] + linking.imports + [
        "\(folder)/traps.o", "\(harness.folder)/harness.o",
        "\(Invocation.filesPlaceholder)/\(SwiftCall.file)",
        "@\(Invocation.filesPlaceholder)/objects",
      ] + linking.flags + ["-Xlinker", "-z", "-Xlinker", "defs"]
    return Invocation(
      purpose: .build, title: "compiling the call of \(call.function)",
      argv: [
        "/bin/sh", "-c", Self.compiling, "sh", folder, unit.stamp ?? "none",
        "\(harness.folder)/traps.o",
      ] + compiler,
      environment: linking.script == nil ? [:] : [Self.scriptVariable: "1"],
      directory: context.projectDirectory,
      mounts: [.writable(unit.folder), .readOnly(context.guestFolder)]
        + (unit.isAlone ? [.writable(moduleCache)] : package.mounts),
      files: [
        SwiftCall.file: Data(swift.source.utf8),
        "objects": Data(objects.map { "\"\($0)\"\n" }.joined().utf8),
      ],
      product: Self.callProduct)
  }
}

extension [String] {
  /// Without an option and its value.
  fileprivate func dropping(_ option: String) -> [String] {
    guard let index = firstIndex(of: option) else { return self }
    return Array(self[..<index] + dropFirst(index + 2))
  }
}

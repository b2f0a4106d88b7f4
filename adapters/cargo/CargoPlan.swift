import FoundationEssentials
import ProctorModel

/// The command lines of cargo and of test binaries.
struct CargoPlan {
  let context: AdapterContext

  /// The product that stands for all documentation tests of a Cargo workspace.
  static let documentation = "doc"
  /// The kernel takes 128 KiB an argument and some 2 MB in all.
  private static let argumentLimit = 512 * 1024

  /// Cargo starts test binaries through this "runner", which only tells what cargo would have started
  /// and in which environment.
  static let runner = """
    { printf 'PROCTOR_DIRECTORY=%s\\0PROCTOR_EXECUTABLE=%s\\0' "$(pwd)" "$1"; env -0; } |
      base64 -w0 | sed 's/^/proctor-runner /'
    echo
    """
  static let runnerMark = "proctor-runner "
  static let runnerSetting =
    #"target."cfg(all())".runner=["/bin/sh","\#(Invocation.filesPlaceholder)/runner.sh"]"#

  var targetFolder: String { "\(context.cache)/target" }
  var target: [String] { ["--target-dir", targetFolder] }
  var channelLibrary: String {
    "\(context.guestFolder)/libtest_channel-\(Fingerprint.of(PackageResources.libtest_channel_c + PackageResources.native_stacks_c)).so"
  }

  private var cargoHome: String { "\(context.sharedCache)/cargo-home" }

  /// One cargo command builds everything and tells the environments. It stops at the first broken
  /// target, so after a failure a second one goes on: all errors are shown and good binaries built.
  var buildScript: String {
    let first = "\"$0\" test --no-fail-fast \"$@\""
    guard canKeepGoing else { return "exec \(first)" }
    return """
      \(first) && exit 0
      status=$?
      "$0" build --profile test --keep-going "$@"
      exit "$status"
      """
  }

  /// `--keep-going` is stable since 1.74.
  var canKeepGoing: Bool {
    let parts = (context.toolchain.version ?? "").split(separator: ".").compactMap { Int($0) }
    return parts.count < 2 || parts[0] > 1 || parts[1] >= 74
  }

  func cargo(_ command: String) -> [String] { [context.toolchain.main, command] + options }

  var options: [String] {
    let configuration = context.isIsolated ? context.toolchain.tools["configuration"] : nil
    return (context.mayFetch ? [] : ["--offline"]) + (configuration.map { ["--config", $0] } ?? [])
  }

  var environment: [String: String] {
    ["CARGO_TERM_COLOR": "never"].merging(context.isIsolated ? ["CARGO_HOME": cargoHome] : [:]) {
      $1
    }
  }

  /// Downloaded crates: the user's own are read, what `--fetch` adds is kept in the cache folder.
  /// Nothing else of the user's cargo folder, where credentials are, is visible.
  var mounts: [Invocation.Mount] { mounts(keeping: false) }

  /// - Parameter keeping: whether what is downloaded stays, for all workspaces: build scripts must not change it.
  func mounts(keeping: Bool) -> [Invocation.Mount] {
    guard context.isIsolated else { return [] }
    let folders = ["registry", "git"].map { name -> Invocation.Mount in
      let upper = "\(cargoHome)/\(name)"
      return context.toolchain.tools[name].map { .layered(lower: $0, upper: upper) }
        ?? (keeping ? .writable(upper) : .copyOnWrite(upper))
    }
    return folders
      + [context.toolchain.tools["configuration"]].compactMap { $0.map { .readOnly($0) } }
  }

  private var testMounts: [Invocation.Mount] {
    [.copyOnWrite(targetFolder), .readOnly(context.guestFolder)]
  }

  /// A test binary with the standard harness.
  func libtest(
    _ product: Build.Product, _ purpose: Invocation.Purpose, arguments: [String] = [],
    cases: [TestCase]? = nil, stacks: String = "hangs"
  ) -> Invocation {
    let usersPreload = product.environment["LD_PRELOAD"] ?? ""
    return Invocation(
      purpose: purpose, title: "\(purpose == .list ? "listing" : "running") \(product.name)",
      argv: [product.executable, "-Z", "unstable-options", "--format", "json"]
        + (purpose == .run ? ["--report-time", "--show-output"] : []) + arguments,
      environment: product.environment.merging([
        // The JSON format is unstable; this lets a stable toolchain's test binaries write it.
        "RUSTC_BOOTSTRAP": "1", "LD_PRELOAD": channelLibrary, "PROCTOR_PRELOAD": usersPreload,
        "PROCTOR_CHANNEL": Invocation.channelPlaceholder,
        "PROCTOR_NONCE": Invocation.noncePlaceholder, "PROCTOR_STACKS": stacks,
      ]) { $1 },
      directory: product.directory, channel: .frames, mounts: testMounts, product: product.name,
      cases: cases)
  }

  /// A target with `harness = false`: a program that passes by exiting with 0.
  func customHarness(_ product: Build.Product, cases: [TestCase]) -> Invocation {
    Invocation(
      purpose: .run, title: "running \(product.name)", argv: [product.executable],
      environment: product.environment, directory: product.directory, mounts: testMounts,
      product: product.name, cases: cases)
  }

  /// Documentation tests run inside rustdoc, which keeps their output to itself: cargo's stdout is
  /// the report.
  func documentation(
    _ product: Build.Product, _ purpose: Invocation.Purpose, arguments: [String] = [],
    cases: [TestCase]? = nil, listsItself: Bool = false
  ) -> Invocation {
    let packages = (product.details["packages"] ?? "").split(separator: " ").flatMap {
      ["-p", String($0)]
    }
    return Invocation(
      purpose: purpose, title: "\(purpose == .list ? "listing" : "running") documentation tests",
      argv: cargo("test") + ["--doc", "--no-fail-fast", "--quiet"] + packages + target
        + context.settings.arguments + ["--", "-Z", "unstable-options", "--format", "json"]
        + (purpose == .run ? ["--report-time", "--show-output"] : []) + arguments,
      environment: environment.merging([
        "RUSTC_BOOTSTRAP": "1", "LD_PRELOAD": channelLibrary, "PROCTOR_DOCUMENTATION": "1",
      ]) { $1 },
      directory: context.projectDirectory,
      mounts: mounts + [.writable(targetFolder), .readOnly(context.guestFolder)],
      product: product.name, cases: cases, listsItself: listsItself)
  }

  /// rustdoc splits its arguments at blanks, so a documentation test is selected by the path of its
  /// item: `add` of `src/lib.rs - add (line 5)`. More may match; the decoder leaves them out.
  static func documentationFilter(_ name: String) -> String {
    let words = name.split(separator: " ").map(String.init)
    return words.count > 3 && words[1] == "-" && words[2] != "(line" ? words[2] : words[0]
  }

  /// Selections short enough for one command line.
  func chunks(_ cases: [TestCase]) -> [[TestCase]] {
    var result: [[TestCase]] = [[]]
    var size = 0
    for test in cases {
      size += test.nativeID.utf8.count + 16
      if size > Self.argumentLimit {
        result.append([])
        size = test.nativeID.utf8.count
      }
      result[result.count - 1].append(test)
    }
    return result
  }
}

import FoundationEssentials
import ProctorModel
import TOMLKit

/// Test binaries and errors of a cargo build.
struct CargoBuildReader {
  let context: AdapterContext
  let finished: FinishedInvocation

  /// What the environment of a sandboxed command holds anyway.
  private static let ordinary: Set<String> = [
    "PWD", "OLDPWD", "SHLVL", "_", "HOME", "PATH", "TMPDIR", "TERM", "LANG", "CARGO_TERM_COLOR",
    "PROCTOR_DIRECTORY", "PROCTOR_EXECUTABLE", "PROCTOR_SANDBOX",
  ]

  func build() -> Build {
    var artifacts: [CargoMessage] = []
    var errors: [RunError] = []
    var environments: [String: [String: String]] = [:]
    var documented: [String] = []
    for line in finished.stdout.split(separator: UInt8(ascii: "\n")) {
      if line.starts(with: CargoPlan.runnerMark.utf8) {
        let environment = runnerEnvironment(line.dropFirst(CargoPlan.runnerMark.utf8.count))
        environments[environment["PROCTOR_EXECUTABLE"] ?? ""] = environment
        continue
      }
      guard line.first == UInt8(ascii: "{"),
        let message = try? JSONDecoder().decode(CargoMessage.self, from: Data(line))
      else { continue }
      if message.reason == "compiler-message", let error = error(message), !errors.contains(error) {
        errors.append(error)
      }
      guard message.reason == "compiler-artifact", message.profile?.test == true else { continue }
      if let executable = message.executable,
        !artifacts.contains(where: { $0.executable == executable })
      {
        artifacts.append(message)
      }
      if message.target?.doctest == true, let name = packageName(message),
        !documented.contains(name)
      {
        documented.append(name)
      }
    }
    if !finished.status.isSuccess && errors.isEmpty { errors = startErrors() }
    // Cargo finishes them in any order.
    var products = artifacts.map { product($0, environments) }.sorted { $0.name < $1.name }
    if !documented.isEmpty && errors.isEmpty {
      products.append(
        Build.Product(
          name: CargoPlan.documentation, executable: "", directory: context.projectDirectory,
          details: ["packages": documented.joined(separator: " ")]))
    }
    return Build(products: products, errors: errors)
  }

  // MARK: products

  private func product(
    _ artifact: CargoMessage, _ environments: [String: [String: String]]
  ) -> Build.Product {
    let executable = artifact.executable ?? ""
    let package = (artifact.manifest_path ?? "").parentFolder
    let told = environments[executable]
    let directory = told?["PROCTOR_DIRECTORY"] ?? package
    let source = artifact.target.map { context.display($0.src_path) } ?? ""
    return Build.Product(
      name: prefix(artifact), executable: executable, directory: directory,
      environment: told?.filter { !Self.ordinary.contains($0.key) }
        ?? fallbackEnvironment(package, executable),
      details: ["source": source, "harness": "\(hasHarness(artifact))"])
  }

  /// Whether a target is built with libtest; `harness = false` in its manifest makes it a program.
  private func hasHarness(_ artifact: CargoMessage) -> Bool {
    guard let manifest = artifact.manifest_path, let target = artifact.target,
      let kind = target.kind.first,
      let data = FileManager.default.contents(atPath: context.readable(manifest)),
      data.firstRange(of: Data("harness".utf8)) != nil,
      let table = try? TOMLTable(string: String(decoding: data, as: UTF8.self))
    else { return true }
    if !["test", "bin", "example", "bench"].contains(kind) {
      return table["lib"]?.table?["harness"]?.bool != false
    }
    let own = table[kind]?.array?.first { $0.table?["name"]?.string == target.name }
    return own?.table?["harness"]?.bool != false
  }

  /// When a target of the workspace is broken, cargo starts no runner; the good binaries get what
  /// they need most.
  private func fallbackEnvironment(_ package: String, _ executable: String) -> [String: String] {
    let deps = executable.parentFolder
    let root = context.toolchain.main.parentFolder.parentFolder
    return [
      "CARGO": context.toolchain.main, "CARGO_MANIFEST_DIR": package,
      "CARGO_MANIFEST_PATH": "\(package)/Cargo.toml", "LD_LIBRARY_PATH": "\(deps):\(root)/lib",
    ]
  }

  /// What full names begin with: `pkg`, `pkg::bin/NAME`, `pkg::test/NAME`, `pkg::example/NAME`.
  private func prefix(_ artifact: CargoMessage) -> String {
    let package = packageName(artifact) ?? "?"
    guard let target = artifact.target, let kind = target.kind.first else { return package }
    switch kind {
    case "bin", "test", "example", "bench": return "\(package)::\(kind)/\(target.name)"
    default: return package
    }
  }

  /// `path+file:///x/app#0.2.0` or `path+file:///x/core#ws-core@0.1.0`.
  private func packageName(_ message: CargoMessage) -> String? {
    guard let id = message.package_id, let mark = id.lastIndex(of: "#") else { return nil }
    let fragment = id[id.index(after: mark)...]
    if let at = fragment.firstIndex(of: "@") { return String(fragment[..<at]) }
    return id[..<mark].split(separator: "/").last.map(String.init)
  }

  private func runnerEnvironment(_ encoded: Data) -> [String: String] {
    guard let data = Data(base64Encoded: Data(encoded)) else { return [:] }
    var result: [String: String] = [:]
    for entry in data.split(separator: 0) {
      let pair = entry.split(
        separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
      guard pair.count == 2 else { continue }
      result[String(decoding: pair[0], as: UTF8.self)] = String(decoding: pair[1], as: UTF8.self)
    }
    return result
  }

  // MARK: errors

  private func error(_ message: CargoMessage) -> RunError? {
    CargoDiagnostics(context: context).diagnostic(message).flatMap { diagnostic in
      guard diagnostic.severity == .error else { return nil }
      return RunError(
        stage: .build, adapter: context.project.adapter, message: diagnostic.message,
        location: diagnostic.location, code: diagnostic.code)
    }
  }

  /// Errors from before any compiler ran: manifests, resolution, missing crates.
  func startErrors() -> [RunError] {
    let text = String(decoding: finished.stderr, as: UTF8.self)
    guard let start = text.firstRange(of: "error:") else { return [] }
    let message = String(text[start.lowerBound...].dropFirst(6).trimmingPrefix { $0 == " " })
    let short = message.split(separator: "\n", omittingEmptySubsequences: false).prefix(12)
      .joined(separator: "\n")
    if let crate = missingCrate(text) {
      return [
        RunError(
          stage: .dependency, adapter: context.project.adapter,
          message: "the crate \(crate) is not downloaded: run with --fetch\n\(short)",
          location: SourceLocation(file: context.display("Cargo.toml")))
      ]
    }
    let isManifest = text.contains("manifest") || text.contains("Cargo.toml")
    return [
      RunError(
        stage: isManifest ? .configuration : .build, adapter: context.project.adapter,
        message: short, location: isManifest ? manifestLocation(text) : nil)
    ]
  }

  private func missingCrate(_ text: String) -> String? {
    let isOffline = [
      "--offline", "offline", "no matching package", "failed to download", "failed to get",
      "Could not resolve host",
    ]
    .contains { text.contains($0) }
    guard isOffline, !text.contains("failed to parse manifest") else { return nil }
    for mark in [
      "no matching package named `", "failed to get `", "failed to download `",
      "failed to select a version for the requirement `",
    ] {
      if let range = text.firstRange(of: mark) {
        return String(text[range.upperBound...].prefix { $0 != "`" })
      }
    }
    return nil
  }

  /// ` --> crates/x/Cargo.toml:7:10`, or `manifest at `/x/Cargo.toml`` with `line 7, column 10`.
  private func manifestLocation(_ text: String) -> SourceLocation {
    if let arrow = text.firstRange(of: "--> ") {
      let parts = text[arrow.upperBound...].prefix { $0 != "\n" }.split(separator: ":")
      if parts.count >= 2, let line = Int(parts[1]) {
        return SourceLocation(
          file: context.display(String(parts[0])), line: line,
          column: parts.count > 2 ? Int(parts[2].prefix { $0.isNumber }) : nil)
      }
    }
    func number(_ word: String) -> Int? {
      text.firstRange(of: word).flatMap { Int(text[$0.upperBound...].prefix { $0.isNumber }) }
    }
    let file = text.firstRange(of: "manifest at `").map {
      String(text[$0.upperBound...].prefix { $0 != "`" })
    }
    return SourceLocation(
      file: context.display(file ?? "Cargo.toml"), line: number("at line "),
      column: number("column "))
  }
}

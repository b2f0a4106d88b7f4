import FoundationEssentials
import Glibc
import ProctorModel

/// The module that a file belongs to, and what is kept of it from call to call.
struct SwiftUnit {
  /// A target of a package.
  struct Target: Codable {
    let name: String
    let module: String
    /// Targets of C that only others of C need: building the Swift target does not build them.
    let hidden: [String]
  }

  let file: String
  let package: SwiftPlan
  /// What the files were when proctor looked; nil when that cannot be told.
  let stamp: String?

  var context: AdapterContext { package.context }

  init(file: String, package: SwiftPlan) {
    self.file = file
    self.package = package
    let context = package.context
    stamp =
      context.project.evidence == Project.loneFile
      ? FileManager.default.contents(atPath: context.readable(file)).map {
        "\($0.count) \(Fingerprint.of(Array($0)))"
      }
      : WorkspaceStamp(
        context.files, without: [context.cache, context.sharedCache],
        and: context.settings.arguments
          + context.hostEnvironment.merging(context.settings.environment) { $1 }
          .map { "\($0.key)=\($0.value)" }.sorted()
      ).text
  }

  var isAlone: Bool { context.project.evidence == Project.loneFile }

  /// What a file alone is called as a module.
  static let aloneModule = "Guest"

  var folder: String {
    let key = [
      file, context.toolchain.main, context.toolchain.tools["full version"] ?? "",
      isAlone ? "alone" : "target", package.configuration.rawValue,
    ].joined(separator: "\0")
    return "\(context.cache)/functions/\(Fingerprint.of(key))"
  }

  var target: Target? {
    isAlone
      ? Target(name: Self.aloneModule, module: Self.aloneModule, hidden: [])
      : read("target.json").flatMap { try? JSONDecoder().decode(Target.self, from: $0) }
  }

  /// Whether what is kept was made from the files as they are.
  var isCurrent: Bool {
    guard let stamp, read("stamp") == Data(stamp.utf8), let target else { return false }
    if isAlone { return true }
    // A run of tests may have removed what was built, resources too.
    return access("\(package.products)/Modules/\(target.module).swiftmodule", R_OK) == 0
  }

  var symbols: SwiftSymbols { SwiftSymbols(read("graph.json") ?? Data()) }

  /// Whether the module has variables that only its program sets.
  var isScript: Bool { read("script")?.isEmpty == false }

  func read(_ name: String) -> Data? { BuiltFile.read("\(folder)/\(name)") }

  // MARK: the target

  private struct Description: Decodable {
    struct Target: Decodable {
      let name: String
      let c99name: String
      let module_type: String
      let type: String
      let path: String
      let sources: [String]
      let target_dependencies: [String]?
    }

    let targets: [Target]
  }

  /// - Parameter description: what the package manager says of the package, as JSON.
  func target(in description: Data) throws(FunctionFailure) -> Target {
    // Warnings may stand before it.
    guard let start = description.firstIndex(of: UInt8(ascii: "{")),
      let package = try? JSONDecoder().decode(
        Description.self, from: Data(description[start...]))
    else {
      throw FunctionFailure(.build, "the package manager's description cannot be read")
    }
    let place = SourceLocation(file: context.display(file))
    let found = package.targets.first { target in
      let root = target.path.hasPrefix("/") ? "" : context.projectDirectory + "/"
      return target.sources.contains { "\(root)\(target.path)/\($0)" == file }
    }
    guard let found else {
      throw FunctionFailure(.build, "the file belongs to no target of its package", at: place)
    }
    guard ["library", "executable"].contains(found.type), found.module_type == "SwiftTarget" else {
      throw FunctionFailure(
        .build,
        "functions of a \(found.type) target cannot be called: only those of libraries and programs",
        at: place)
    }
    let all = Dictionary(package.targets.map { ($0.name, $0) }) { first, _ in first }
    var hidden: Set<String> = []
    var seen: Set<String> = []
    var pending = [found]
    while let next = pending.popLast() {
      let needed = (next.target_dependencies ?? []).compactMap { all[$0] }
      if next.module_type == "ClangTarget" {
        hidden.formUnion(needed.filter { $0.module_type == "ClangTarget" }.map(\.name))
      }
      pending += needed.filter { seen.insert($0.name).inserted }
    }
    return Target(name: found.name, module: found.c99name, hidden: hidden.sorted())
  }
}

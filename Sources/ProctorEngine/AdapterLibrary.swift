import FoundationEssentials
import ProctorAdapters
import ProctorModel

/// The adapters of a workspace: the four with code of their own, and those that manifests describe.
///
/// A manifest of the workspace outranks one of the user, which outranks one that proctor brings along,
/// when their names are equal.
struct AdapterLibrary: Sendable {
  /// Relative to the workspace.
  static let workspaceFolder = ".proctor/adapters"
  private static let sizeLimit = 1 << 20

  /// Those that proctor brings along, read when somebody asks for them.
  private static let shipped: [String: ManifestAdapter] = AdapterRegistry.manifests.reduce(into: [:]
  ) {
    result, manifest in
    do {
      result[manifest.key] = try read(
        manifest.value, shown: "the built-in manifest \(manifest.key)", isTrusted: true)
    } catch {
      preconditionFailure("\(error)")
    }
  }

  /// Of the user and of the workspace, by name.
  private let described: [String: ManifestAdapter]

  /// - Throws: `EngineError` with code `configuration`, naming the file and line.
  init(workspace: String, environment: [String: String]) throws(EngineError) {
    var described: [String: ManifestAdapter] = [:]
    let userFolder = Self.userFolder(environment)
    for folder in [userFolder, "\(workspace)/\(Self.workspaceFolder)"].compactMap(\.self) {
      for entry in FileSystem.entries(of: folder) where entry.name.hasSuffix(".toml") {
        let path = "\(folder)/\(entry.name)"
        let shown =
          path.hasPrefix(workspace + "/") ? String(path.dropFirst(workspace.count + 1)) : path
        guard let data = FileSystem.read(path, limit: Self.sizeLimit) else {
          throw EngineError(
            .configuration, "\(shown) cannot be read or is larger than 1 MiB",
            resolution: "Make it a readable text file.")
        }
        let adapter = try Self.read(
          String(decoding: data, as: UTF8.self), shown: shown, isTrusted: folder == userFolder)
        described[adapter.id.rawValue] = adapter
      }
    }
    if let taken = AdapterRegistry.all.first(where: { described[$0.id.rawValue] != nil }) {
      throw EngineError(
        .configuration,
        "a manifest is named \(taken.id), which proctor has an adapter of its own for",
        resolution: "Give the manifest another name.")
    }
    self.described = described
  }

  /// Those with code of their own, which are more than runners of tests.
  var own: [any Adapter] { AdapterRegistry.all }

  var all: [any Adapter] {
    let manifests = Self.shipped.merging(described) { $1 }
    return own + manifests.values.sorted { $0.id.rawValue < $1.id.rawValue }
  }

  var ids: [AdapterID] {
    let manifests = Set(AdapterRegistry.manifests.keys).union(described.keys)
    return own.map(\.id) + manifests.sorted().map { AdapterID(rawValue: $0) }
  }

  private static func userFolder(_ environment: [String: String]) -> String? {
    UserSettings.folder(environment).map { "\($0)/adapters" }
  }

  private static func read(
    _ text: String, shown: String, isTrusted: Bool
  ) throws(EngineError) -> ManifestAdapter {
    do {
      return try ManifestAdapter(text, isTrusted: isTrusted)
    } catch {
      let line = error.key.flatMap { key in
        ConfigurationReader.lineNumber(of: key, in: text).map { ":\($0)" }
      }
      throw EngineError(
        .configuration, "\(shown)\(line ?? ""): \(error.message)",
        resolution: "Correct the manifest; docs/adapters.md describes its keys.")
    }
  }
}

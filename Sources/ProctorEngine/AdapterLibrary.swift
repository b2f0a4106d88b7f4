import FoundationEssentials
import ProctorAdapters
import ProctorModel

/// The adapters of a workspace: the four with code of their own, and those that manifests describe.
///
/// A manifest of the workspace outranks one of the user, which outranks one that proctor brings along,
/// when their names are equal.
struct AdapterLibrary {
  /// Relative to the workspace.
  static let workspaceFolder = ".proctor/adapters"
  private static let sizeLimit = 1 << 20

  let workspace: String
  let environment: [String: String]

  /// - Throws: `EngineError` with code `configuration`, naming the file and line.
  func load() throws(EngineError) -> [any Adapter] {
    var manifests: [String: any Adapter] = [:]
    for (name, text) in AdapterRegistry.manifests {
      let adapter = try read(text, shown: "the built-in manifest \(name)", isTrusted: true)
      manifests[adapter.id.rawValue] = adapter
    }
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
        let adapter = try read(
          String(decoding: data, as: UTF8.self), shown: shown, isTrusted: folder == userFolder)
        manifests[adapter.id.rawValue] = adapter
      }
    }
    if let taken = AdapterRegistry.all.first(where: { manifests[$0.id.rawValue] != nil }) {
      throw EngineError(
        .configuration,
        "a manifest is named \(taken.id), which proctor has an adapter of its own for",
        resolution: "Give the manifest another name.")
    }
    return AdapterRegistry.all + manifests.values.sorted { $0.id.rawValue < $1.id.rawValue }
  }

  private var userFolder: String? {
    let base =
      environment["XDG_CONFIG_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
      ?? environment["HOME"].map { "\($0)/.config" }
    return base.map { "\($0)/proctor/adapters" }
  }

  private func read(
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

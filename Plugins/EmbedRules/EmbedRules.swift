import Foundation
import PackagePlugin

/// Has `embed-rules` write the rules below a target's folder as Swift, whenever one of them changed.
@main struct EmbedRules: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
    let folder = target.directoryURL
    let output = context.pluginWorkDirectoryURL.appending(path: "EmbeddedRules.swift")
    let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
    let rules = (files?.compactMap { $0 as? URL } ?? []).filter { $0.pathExtension == "yml" }
    return [
      .buildCommand(
        displayName: "Embedding \(rules.count) rules",
        executable: try context.tool(named: "embed-rules").url,
        arguments: [folder.path, output.path], inputFiles: rules, outputFiles: [output])
    ]
  }
}

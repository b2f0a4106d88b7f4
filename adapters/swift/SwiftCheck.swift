import FoundationEssentials
public import ProctorModel

/// swift build: every target of a package, tests too.
extension SwiftTestAdapter: CheckAdapter {
  public var checkedLanguage: String { "Swift" }

  public func check(_ context: AdapterContext, files: [String]) -> [Invocation] {
    [compilation(context, title: "checking")]
  }

  public func readCheck(
    _ context: AdapterContext, files: [String], _ finished: [FinishedCheck]
  ) -> CheckFindings {
    guard let done = finished.last else { return CheckFindings([], checked: 0) }
    let reader = SwiftBuildErrors(context: context, finished: done.command)
    var found = reader.diagnostics()
    if !done.command.status.isSuccess {
      let known = Set(found.map { "\($0.location?.text ?? "") \($0.message)" })
      found += reader.errors().map { Diagnostic($0, adapter: id) }
        .filter { !known.contains("\($0.location?.text ?? "") \($0.message)") }
    }
    let sources = compiledSources(context)
    // The manifest is compiled before anything is planned.
    let manifest = context.display("Package.swift")
    var findings = CheckFindings(
      found, checked: sources.count, coverage: .files(sources.union([manifest])))
    if done.command.status.isSuccess, sources.isEmpty, !files.isEmpty {
      findings.problem = .init(
        .reportLost, "swift build left no record of what it compiled")
    }
    return findings
  }

  private struct Description: Decodable {
    struct Command: Decodable {
      let sources: [String]?
    }

    struct Plugin: Decodable {
      struct Sources: Decodable {
        let root: String
        let relativePaths: [String]
      }

      let sources: Sources
    }

    let swiftCommands: [String: Command]
    let pluginDescriptions: [Plugin]?
  }

  private static let descriptionLimit = 256 << 20

  /// The package's own files that targets are made of, as the build's plan has them; relative to the workspace.
  private func compiledSources(_ context: AdapterContext) -> Set<String> {
    let path = "\(SwiftPlan(context: context).productFolder)/description.json"
    guard let data = BuiltFile.read(path, limit: Self.descriptionLimit),
      let description = try? JSONDecoder().decode(Description.self, from: data)
    else { return [] }
    let plugins = (description.pluginDescriptions ?? []).map(\.sources).flatMap { sources in
      sources.relativePaths.map { "\(sources.root)/\($0)" }
    }
    return Set(
      (description.swiftCommands.values.flatMap { $0.sources ?? [] } + plugins)
        .filter { $0.hasPrefix(context.workspace + "/") }.map { context.display($0) })
  }
}

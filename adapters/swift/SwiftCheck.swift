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
    var findings = CheckFindings(found, checked: sources.isEmpty ? files.count : sources.count)
    if done.command.status.isSuccess, sources.isEmpty, !files.isEmpty {
      findings.checked = 0
      findings.problem = .init(
        .reportLost, "swift build left no record of what it compiled")
    }
    return findings
  }

  private struct Description: Decodable {
    struct Command: Decodable {
      let sources: [String]?
    }

    let swiftCommands: [String: Command]
  }

  /// The package's own files that targets are made of, as the build's plan has them.
  private func compiledSources(_ context: AdapterContext) -> Set<String> {
    let path = "\(SwiftPlan(context: context).productFolder)/description.json"
    guard let data = FileManager.default.contents(atPath: path),
      let description = try? JSONDecoder().decode(Description.self, from: data)
    else { return [] }
    return Set(
      description.swiftCommands.values.flatMap { $0.sources ?? [] }
        .filter { $0.hasPrefix(context.workspace + "/") })
  }
}

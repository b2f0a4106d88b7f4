import FoundationEssentials
public import ProctorModel

/// cargo check: every target of a Cargo workspace, tests, examples and benchmarks too.
extension CargoAdapter: CheckAdapter {
  public var checkedLanguage: String { "Rust" }

  public func check(_ context: AdapterContext, files: [String]) -> [Invocation] {
    let plan = CargoPlan(context: context)
    return [
      Invocation(
        purpose: .build, title: "checking",
        argv: plan.cargo("check") + ["--workspace", "--all-targets", "--message-format=json"]
          + (plan.canKeepGoing ? ["--keep-going"] : []) + plan.target
          + context.settings.arguments,
        environment: plan.environment, directory: context.projectDirectory,
        mounts: plan.mounts + [.writable(plan.targetFolder)])
    ]
  }

  public func readCheck(
    _ context: AdapterContext, files: [String], _ finished: [FinishedCheck]
  ) -> CheckFindings {
    guard let done = finished.last else { return CheckFindings([], checked: 0, unit: "targets") }
    let reader = CargoDiagnostics(context: context)
    var found: [Diagnostic] = []
    var targets: Set<String> = []
    var sources: Set<String> = []
    var success: Bool?
    for line in done.command.stdout.split(separator: UInt8(ascii: "\n"))
    where line.first == UInt8(ascii: "{") {
      guard let message = try? JSONDecoder().decode(CargoMessage.self, from: Data(line)) else {
        continue
      }
      success = message.success ?? success
      let isOwn = message.manifest_path.map { $0.hasPrefix(context.workspace + "/") } == true
      if isOwn, let target = message.target {
        targets.insert("\(target.kind) \(target.name) \(target.src_path)")
        sources.formUnion(CargoSources(context: context).files(of: message))
      }
      if isOwn || message.message?.level.hasPrefix("error") == true {
        reader.diagnostic(message).map { found.append($0) }
      }
    }
    if !done.command.status.isSuccess, !found.contains(where: { $0.severity == .error }) {
      found += CargoBuildReader(context: context, finished: done.command).startErrors()
        .map { Diagnostic($0, adapter: id) }
    }
    var findings = CheckFindings(
      found, checked: targets.count, unit: "targets", coverage: .files(sources))
    if done.command.status.isSuccess, success != true {
      findings.problem = .init(
        .reportLost, "cargo ended without saying that everything was checked")
    }
    return findings
  }
}

import FoundationEssentials
import HTTPTypes
import Hummingbird
import ProctorAudit
import ProctorEngine
import ProctorFormats
import ProctorModel

/// The runs of a service, to be looked at while they go on and after.
struct HTTPRuns: Sendable {
  let workspaces: HTTPWorkspaces
  let record: HTTPRecord

  var endpoints: [HTTPEndpoint] {
    [
      HTTPEndpoint(.get("runs"), "list_runs", for: .caller, OpenAPI.runs) { call in
        let workspace = try workspaces.workspace(of: call)
        await settle(workspace.runs.all)
        return .json(RunRecord.list(rows(of: workspace)))
      },
      HTTPEndpoint(.get("runs/{run}"), "get_run", for: .caller, OpenAPI.run) { call in
        if let (run, _) = try? run(of: call) { await settle([run]) }
        return .json(try report(of: call))
      },
      HTTPEndpoint(
        HTTPRoute(method: .delete, path: "runs/{run}"), "stop_run", for: .caller, OpenAPI.stop
      ) { call in
        let (run, workspace) = try run(of: call)
        var arguments = AuditArguments()
        arguments.add("run", run.id)
        try await record.keep("stop_run", of: call, in: workspace.name, arguments) {
          run.stopped.open()
          await run.waitToBeKept()
        }
        return .json(try report(of: call))
      },
      HTTPEndpoint(.get("runs/{run}/events"), "watch_run", for: .caller, OpenAPI.events) { call in
        let (run, _) = try run(of: call)
        return HTTPEvents.response(call) { send in await run.tell(send) }
      },
    ]
  }

  /// Waits the moment until runs that are over are kept: each is then known by one name, with all there is about it.
  private func settle(_ runs: [Run]) async {
    for run in runs where run.outcome != nil { await run.waitToBeKept() }
  }

  /// Those of the service, and those that are kept from before and of others; the newest first.
  private func rows(of workspace: ServedWorkspace) -> [RunRow] {
    let (runs, kept) = (workspace.runs.all, workspace.archive?.rows.rows ?? [])
    let names = Dictionary(
      runs.compactMap { run in run.keptName.map { ($0, run.id) } }, uniquingKeysWith: { $1 })
    let known = Set(kept.map(\.run))
    let others = runs.reversed().filter { !known.contains($0.keptName ?? "") }
    return others.map(\.row) + kept.map { row in names[row.run].map(row.named) ?? row }
  }

  /// By `run_all_tests.schema.json`.
  private func report(of call: HTTPCall) throws(HTTPProblem) -> Data {
    let workspace = try workspaces.workspace(of: call)
    let id = call.parameters.get("run") ?? ""
    guard let run = workspace.runs[id] else {
      if let report = workspace.archive?.report(id) { return report }
      throw Self.unknown(id)
    }
    if let name = run.keptName, let report = workspace.archive?.report(name) { return report }
    switch run.outcome {
    case nil: return ContractJSON.runAllTests(run.state)
    case .success(let (report, since)):
      return ContractJSON.runAllTests(
        report, within: AgentBounds(run: run.id, since: since, tokens: nil))
    case .failure(let error): return ContractJSON.runAllTests(error.report, details: true)
    }
  }

  private static func unknown(_ id: String) -> HTTPProblem {
    HTTPProblem(
      .notFound, "there is no run \(id.prefix(100))", resolution: "GET /runs lists them.")
  }

  private func run(of call: HTTPCall) throws(HTTPProblem) -> (Run, ServedWorkspace) {
    let workspace = try workspaces.workspace(of: call)
    let id = call.parameters.get("run") ?? ""
    guard let run = workspace.runs[id] else { throw Self.unknown(id) }
    return (run, workspace)
  }
}

extension Run {
  /// What a list tells of it.
  fileprivate var row: RunRow {
    let began = startedAt.timeIntervalSince1970
    switch outcome {
    case .success(let (report, _)):
      return RunRow(report, run: id, operation: kind.rawValue, selection: nil, asked: began)
    case .failure(let error):
      return RunRow(
        error.report, run: id, operation: kind.rawValue, selection: nil, asked: began)
    case nil:
      let now = progress.now
      return RunRow(
        running: id, operation: kind.rawValue, startedAt: began, durationMS: ageMS,
        passed: now.passed, failed: now.failed, skipped: now.skipped)
    }
  }

  /// Tells how far it is until its end, or until the task is cancelled.
  fileprivate func tell(_ send: @escaping @Sendable (ByteBuffer) -> Void) async {
    let feed = ProgressFeed()
    feed.follow(progress)
    let done = Latch()
    let begun = ContinuousClock.now - .milliseconds(ageMS)
    async let telling: Void = done.cancelling {
      await HTTPEvents.follow(feed, since: begun, send)
    }
    await waitToBeKept()
    done.open()
    await telling
    guard let outcome else { return }
    let status = (try? outcome.get().report.verdict.status.rawValue) ?? "error"
    let end: JSONValue = ["run": .string(id), "status": .string(status)]
    send(HTTPEvents.event("end", end.data))
  }
}

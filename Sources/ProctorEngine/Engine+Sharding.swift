import Crypto
import FoundationEssentials
public import ProctorModel
import ProctorSandbox

extension Engine {
  /// Divides the selected tests as a shard of this many would; builds what must be built, runs none.
  /// - Returns: the plan, and what it was made of. Unless the listing is `passed` the plan may lack tests, and a run by it
  ///   could be green without them.
  public func plan(
    _ selector: TestSelector, _ request: ShardRequest,
    progress: @escaping @Sendable (Progress) -> Void = { _ in }
  ) async throws(EngineError) -> (plan: ShardPlan, listing: Listing) {
    try refuseRuntimes()
    let projects = concerned(selector, in: walker.tree())
    progress(.detected(projects))
    let folder = try RunFolder(in: CacheFolder(environment: options.environment))
    Sandbox.sweep()
    let session = try session(in: folder.path, progress)
    let prepared = try await prepare(projects, selector, session)
    let plan = try plan(prepared, selector, request)
    let accounting = Accounting(outcomes: prepared.map(\.outcome), interrupted: Task.isCancelled)
    return (
      plan,
      Listing(
        tests: try selector.choose(from: prepared.flatMap { $0.listed ?? [] }),
        errors: prepared.flatMap(\.outcome.errors), projects: projects,
        verdict: accounting.listingVerdict(listed: plan.entries))
    )
  }

  /// Runs what is asked for: everything, or one shard of it.
  func divided(
    _ projects: [Project], _ selector: TestSelector, _ tree: WorkspaceTree, _ session: RunSession
  ) async throws(EngineError) -> (outcomes: [ProjectOutcome], shard: Shard?, conflict: String?) {
    guard let request = options.shard else {
      return (try await outcomes(of: projects, selector, session), nil, nil)
    }
    let prepared = try await prepare(projects, selector, session)
    let own = try plan(prepared, selector, request)
    let plan = request.plan ?? own
    let part: @Sendable (String) -> Bool = { plan.shard(of: $0) == request.index }
    let listed = prepared.filter { adapter(of: $0.outcome.project).canSelect }
    let chosen = Dictionary(
      grouping: try selector.choose(from: listed.flatMap { $0.listed ?? [] })
        .filter { part($0.id.text) }, by: \.project)
    let mayRun = plan.hasEntries(of: own)
    let outcomes = try await each(prepared, session) { prepared, session throws(EngineError) in
      let project = prepared.outcome.project
      defer { session.progress(.done(project)) }
      let isWhole = !adapter(of: project).canSelect && part(Self.whole(project))
      return try await runner(project, session).run(
        prepared, chosen: !mayRun ? [] : isWhole ? nil : chosen[project] ?? [])
    }
    let whole = projects.filter { !adapter(of: $0).canSelect }.map(Self.whole).filter(part)
    let shard = Shard(
      index: request.index, count: request.count, plan: plan.digest, planned: plan.entries,
      assigned: plan.entries(of: request.index), projects: whole.isEmpty ? nil : whole.sorted(),
      selection: selector.selection,
      commit: copy == nil ? (try? GitRepository.around(workspace))?.head : nil,
      code: code(of: tree))
    return (
      try narrowed(outcomes, selector), shard, mayRun ? nil : plan.difference(from: own)
    )
  }

  private func plan(
    _ prepared: [ProjectRunner.Prepared], _ selector: TestSelector, _ request: ShardRequest
  ) throws(EngineError) -> ShardPlan {
    let (exact, whole) = (
      prepared.filter { adapter(of: $0.outcome.project).canSelect },
      prepared.filter { !adapter(of: $0.outcome.project).canSelect }
    )
    return ShardPlan(
      tests: try selector.choose(from: exact.flatMap { $0.listed ?? [] }),
      whole: whole.map(\.outcome.project), count: request.count, selection: selector.selection
    ) { request.durations[$0] }
  }

  /// Its entry in a plan: the beginning of its tests' ids.
  private static func whole(_ project: Project) -> String {
    TestID(project: project, fullName: "").text
  }

  /// SHA-256 over names and contents of the files that runners of this workspace have tests and code in. Dates are left
  /// out, and so are other files: reports are often written into the workspace.
  private func code(of tree: WorkspaceTree) -> String {
    let extensions = Set(adapters.flatMap(\.sourceExtensions) + ["toml", "lock"])
    var hash = SHA256()
    for file in tree.files {
      guard let end = file.split(separator: "/").last?.split(separator: ".").last.map(String.init),
        extensions.contains(end)
      else { continue }
      let content = tree.read(file) ?? Data()
      hash.update(data: Data("\(file.utf8.count):\(file)\(content.count):".utf8))
      hash.update(data: content)
    }
    return hash.finalize().prefix(16).map { byte in
      let digits = String(byte, radix: 16)
      return digits.count == 1 ? "0\(digits)" : digits
    }.joined()
  }
}

extension TestSelector {
  /// The filter; nil for everything.
  var selection: String? {
    if case .matching(let pattern) = self { return pattern.source }
    return nil
  }
}

extension ShardPlan {
  fileprivate func hasEntries(of other: ShardPlan) -> Bool {
    shards.count == other.shards.count && shards.keys.allSatisfy { other.shards[$0] != nil }
  }

  /// In a sentence, what was found on this machine and what the plan has.
  fileprivate func difference(from found: ShardPlan) -> String {
    func names(_ entries: [String]) -> String {
      entries.sorted().prefix(3).joined(separator: ", ")
        + (entries.count > 3 ? " and \(entries.count - 3) more" : "")
    }
    let gone = shards.keys.filter { found.shards[$0] == nil }
    let new = found.shards.keys.filter { shards[$0] == nil }
    let parts = [
      gone.isEmpty ? nil : "not found here: \(names(gone))",
      new.isEmpty ? nil : "not in the plan: \(names(new))",
    ]
    return "the tests here are not those of the plan; "
      + parts.compactMap(\.self).joined(separator: "; ")
  }
}

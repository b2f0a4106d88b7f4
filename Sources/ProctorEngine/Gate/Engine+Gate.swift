import FoundationEssentials
public import ProctorModel
import ProctorSandbox

extension Engine {
  /// Says whether a change may be merged: what became of each test between base and head, by base's policy.
  ///
  /// Base is where the line of head began (the merge base). Its results are those of a report, of the history, or of a
  /// run in a private copy by base's own settings. The tree on disk is not touched.
  /// - Throws: `EngineError` when there is nothing to compare: no base, a file that is no report, no sandbox.
  public func gate(
    _ request: GateRequest, progress: @escaping @Sendable (Progress) -> Void = { _ in }
  ) async throws(EngineError) -> GateAnswer {
    let clock = ContinuousClock()
    let start = clock.now
    var answer: GateAnswer
    if try needsNoRepository(request) {
      answer = try reportsAlone(request)
    } else {
      answer = try await comparing(request, progress)
    }
    answer.durationMS = (clock.now - start).milliseconds
    return answer
  }

  /// Two reports can be compared anywhere.
  private func needsNoRepository(_ request: GateRequest) throws(EngineError) -> Bool {
    guard request.headReport != nil, request.baseReport != nil, request.head == nil,
      request.base == nil
    else { return false }
    return !GitRepository.isAround(workspace)
  }

  private func reportsAlone(_ request: GateRequest) throws(EngineError) -> GateAnswer {
    let head = try side(request.headReport ?? "", mayBePatched: true)
    let base = try side(request.baseReport ?? "", mayBePatched: false)
    var answer = try Gate(
      GateInput(head: head, base: base, policy: configuration.gate)
    ).answer()
    answer.headOrigin = GateAnswer.Origin(report: request.headReport)
    answer.baseOrigin = GateAnswer.Origin(report: request.baseReport)
    answer.notes.append(
      "there is no repository: the change itself was not looked at, and the policy is that of the "
        + "folder as it is, which the change may have edited")
    return answer
  }

  private func side(_ file: String, mayBePatched: Bool) throws(EngineError) -> GateSide {
    try ReportReader(workspace: workspace, environment: options.environment)
      .side(in: file, mayBePatched: mayBePatched)
  }

  // MARK: with a repository

  private func comparing(
    _ request: GateRequest, _ progress: @escaping @Sendable (Progress) -> Void
  ) async throws(EngineError) -> GateAnswer {
    let revisions = try await revisions(request)
    guard let name = request.head else {
      return try await judged(request, revisions, head: self, progress)
    }
    return try await withCandidate(.revision(revisions.head)) { engine, _ throws(EngineError) in
      let own = try Self.settled(engine, "head (\(name))", noLaxer: configuration)
      return try await judged(request, revisions, head: own, progress)
    }
  }

  private func revisions(_ request: GateRequest) async throws(EngineError) -> GateRevisions {
    let cache = try CacheFolder(environment: options.environment)
    let folder = try RunFolder(in: cache)
    let git = GitTool(
      host: LocalHost(
        workspace: workspace, environment: options.environment,
        memory: "\(cache.shared)/queries"),
      backend: isolation == .docker ? .automatic : isolation.backend, scratch: folder.path)
    return try await GateRevisions.find(
      revision: request.head, base: request.base, in: workspace,
      environment: options.environment, git: git)
  }

  private func judged(
    _ request: GateRequest, _ revisions: GateRevisions, head: Engine,
    _ progress: @escaping @Sendable (Progress) -> Void
  ) async throws(EngineError) -> GateAnswer {
    try await withCandidate(.revision(revisions.base)) { copy, _ throws(EngineError) in
      let base = try Self.settled(
        copy, "base (\(revisions.baseName))", noLaxer: options.floor)
      let trees = GateTrees(
        base: base.walker.root, head: head.walker.root, adapters: head.adapters)
      let files = trees.changedFiles()
      guard !files.isEmpty else { throw revisions.nothingToJudge }
      let (after, evidence) = try await headSide(request, revisions, head, progress)
      let before = try await baseSide(request, revisions, base, head: after, progress)
      let change = trees.change(
        files, isPolicyEdited: base.configuration.gate != head.configuration.gate,
        from: before, to: after)
      var answer = try Gate(
        GateInput(
          head: after, base: before, policy: base.configuration.gate, change: change,
          flakyEvidence: evidence)
      ).answer()
      answer.headOrigin = GateAnswer.Origin(
        name: request.head ?? "the working tree",
        commit: request.head == nil ? nil : revisions.head, report: request.headReport)
      answer.baseOrigin = GateAnswer.Origin(
        name: revisions.baseName, commit: revisions.base, report: request.baseReport)
      if request.baseReport != nil {
        answer.notes.append("base's report names no commit: it is taken to be of this one")
      }
      return answer
    }
  }

  private static func settled(
    _ copy: Engine, _ name: String, noLaxer floor: Configuration?
  ) throws(EngineError) -> Engine {
    do throws(EngineError) {
      return try copy.withItsOwnSettings(noLaxer: floor)
    } catch {
      throw EngineError(error.code, "\(name): \(error.message)", resolution: error.resolution)
    }
  }

  private func headSide(
    _ request: GateRequest, _ revisions: GateRevisions, _ head: Engine,
    _ progress: @escaping @Sendable (Progress) -> Void
  ) async throws(EngineError) -> (side: GateSide, evidence: [TestID: String]) {
    if let file = request.headReport { return (try side(file, mayBePatched: true), [:]) }
    let report = try await head.run(.everything, progress: progress)
    let side = GateSide(report, source: .run)
    let code = request.head.map { _ in CodeOrigin(commit: revisions.head, isClean: true) }
    let failed = side.tests.filter { $0.outcome.countsAsFailed }.map(\.id)
    var evidence: [TestID: String] = [:]
    if !failed.isEmpty {
      let known = if let code { code } else { await origin(of: report) }
      evidence = await request.memory.passes(of: failed, on: known)
    }
    await request.memory.keep(report, of: code)
    return (side, evidence)
  }

  private func baseSide(
    _ request: GateRequest, _ revisions: GateRevisions, _ base: Engine, head: GateSide,
    _ progress: @escaping @Sendable (Progress) -> Void
  ) async throws(EngineError) -> GateSide {
    if let file = request.baseReport { return try side(file, mayBePatched: false) }
    if let known = await request.memory.side(of: revisions.base) {
      return known.locating(in: base.walker.root)
    }
    guard head.problem == nil else {
      return GateSide(source: .run, unknown: "was not run: head has no verdict")
    }
    let report = try await base.run(.everything, progress: progress)
    await request.memory.keep(
      report, of: CodeOrigin(commit: revisions.base, isClean: true))
    return GateSide(report, source: .run)
  }
}

extension GateSide {
  /// The history keeps names only, of which many begin with their file.
  fileprivate func locating(in root: String) -> GateSide {
    GateSide(
      source: source, verdict: verdict, counts: counts,
      tests: tests.map { test in
        let marks = ["::", " > "].compactMap { test.fullName.firstRange(of: $0)?.lowerBound }
        let name = marks.min().map { String(test.fullName[..<$0]) }
        guard test.file == nil, let name, FileSystem.isRegular("\(root)/\(name)") else {
          return test
        }
        return test.located(in: name)
      }, missing: missing, errors: errors, problem: problem)
  }
}

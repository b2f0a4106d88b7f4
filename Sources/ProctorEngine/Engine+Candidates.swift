import FoundationEssentials
public import ProctorModel
import ProctorSandbox

extension Engine {
  /// Lays a candidate out as a private copy, and gives an engine for which it stands in the workspace's place.
  ///
  /// The tree on disk is not touched, paths in answers are those of the workspace, and `proctor.toml` and the
  /// manifests in force stay those of the workspace. The copy is gone when `body` returns.
  /// - Throws: `EngineError` with code `usage` for a patch that does not apply and a revision that is none.
  public func withCandidate<Result: Sendable>(
    _ candidate: Candidate,
    _ body: @Sendable (Engine, CandidateChange) async throws(EngineError) -> Result
  ) async throws(EngineError) -> Result {
    guard isolation != .none else {
      throw EngineError(
        .sandbox, "a candidate stands in the workspace's place only inside a sandbox",
        resolution: "Leave out --isolation none.")
    }
    guard !options.keepWrites else {
      throw EngineError(
        .usage, "what tests of a candidate write cannot be kept",
        resolution: "Leave out --keep-writes.")
    }
    let run = try RunFolder(in: CacheFolder(environment: options.environment))
    Sandbox.sweep()
    let session = try session(in: run.path) { _ in }
    let cache = try CandidateCache(
      of: session.cache.workspace(workspace), named: candidate.cacheName)
    let layout = CandidateLayout(
      workspace: workspace, folder: "\(run.path)/copy",
      git: GitTool(
        host: LocalHost(
          workspace: workspace, environment: options.environment,
          memory: "\(session.cache.shared)/queries"),
        backend: isolation == .docker ? .automatic : isolation.backend,
        scratch: "\(run.path)/git"))
    try FileSystem.makeFolder("\(run.path)/git")
    let laid = try await layout.lay(candidate)
    var dates = CopyDates(record: "\(cache.path)/files", isFirst: cache.isNew)
    try dates.settle(laid.copy.folder, laid.identities)
    let change = try await CandidateDifference(
      layout: layout, paths: laid.changed, scratch: "\(run.path)/difference", adapters: adapters
    ).change()
    let copy = CopiedWorkspace(
      folder: laid.copy.folder, shown: laid.copy.shown.map { "\(workspace)/\($0)" },
      cache: cache.path)
    return try await body(Engine(self, on: copy), change)
  }
}

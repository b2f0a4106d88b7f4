import FoundationEssentials
import ProctorAdapters
public import ProctorModel

/// A run that a cluster is to do.
public struct ClusterRequest: Sendable {
  public var settings: Configuration.Cluster.Slurm
  public var shards: Int
  /// A new or empty folder that every node sees, absolute.
  public var output: String
  /// Milliseconds that tests took before.
  public var durations: [TestID: Double] = [:]
  /// Of proctor on the nodes, absolute.
  public var program: String
  /// More arguments of `proctor run` there.
  public var arguments: [String] = []

  public init(
    settings: Configuration.Cluster.Slurm, shards: Int, output: String, program: String
  ) {
    self.settings = settings
    self.shards = shards
    self.output = output
    self.program = program
  }
}

extension Engine {
  /// Divides the selected tests here, has a Slurm run the shards, and gives the one verdict.
  ///
  /// The workspace and the output folder must be at the same place on every node. Cancelling the task cancels the jobs
  /// and removes what they left.
  /// - Parameters:
  ///   - progress: gets tests as the reports of their shards come in.
  ///   - note: gets a line for each thing that happens.
  public func runOnSlurm(
    _ selector: TestSelector, _ request: ClusterRequest,
    progress: @escaping @Sendable (Progress) -> Void, note: @escaping @Sendable (String) -> Void
  ) async throws(EngineError) -> Report {
    let cache = try CacheFolder(environment: options.environment)
    let slurm = try Slurm(
      request.settings,
      host: LocalHost(
        workspace: workspace, environment: options.environment, memory: "\(cache.shared)/queries"))
    let folder = try ClusterFolder(request.output)
    do {
      var asked = ShardRequest(index: 1, count: request.shards)
      asked.durations = request.durations
      let (plan, listing) = try await plan(selector, asked, progress: progress)
      guard listing.verdict.status == .passed else {
        folder.clear()
        return Report(
          verdict: listing.verdict, tests: [], errors: listing.errors, missing: [], adapters: [],
          sandbox: nil, durationMS: 0)
      }
      listing.tests.forEach { progress(.listed($0)) }
      try AtomicFile.write(plan.data, to: folder.plan)
      var run = SlurmRun(
        slurm, folder: folder, plan: plan, workspace: workspace,
        script: script(request, selector, folder), requeues: request.settings.requeues,
        arrived: { $0.tests.forEach { progress(.finished($0)) } }, note: note)
      let (parts, lost) = try await run.run()
      return ReportMerge(parts, plan: plan.digest, lost: lost).report()
    } catch {
      // Whoever does not answer may still be writing there.
      if error.code != .busy { folder.clear() }
      throw error
    }
  }

  /// A report is whole or not there. What ended proctor with a signal gave no report.
  private func script(
    _ request: ClusterRequest, _ selector: TestSelector, _ folder: ClusterFolder
  ) -> String {
    let filter = selector.selection.map { ["--filter", $0] } ?? []
    let command =
      [request.program, "run", workspace, "--plan", folder.plan, "--format", "json", "--details"]
      + filter + request.arguments
    let quoted = command.map(Self.quoted).joined(separator: " ")
    return """
      shard=$SLURM_ARRAY_TASK_ID
      base=\(Self.quoted(folder.path))/shard-$shard
      part=$base.$SLURM_JOB_ID.part
      \(quoted) --shard "$shard/\(request.shards)" > "$part" 2> "$base.log"
      status=$?
      if [ "$status" -lt 128 ] && [ -s "$part" ]; then mv -f "$part" "$base.json"; exit; fi
      rm -f "$part"
      exit 1
      """
  }

  /// For the shell.
  private static func quoted(_ text: String) -> String {
    "'" + text.replacing("'", with: "'\\''") + "'"
  }
}

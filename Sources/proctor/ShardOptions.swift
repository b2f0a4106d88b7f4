import ArgumentParser
import FoundationEssentials
import Glibc
import ProctorAudit
import ProctorEngine

/// For runs that are divided over machines.
struct ShardOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Only one of several parts: 2/4, or auto for what the environment says (GitLab, CircleCI, Buildkite, Azure, "
        + "Semaphore, Bazel, Kubernetes, Slurm, PROCTOR_SHARD).", valueName: "i/n"))
  var shard: String?

  @Option(
    help: ArgumentHelp(
      "The plan that divides the tests, made elsewhere. Default: made here, the same on every machine.",
      valueName: "file"))
  var plan: String?

  @Option(
    help: ArgumentHelp(
      "Balance by what tests took, the same on every machine: an earlier report (--format json --details), what proctor "
        + "history export wrote, or history for this machine's own. Default: none, all tests count the same.",
      valueName: "file|history|none"))
  var durations: DurationSource?

  func validate() throws {
    if shard == nil, plan != nil || durations != nil {
      throw ValidationError("--plan and --durations are for --shard.")
    }
    if plan != nil, durations != nil {
      throw ValidationError("--plan has the tests divided already: --durations changes nothing.")
    }
  }

  func add(to arguments: inout AuditArguments) {
    arguments.add("shard", shard)
    arguments.add("plan", plan)
    arguments.add("durations", durations?.description)
  }

  /// nil for a whole run.
  func request(
    filter: String?, in workspace: String, _ options: EngineOptions
  ) throws(EngineError) -> ShardRequest? {
    guard let shard else { return nil }
    var request: ShardRequest
    if shard == "auto" {
      let found = try ShardEnvironment(ProcessInfo.processInfo.environment).found()
      if let file = found.statusFile { try Self.touch(file) }
      request = found.request
    } else {
      request = try ShardRequest(shard, from: "--shard")
    }
    request.plan = try plan.map(ShardPlan.read)
    request.durations = try durations?.durations(in: workspace, options) ?? [:]
    return try request.checked(selection: filter)
  }

  /// Bazel fails a test that never said that it understands shards.
  private static func touch(_ file: String) throws(EngineError) {
    let descriptor = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0o666)
    guard descriptor >= 0, futimens(descriptor, nil) == 0 else {
      throw EngineError(
        .storage, "cannot write \(file): \(String(cString: strerror(errno)))",
        resolution: "TEST_SHARD_STATUS_FILE must name a file that can be written.")
    }
    close(descriptor)
  }
}

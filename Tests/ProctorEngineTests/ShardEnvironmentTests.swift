import Testing

@testable import ProctorEngine

/// The variables of each engine, row by row.
@Suite struct ShardEnvironmentTests {
  typealias Variables = [String: String]

  private func found(_ variables: Variables) throws -> String {
    let request = try ShardEnvironment(variables).found().request
    return "\(request.index)/\(request.count)"
  }

  @Test(
    arguments: [
      ("GitHub, by hand", ["PROCTOR_SHARD": "2/4"], "2/4"),
      ("GitLab", ["CI_NODE_INDEX": "1", "CI_NODE_TOTAL": "3"], "1/3"),
      ("GitLab, not parallel", ["CI_NODE_TOTAL": "1"], "1/1"),
      ("CircleCI", ["CIRCLE_NODE_INDEX": "0", "CIRCLE_NODE_TOTAL": "4"], "1/4"),
      ("Buildkite", ["BUILDKITE_PARALLEL_JOB": "3", "BUILDKITE_PARALLEL_JOB_COUNT": "4"], "4/4"),
      ("Azure", ["SYSTEM_JOBPOSITIONINPHASE": "2", "SYSTEM_TOTALJOBSINPHASE": "5"], "2/5"),
      ("Semaphore", ["SEMAPHORE_JOB_INDEX": "4", "SEMAPHORE_JOB_COUNT": "4"], "4/4"),
      (
        "Bazel",
        ["TEST_SHARD_INDEX": "1", "TEST_TOTAL_SHARDS": "2", "TEST_SHARD_STATUS_FILE": "/x"], "2/2"
      ),
      ("Kubernetes", ["JOB_COMPLETION_INDEX": "7", "PROCTOR_SHARDS": "8"], "8/8"),
      (
        "Slurm",
        [
          "SLURM_ARRAY_TASK_ID": "0", "SLURM_ARRAY_TASK_MIN": "0", "SLURM_ARRAY_TASK_MAX": "7",
          "SLURM_ARRAY_TASK_COUNT": "8",
        ], "1/8"
      ),
      (
        "Slurm, by tens",
        [
          "SLURM_ARRAY_TASK_ID": "30", "SLURM_ARRAY_TASK_MIN": "10", "SLURM_ARRAY_TASK_MAX": "40",
          "SLURM_ARRAY_TASK_COUNT": "4",
        ], "3/4"
      ),
      (
        "an engine that divides inside one that does not",
        [
          "CIRCLE_NODE_INDEX": "0", "CIRCLE_NODE_TOTAL": "1", "JOB_COMPLETION_INDEX": "2",
          "PROCTOR_SHARDS": "3",
        ], "3/3"
      ),
      (
        "two that agree",
        [
          "CI_NODE_INDEX": "2", "CI_NODE_TOTAL": "3", "TEST_SHARD_INDEX": "1",
          "TEST_TOTAL_SHARDS": "3",
        ], "2/3"
      ),
      ("ours wins", ["PROCTOR_SHARD": "1/2", "CI_NODE_INDEX": "2", "CI_NODE_TOTAL": "3"], "1/2"),
      ("an empty one is absent", ["PROCTOR_SHARD": "", "CI_NODE_TOTAL": "1"], "1/1"),
    ] as [(String, Variables, String)])
  func `an engine's variables say which shard this is`(
    _ engine: String, _ variables: Variables, _ expected: String
  ) throws {
    #expect(try found(variables) == expected, "\(engine)")
  }

  /// What is wrong, and the variable that the complaint names.
  @Test(
    arguments: [
      ([:], "PROCTOR_SHARD"),
      (["PROCTOR_SHARDS": "4"], "PROCTOR_SHARD"),
      (["PROCTOR_SHARD": "0/4"], "PROCTOR_SHARD"),
      (["PROCTOR_SHARD": "5/4"], "PROCTOR_SHARD"),
      (["PROCTOR_SHARD": "1"], "PROCTOR_SHARD"),
      (["PROCTOR_SHARD": "+1/4"], "PROCTOR_SHARD"),
      (["CI_NODE_TOTAL": "3"], "CI_NODE_INDEX"),
      (["CI_NODE_INDEX": "2"], "CI_NODE_TOTAL"),
      (["CI_NODE_INDEX": "0", "CI_NODE_TOTAL": "3"], "CI_NODE_INDEX"),
      (["CIRCLE_NODE_INDEX": "4", "CIRCLE_NODE_TOTAL": "4"], "CIRCLE_NODE_INDEX"),
      (["CIRCLE_NODE_INDEX": "0", "CIRCLE_NODE_TOTAL": "many"], "CIRCLE_NODE_TOTAL"),
      (["TEST_SHARD_INDEX": "0", "TEST_TOTAL_SHARDS": "0"], "TEST_TOTAL_SHARDS"),
      (["JOB_COMPLETION_INDEX": "0"], "PROCTOR_SHARDS"),
      (["SLURM_ARRAY_TASK_ID": "1"], "SLURM_ARRAY_TASK_MIN"),
      (
        [
          "SLURM_ARRAY_TASK_ID": "7", "SLURM_ARRAY_TASK_MIN": "1", "SLURM_ARRAY_TASK_MAX": "7",
          "SLURM_ARRAY_TASK_COUNT": "3",
        ].merging(["SLURM_ARRAY_TASK_MAX": "8"]) { $1 }, "SLURM_ARRAY_TASK_COUNT"
      ),
      (
        [
          "CI_NODE_INDEX": "2", "CI_NODE_TOTAL": "3", "BUILDKITE_PARALLEL_JOB": "0",
          "BUILDKITE_PARALLEL_JOB_COUNT": "3",
        ], "BUILDKITE_PARALLEL_JOB"
      ),
    ] as [(Variables, String)])
  func `what is broken or in conflict is named`(
    _ variables: Variables, _ variable: String
  ) throws {
    let error = #expect(throws: EngineError.self) { try found(variables) }
    #expect(error?.code == .usage)
    let words = error.map { "\($0.message) \($0.resolution)" } ?? ""
    #expect(words.contains(variable), "\(words)")
  }

  @Test func `only Bazel wants a file`() throws {
    var variables = [
      "TEST_SHARD_INDEX": "1", "TEST_TOTAL_SHARDS": "2", "TEST_SHARD_STATUS_FILE": "/x",
    ]
    #expect(try ShardEnvironment(variables).found().statusFile == "/x")
    variables["PROCTOR_SHARD"] = "1/2"
    #expect(try ShardEnvironment(variables).found().statusFile == nil)
  }
}

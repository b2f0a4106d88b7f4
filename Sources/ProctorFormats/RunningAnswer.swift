public import FoundationEssentials
import ProctorModel

/// How far a run is that goes on.
public struct RunningState: Sendable {
  let run: String
  let message: String
  let passed: Int
  let failed: Int
  let skipped: Int
  let durationMS: Double

  /// - Parameter message: how far it is, and how to go on.
  public init(
    run: String, message: String, passed: Int, failed: Int, skipped: Int, durationMS: Double
  ) {
    self.run = run
    self.message = message
    self.passed = passed
    self.failed = failed
    self.skipped = skipped
    self.durationMS = durationMS
  }
}

extension ContractJSON {
  /// The answer of `run_all_tests` while it goes on.
  public static func runAllTests(_ state: RunningState) -> Data {
    var answer = RunningAll(state)
    answer.execution_time_ms = state.durationMS.rounded3
    (answer.failures, answer.adapters) = ([], [])
    return encode(answer)
  }

  /// The answer of `run_test` while it goes on.
  public static func runTest(_ state: RunningState) -> Data { encode(RunningSome(state)) }

  /// The answer of `get_run` while it goes on.
  /// - Parameter tool: that started it.
  public static func getRun(_ state: RunningState, tool: String) -> Data {
    var answer = RunningAll(state)
    answer.tool = tool
    return encode(answer)
  }
}

private struct RunningAll: Encodable {
  let status = "running"
  let run: String
  var tool: String?
  let message: String
  let total_tests: Int
  let passed: Int
  let failed: Int
  let skipped: Int
  var execution_time_ms: Double?
  var failures: [String]?
  var adapters: [String]?

  init(_ state: RunningState) {
    run = state.run
    message = state.message
    total_tests = state.passed + state.failed + state.skipped
    passed = state.passed
    failed = state.failed
    skipped = state.skipped
  }
}

private struct RunningSome: Encodable {
  let status = "running"
  let run: String
  let message: String
  let tests_run: Int
  let tests_passed: Int
  let tests_failed: Int
  let tests_skipped: Int
  let execution_time_ms: Double
  let details: [String] = []

  init(_ state: RunningState) {
    run = state.run
    message = state.message
    tests_run = state.passed + state.failed + state.skipped
    tests_passed = state.passed
    tests_failed = state.failed
    tests_skipped = state.skipped
    execution_time_ms = state.durationMS.rounded3
  }
}

import ArgumentParser
import ProctorEngine
import ProctorModel

/// Every exit status of the command line, in the one place that defines them.
enum ProctorExit: Int32 {
  /// At least one test ran, none failed, nothing is unaccounted for; or a shard that has nothing to do.
  case passed = 0
  /// A test failed, or the set-up or tear-down of a suite.
  case testFailed = 1
  /// Wrong usage or configuration.
  case usage = 2
  /// The code did not build or collect.
  case notBuilt = 3
  /// No test matched, or there is nothing to check.
  case noTests = 4
  /// No verdict can be given.
  case noVerdict = 5
  /// Timed out as a whole.
  case timedOut = 6
  /// The sandbox that was asked for cannot be had.
  case noSandbox = 7
  /// The user did not confirm that code may run.
  case refused = 8
  /// Interrupted by the user.
  case interrupted = 130

  init(_ verdict: Verdict) {
    self =
      switch (verdict.status, verdict.reason) {
      case (.passed, _): .passed
      case (.partialFailure, _): .testFailed
      case (.failed, .testsFailed), (.failed, .suiteFailed), (.failed, nil): .testFailed
      case (.failed, _): .notBuilt
      // The plan has tests, and none for this machine: the merge of all shards has the verdict.
      case (.noTests, .emptyShard): .passed
      case (.noTests, _): .noTests
      case (.error, .timedOut): .timedOut
      case (.error, .sandboxUnavailable): .noSandbox
      case (.error, .interrupted): .interrupted
      case (.error, _): .noVerdict
      }
  }

  init(_ failure: FunctionFailure) {
    self =
      switch failure.kind {
      case .badArguments, .notFound: .usage
      case .build: .notBuilt
      case .timeout: .timedOut
      case .sandbox: .noSandbox
      case .refused: .refused
      case .interrupted: .interrupted
      case .runtime, .cpuLimit, .memoryLimit, .outputLimit, .processLimit, .permissionDenied,
        .crashed, .unserializable:
        .testFailed
      }
  }

  init(_ comparison: Comparison) {
    let verdicts = [comparison.base] + comparison.rows.compactMap(\.run)
    if comparison.isInterrupted || verdicts.contains(where: { $0.verdict.reason == .interrupted }) {
      self = .interrupted
    } else if comparison.best != nil {
      self = .passed
    } else {
      self = .testFailed
    }
  }

  init(_ found: OrderBisection) {
    self =
      switch found.finding {
      case .independent: .passed
      case .polluted, .brittle, .failsAlways, .flaky: .testFailed
      case nil: found.problem.map { ProctorExit($0) } ?? .noVerdict
      }
  }

  /// 0 for a change that may be merged, 1 for one that may not.
  init(_ answer: GateAnswer) {
    let sides = [answer.head, answer.base].map { ProctorExit($0.verdict) }
    self =
      switch answer.status {
      case .passed: .passed
      case .blocked: .testFailed
      case .error: sides.first { [.interrupted, .noSandbox].contains($0) } ?? .noVerdict
      }
  }

  init(_ answer: CheckAnswer) {
    self =
      switch (answer.status, answer.reason) {
      case (.passed, _): .passed
      case (.failed, _): .notBuilt
      case (.nothingToCheck, _): .noTests
      case (.error, .timedOut): .timedOut
      case (.error, .sandboxUnavailable): .noSandbox
      case (.error, .interrupted): .interrupted
      case (.error, _): .noVerdict
      }
  }

  init(_ error: EngineError) {
    self =
      switch error.code {
      case .usage, .configuration, .workspace: .usage
      case .sandbox: .noSandbox
      case .storage, .busy: .noVerdict
      case .interrupted: .interrupted
      }
  }

  var code: ExitCode { ExitCode(rawValue) }
}

public import FoundationEssentials
import ProctorFormats
import ProctorModel

/// Answers about a history, by `history.schema.json`.
public enum HistoryAnswer {
  private struct Attempt: Encodable {
    let run: String
    let started_at: String
    let outcome: Outcome
    let attempt: Int
    let duration_ms: Double?
    let commit: String?
    let branch: String?
    let clean: Bool?
    let patched: Bool
    let message: String?
    let file: String?
    let line: Int?
    let machine: String
    let ci: Bool

    init(_ recorded: RecordedAttempt) {
      let (origin, attempt) = (recorded.run.code, recorded.attempt)
      run = recorded.run.key
      started_at = Timestamp.text(recorded.run.date)
      outcome = attempt.outcome
      self.attempt = attempt.number
      duration_ms = attempt.durationMS?.rounded3
      (commit, branch, clean) = (origin.commit, origin.branch, origin.isClean)
      patched = origin.isPatched
      message = attempt.message
      (file, line) = (attempt.location?.file, attempt.location?.line)
      machine = recorded.run.machine
      ci = recorded.run.environment.ci
    }
  }

  private struct Flaky: Encodable {
    struct Interval: Encodable {
      let lower: Double
      let upper: Double
    }
    let id: TestID
    let codes: Int
    let only_failed_codes: Int
    let passed: Int
    let failed: Int
    let probability: Double?
    let interval: Interval?
    let last_seen: String?
    let message: String?

    init(_ flakiness: Flakiness) {
      id = flakiness.id
      (codes, only_failed_codes) = (flakiness.codes, flakiness.brokenCodes)
      (passed, failed) = (flakiness.passes, flakiness.failures)
      probability = flakiness.probability?.rounded3
      interval = flakiness.interval.map {
        Interval(lower: $0.lower.rounded3, upper: $0.upper.rounded3)
      }
      last_seen = flakiness.lastSeen.map(Timestamp.text)
      message = flakiness.message
    }
  }

  private struct Trend: Encodable {
    let recent_ms: Double
    let earlier_ms: Double
  }

  private struct Test: Encodable {
    let id: TestID
    let name: String
    let attempts: [Attempt]
    let more: Bool
    let trend: Trend?
    let flakiness: Flaky?

    init(_ history: TestHistory) {
      (id, name) = (history.test.id, history.test.name)
      attempts = history.attempts.map(Attempt.init)
      more = history.areMore
      trend = history.trend.map {
        Trend(recent_ms: $0.recentMS.rounded3, earlier_ms: $0.earlierMS.rounded3)
      }
      flakiness = history.flakiness.map(Flaky.init)
    }
  }

  private struct Tests: Encodable {
    let status: String
    var message: String?
    let tests: [Test]
    let suggestions: [String]?
  }

  /// Of tests that a name means.
  /// - Parameter suggestions: nearest names, when it means none.
  public static func tests(_ tests: [TestHistory], suggestions: [String]) -> Data {
    ContractJSON.encode(
      Tests(
        status: tests.isEmpty ? "no_tests" : "found", tests: tests.map(Test.init),
        suggestions: suggestions.isEmpty ? nil : suggestions))
  }

  private struct Slowest: Encodable {
    struct Test: Encodable {
      let id: TestID
      let median_ms: Double
      let p95_ms: Double
      let share: Double
      let samples: Int
    }
    let status = "found"
    let tests: [Test]
    let total_tests: Int
    let total_ms: Double
  }

  /// - Parameters:
  ///   - all: the slowest first.
  ///   - limit: of those that are listed.
  public static func slowest(_ all: [TestDuration], limit: Int) -> Data {
    ContractJSON.encode(
      Slowest(
        tests: all.prefix(limit).map {
          Slowest.Test(
            id: $0.id, median_ms: $0.medianMS.rounded3, p95_ms: $0.p95MS.rounded3,
            share: ($0.share * 1e6).rounded() / 1e6, samples: $0.samples)
        }, total_tests: all.count, total_ms: all.reduce(0) { $0 + $1.medianMS }.rounded3))
  }

  private struct FlakyTests: Encodable {
    let status = "found"
    let tests: [Flaky]
    let total_tests: Int
  }

  public static func flaky(_ all: [Flakiness], limit: Int) -> Data {
    ContractJSON.encode(
      FlakyTests(tests: all.prefix(limit).map(Flaky.init), total_tests: all.count))
  }

  private struct Exported: Encodable {
    let status = "exported"
    let file: String
    let runs: Int
    let tests: Int
  }

  public static func exported(_ export: HistoryExport, to file: String) -> Data {
    ContractJSON.encode(Exported(file: file, runs: export.runs, tests: export.tests))
  }

  private struct Imported: Encodable {
    let status = "imported"
    let runs: Int
    let known_runs: Int
    let tests: Int
  }

  public static func imported(_ result: HistoryImport) -> Data {
    ContractJSON.encode(
      Imported(runs: result.runs, known_runs: result.known, tests: result.tests))
  }

  private struct Failure: Encodable {
    let status = "error"
    let message: String
    let problems: [String]?
  }

  /// - Parameter problems: bad lines of files, each with its place.
  public static func failure(_ message: String, problems: [String] = []) -> Data {
    ContractJSON.encode(Failure(message: message, problems: problems.isEmpty ? nil : problems))
  }
}

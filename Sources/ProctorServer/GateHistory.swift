public import ProctorEngine
import ProctorHistory
public import ProctorModel
import ProctorStorage

/// The workspace's history as a gate uses it. What goes wrong with it is told, and the tests are run instead.
public struct GateHistory: GateMemory {
  private let place: HistoryPlace
  private let keeping: RunKeeping
  private let say: @Sendable (String) -> Void
  private let usesRuns: Bool

  /// Failed tests that are looked up.
  private static let mostFailures = 100

  /// - Parameters:
  ///   - usesRuns: false to have base run in any case.
  ///   - say: tells the user what is wrong with the history; any thread.
  /// - Throws: `EngineError` for a missing workspace, broken settings or no cache folder.
  public init(
    workspace: String, options: EngineOptions, usesRuns: Bool = true,
    say: @escaping @Sendable (String) -> Void
  ) throws(EngineError) {
    place = try HistoryPlace(workspace: workspace, options: options)
    keeping = RunKeeping(
      workspace: workspace, options: options, operation: "run_all_tests", selection: nil, say: say)
    self.usesRuns = usesRuns
    self.say = say
  }

  public func side(of commit: String) async -> GateSide? {
    guard usesRuns, place.isEnabled else { return nil }
    do {
      guard let known = try place.history(say: say).outcomes(commit: commit), known.isWhole,
        let status = Verdict.Status(rawValue: known.run.status)
      else { return nil }
      let counts = known.run.counts
      return GateSide(
        source: .history,
        verdict: Verdict(
          status: status, reason: known.run.reason.flatMap(Verdict.Reason.init)),
        counts: Counts(passed: counts.passed, failed: counts.failed, skipped: counts.skipped),
        tests: known.attempts.compactMap { Self.test($0, $1) })
    } catch {
      say("the history does not tell of base: \(error.message)")
      return nil
    }
  }

  private static func test(_ id: TestID, _ attempts: [HistoryAttempt]) -> GateTest? {
    guard let last = attempts.last else { return nil }
    let outcomes = attempts.map(\.outcome)
    let name = id.parts?.fullName ?? id.text
    return GateTest(
      id: id, name: name, fullName: name, outcome: last.outcome,
      isFlaky: outcomes.contains(.passed) && outcomes.contains(where: \.countsAsFailed),
      durationMS: last.durationMS, error: last.message, place: last.location)
  }

  public func passes(of ids: [TestID], on code: CodeOrigin) async -> [TestID: String] {
    guard place.isEnabled, code.isClean == true, let commit = code.commit else { return [:] }
    let history = place.history(say: say)
    var result: [TestID: String] = [:]
    for id in ids.prefix(Self.mostFailures) {
      let past = (try? history.attempts(of: id)) ?? []
      let passed = past.first {
        $0.attempt.outcome == .passed && $0.run.code.commit == commit
          && $0.run.code.isClean == true && !$0.run.code.isPatched
      }
      if let passed { result[id] = "it passed on the same code before, in run \(passed.run.key)" }
    }
    return result
  }

  public func keep(_ report: Report, of code: CodeOrigin?) async {
    if let code {
      keeping.record(report, of: code)
    } else {
      await keeping.keep(report)
    }
  }
}

import ProctorModel
import ProctorSandbox

/// The only road to a verdict: never a false green.
///
/// A run is `passed` only if all of these hold; each is one function below, and the first that does
/// not hold names the reason:
/// 1. every invocation's end-of-run record arrived;
/// 2. every listed test of the selection has exactly one final outcome;
/// 3. every process's exit status agrees with what it reported;
/// 4. at least one test ran;
/// 5. the reports came over proctor's own channel with this run's nonce.
struct Accounting {
  let outcomes: [ProjectOutcome]
  /// The user stopped the run.
  let interrupted: Bool
  var flakyPolicy = FlakyPolicy.warn
  /// Nothing was found to run.
  var nothingDetected: Bool { outcomes.isEmpty }

  func verdict() -> Verdict {
    if let broken = interruption ?? brokenTool ?? lostReport ?? forgedReport ?? contradiction
      ?? missingTests ?? exitMismatch ?? neverRun
    {
      return broken
    }
    return brokenRepetition ?? errorsOutsideTests ?? failedTests ?? flakyTests ?? nothingRan
      ?? Verdict(status: .passed)
  }

  /// The same for a listing, where no test has an outcome yet.
  func listingVerdict(listed: Int) -> Verdict {
    if let broken = interruption ?? brokenTool ?? lostReport ?? forgedReport ?? contradiction
      ?? errorsOutsideTests
    {
      return broken
    }
    return listed > 0 ? Verdict(status: .passed) : nothingRan ?? Verdict(status: .passed)
  }

  /// Selected tests without an outcome.
  var missing: [TestCase] {
    outcomes.flatMap { outcome in outcome.selected.filter { !outcome.has($0.id) } }
  }

  // MARK: what makes a verdict impossible

  private var interruption: Verdict? {
    guard interrupted else { return nil }
    return error(.interrupted, "the run was interrupted; what is known is listed")
  }

  private var brokenTool: Verdict? {
    outcomes.lazy.compactMap { outcome in
      outcome.problem.map {
        error(.toolMissing, "\(outcome.project.title): \($0.message). \($0.resolution)")
      }
    }.first
  }

  /// Condition 1.
  private var lostReport: Verdict? {
    guard let lost = unexplained.first(where: { $0.ending != .exited || !$0.ended }) else {
      return nil
    }
    let who = "\(lost.project.title) (\(lost.title))"
    let words = lost.lastWords.isEmpty ? "" : ": \(lost.lastWords)"
    switch lost.ending {
    case .wallTime, .overdue:
      return error(.timedOut, "\(who) was stopped at its time limit\(unfinished)")
    case .outOfMemory:
      return error(.outOfMemory, "\(who) was killed at its memory limit\(unfinished)")
    case .cpuTime:
      return error(.cpuLimit, "\(who) was killed at its limit of processor time\(unfinished)")
    case .scratchSpace:
      return error(.scratchLimit, "\(who) was killed because it filled the disk\(unfinished)")
    case .output:
      return error(.outputLimit, "\(who) was killed because it printed too much\(unfinished)")
    case .cancelled:
      return error(.interrupted, "\(who) was interrupted")
    case .exited where lost.status.impliedSignal != nil:
      return error(.crashed, "\(who) died with \(lost.status.text)\(unfinished)\(words)")
    case .exited:
      return error(
        .reportLost,
        "\(who) ended with \(lost.status.text) but without its end-of-run record\(unfinished)\(words)"
      )
    }
  }

  /// Condition 5.
  private var forgedReport: Verdict? {
    evidence.lazy.compactMap { seen in
      seen.violations.first.map { error(.reportCorrupt, "\(seen.project.title): \($0)") }
    }.first
  }

  private var contradiction: Verdict? {
    outcomes.lazy.compactMap { outcome in
      outcome.contradictions.first.map { error(.reportCorrupt, "\(outcome.project.title): \($0)") }
    }.first
  }

  /// Condition 2.
  private var missingTests: Verdict? {
    let missing = missing
    guard !missing.isEmpty else { return nil }
    let names = missing.prefix(3).map(\.fullName).joined(separator: ", ")
    let more = missing.count > 3 ? " and \(missing.count - 3) more" : ""
    return error(.testsMissing, "no result came for \(names)\(more)")
  }

  /// Condition 3.
  private var exitMismatch: Verdict? {
    guard let wrong = unexplained.first(where: { !$0.exitAgrees }) else { return nil }
    return error(
      .exitMismatch,
      "\(wrong.project.title) (\(wrong.title)) ended with \(wrong.status.text), "
        + "which does not fit the results it reported"
        + (wrong.lastWords.isEmpty ? "" : ": \(wrong.lastWords)"))
  }

  /// Condition 4 for each project that is found: no tests is an answer that only a process can give.
  private var neverRun: Verdict? {
    outcomes.first { $0.mustRun && $0.evidence.isEmpty && $0.errors.isEmpty }
      .map { error(.testsMissing, "\($0.project.title) was found, and nothing of it was run") }
  }

  // MARK: red, empty

  private var errorsOutsideTests: Verdict? {
    let errors = outcomes.flatMap(\.errors)
    guard let first = errors.min(by: { $0.stage.gravity < $1.stage.gravity }) else { return nil }
    let more = errors.count > 1 ? " (and \(errors.count - 1) more)" : ""
    let place = first.location.map { "\($0.text): " } ?? ""
    let line = first.message.split(separator: "\n").first.map(String.init) ?? first.message
    return Verdict(
      status: .failed, reason: first.stage.reason, message: "\(place)\(line)\(more)")
  }

  private var failedTests: Verdict? {
    let results = outcomes.flatMap(\.results.values)
    let failed = results.count { $0.outcome.countsAsFailed }
    guard failed > 0 else { return nil }
    let passed = results.count { $0.outcome == .passed }
    let kinds: [(Outcome, String)] = [(.crashed, "crashed"), (.timedOut, "timed out")]
    let special = kinds.compactMap { outcome, word in
      let count = results.count { $0.outcome == outcome }
      return count == 0 ? nil : "\(count) \(word)"
    }
    return Verdict(
      status: passed > 0 ? .partialFailure : .failed, reason: .testsFailed,
      message: (failed == 1 ? "1 test failed" : "\(failed) tests failed")
        + (special.isEmpty ? "" : " (\(special.joined(separator: ", ")))"))
  }

  /// All repetitions together have a verdict only if each of them has one.
  private var brokenRepetition: Verdict? {
    outcomes.lazy.compactMap(\.brokenRepetition).first
  }

  private var flakyTests: Verdict? {
    let flaky = outcomes.flatMap { outcome in
      outcome.flaky.filter { outcome.quarantined[$0] == nil }
    }
    guard flakyPolicy == .fail, !flaky.isEmpty else { return nil }
    return Verdict(
      status: .partialFailure, reason: .flaky,
      message: flaky.count == 1
        ? "1 test failed before it passed" : "\(flaky.count) tests failed before they passed")
  }

  /// Condition 4.
  private var nothingRan: Verdict? {
    if nothingDetected {
      return Verdict(
        status: .noTests, reason: .nothingDetected,
        message: "no test runner was found: no Cargo.toml, Python tests, jest or Package.swift here"
      )
    }
    let results = outcomes.flatMap(\.results.values)
    if results.isEmpty {
      return Verdict(status: .noTests, reason: .emptySelection, message: "no test matched")
    }
    guard !results.contains(where: { $0.outcome == .passed }) else { return nil }
    let hidden = outcomes.reduce(0) { $0 + $1.quarantined.count }
    return Verdict(
      status: .noTests, reason: .allSkipped,
      message: hidden == 0
        ? "all \(results.count) tests were skipped, so nothing was tested"
        : "no test passed: of \(results.count), \(hidden) failed and are quarantined")
  }

  // MARK: words

  private var evidence: [InvocationEvidence] { outcomes.flatMap(\.evidence) }
  private var unexplained: [InvocationEvidence] { evidence.filter { !$0.isExplained } }

  private var unfinished: String {
    let missing = missing.count
    if missing == 0 { return "" }
    return missing == 1 ? "; 1 test has no result" : "; \(missing) tests have no result"
  }

  private func error(_ reason: Verdict.Reason, _ message: String) -> Verdict {
    Verdict(status: .error, reason: reason, message: message)
  }
}

extension RunError.Stage {
  /// The earliest stage explains the later ones.
  fileprivate var gravity: Int {
    switch self {
    case .configuration: 0
    case .dependency: 1
    case .build: 2
    case .collection: 3
    case .suite: 4
    }
  }

  fileprivate var reason: Verdict.Reason {
    switch self {
    case .configuration: .configurationBroken
    case .dependency: .dependencyMissing
    case .build: .buildFailed
    case .collection: .collectionFailed
    case .suite: .suiteFailed
    }
  }
}

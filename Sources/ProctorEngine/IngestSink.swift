import ProctorFormats
import ProctorModel

/// Counts the tests of foreign reports, and keeps those that are wanted as long as there is room.
final class IngestSink: CaseSink {
  /// A test that is kept.
  struct Kept {
    let found: ReportedCase
    /// Among all tests of all files, from 0.
    let position: Int
    let format: ReportFormat
  }

  private let limits: IngestRequest.Limits
  private let keepsAll: Bool
  private(set) var log: FingerprintLog
  private(set) var kept: [Kept] = []
  private(set) var failuresOmitted = 0
  private var failureBytes = 0
  private var otherBytes = 0
  private var format = ReportFormat.junit
  /// Why the names could not be held; nil as long as they are.
  private(set) var problem: EngineError?

  // Of the file that is being read.
  private var passed = 0
  private var failed = 0
  private var skipped = 0
  private var durationMS = 0.0
  private var hasDuration = false

  init(_ request: IngestRequest, environment: [String: String]) {
    limits = request.limits
    keepsAll = request.keepsAll
    log = FingerprintLog(environment: environment)
  }

  var wantsPassed: Bool { keepsAll && otherBytes < limits.otherBytes }
  var counts: Counts { Counts(passed: passed, failed: failed, skipped: skipped) }
  var fileDurationMS: Double? { hasDuration ? durationMS : nil }

  func beginFile(_ format: ReportFormat) {
    self.format = format
    log.beginFile()
    (passed, failed, skipped, durationMS, hasDuration) = (0, 0, 0, 0, false)
  }

  func pass(fingerprint: UInt64, durationMS: Double?) {
    passed += 1
    add(durationMS)
    note(fingerprint)
  }

  func take(_ found: ReportedCase) {
    let outcome = found.outcome
    if outcome.countsAsFailed {
      failed += 1
    } else if outcome == .skipped {
      skipped += 1
    } else {
      passed += 1
    }
    for attempt in found.attempts { add(attempt.durationMS) }
    let position = note(found.fingerprint)
    keep(Kept(found: found, position: position, format: format), outcome)
  }

  private func keep(_ test: Kept, _ outcome: Outcome) {
    let size = test.found.bytes(isShownWhole: outcome.countsAsFailed)
    if outcome.countsAsFailed {
      guard failureBytes + size <= limits.failureBytes else {
        failuresOmitted += 1
        return
      }
      failureBytes += size
      kept.append(test)
    } else if keepsAll, otherBytes + size <= limits.otherBytes {
      otherBytes += size
      kept.append(test)
    }
  }

  private func add(_ duration: Double?) {
    guard let duration, duration.isFinite, duration >= 0 else { return }
    durationMS += duration
    hasDuration = true
  }

  @discardableResult
  private func note(_ fingerprint: UInt64) -> Int {
    guard problem == nil else { return 0 }
    do throws(EngineError) {
      return try log.append(fingerprint)
    } catch {
      problem = error
      return 0
    }
  }

  /// Which of the tests have names that came before.
  func repeats() throws(EngineError) -> FingerprintLog.Repeats {
    if let problem { throw problem }
    return try log.finish(wanted: kept.map(\.position))
  }
}

extension ReportedCase {
  /// Roughly what it takes to keep, and to write the answer with it.
  fileprivate func bytes(isShownWhole: Bool) -> Int {
    let texts = attempts.reduce(name.utf8.count) { sum, attempt in
      sum + (attempt.stdout?.text.utf8.count ?? 0) + (attempt.stderr?.text.utf8.count ?? 0)
        + attempt.failures.reduce(0) { $0 + $1.message.utf8.count }
    }
    return (isShownWhole ? 4000 : 700) + 2 * texts
  }
}

import FoundationEssentials
import ProctorModel

/// Collapses pytest's phases (set-up, call, subtests, tear-down) into one attempt a test.
struct PytestDecoder: EventDecoder {
  private let context: AdapterContext
  /// Listed ids by node id, in order of occurrence.
  private var ids: [String: [TestID]] = [:]
  /// How many tests of a node id are finished.
  private var done: [String: Int] = [:]
  private var phases: [String: [PytestRecord]] = [:]
  private var begun = false
  private var stderr = Data()

  private static let stderrLimit = 256 * 1024
  /// Scalars.
  private static let noteLimit = 500

  init(context: AdapterContext) { self.context = context }

  mutating func receive(_ chunk: OutputChunk) -> [TestEvent] {
    switch chunk {
    case .record(let data):
      guard let record = try? JSONDecoder().decode(PytestRecord.self, from: data) else {
        return [.corrupt("a record of the pytest plugin cannot be read")]
      }
      return events(record)
    case .stderr(let bytes):
      stderr.append(bytes.prefix(max(0, Self.stderrLimit - stderr.count)))
      return []
    case .stdout: return []
    }
  }

  mutating func finish(_ status: ExitStatus) -> [TestEvent] {
    // 4 says that pytest was used wrongly, which it may notice after its plugins have begun.
    guard case .exited(let code) = status, code != 0, !begun || code == 4 else { return [] }
    let errors = PytestStartFailure(text: String(decoding: stderr, as: UTF8.self), context: context)
      .errors(exitCode: code)
    return errors.isEmpty ? [] : errors.map(TestEvent.error) + [.ended]
  }

  private mutating func events(_ record: PytestRecord) -> [TestEvent] {
    switch record.event {
    case "begin":
      begun = true
      return []
    case "item": return [.listed(list(record))]
    case "deselected": return record.id.flatMap { ids[$0]?.first }.map { [.deselected($0)] } ?? []
    case "start": return record.id.flatMap(current).map { [.started($0)] } ?? []
    case "phase": return phase(record)
    case "finish":
      return finished(record.id, plain: record.plain ?? [:], worker: record.worker)
    case "collect_error": return [.error(collectError(record))]
    case "collect_skip": return [.leftOut(skippedWhole(record))]
    case "thread_error": return [.error(threadError(record))]
    case "internal_error":
      return [.corrupt("pytest failed inside: \(lastLine(record.text))")]
    case "interrupted": return [.corrupt("pytest was stopped: \(lastLine(record.text))")]
    case "end": return phases.keys.flatMap { finished($0) } + [.ended]
    default: return [.corrupt("the pytest plugin sent an unknown record, \(record.event)")]
    }
  }

  private mutating func list(_ record: PytestRecord) -> TestCase {
    let nodeID = record.id ?? ""
    let id = TestID(
      project: context.project, fullName: nodeID, occurrence: record.occurrence ?? 1)
    ids[nodeID, default: []].append(id)
    let file = record.file.map { context.display($0) }
    return TestCase(
      id: id, project: context.project, suite: record.suite ?? "", name: record.name ?? nodeID,
      fullName: nodeID, definition: file.map { SourceLocation(file: $0, line: record.line) },
      file: file, nativeID: nodeID)
  }

  /// The test of this node id that is on its way.
  private func current(_ nodeID: String) -> TestID? {
    guard let known = ids[nodeID], !known.isEmpty else { return nil }
    return known[min(done[nodeID] ?? 0, known.count - 1)]
  }

  private mutating func phase(_ record: PytestRecord) -> [TestEvent] {
    guard let nodeID = record.id else { return [] }
    phases[nodeID, default: []].append(record)
    // A worker that died: xdist reports its test in a phase of its own and nothing more.
    return record.when == "???" ? finished(nodeID, worker: record.worker) : []
  }

  private mutating func finished(
    _ nodeID: String?, plain: [String: Double] = [:], worker: String? = nil
  ) -> [TestEvent] {
    guard let nodeID else { return [] }
    let records = phases.removeValue(forKey: nodeID) ?? []
    if records.isEmpty && plain.isEmpty { return [] }
    // A plugin runs it again: this try is not the outcome.
    if records.contains(where: { $0.outcome == "rerun" }) { return [] }
    guard let id = current(nodeID) else {
      return [.corrupt("pytest reported \(nodeID), which it had not collected")]
    }
    done[nodeID, default: 0] += 1
    var attempt = PytestAttempt(records: records, plain: plain, context: context).attempt()
    attempt.worker = worker?.nonEmpty
    return [.finished(id, attempt)]
  }

  private func collectError(_ record: PytestRecord) -> RunError {
    let place = record.error?.place
    return RunError(
      stage: .collection, adapter: context.project.adapter,
      message: record.error?.message ?? record.text ?? "collecting \(record.id ?? "") failed",
      location: place.map {
        SourceLocation(file: context.display($0.file), line: $0.line, column: $0.column)
      }, suite: record.id)
  }

  private func skippedWhole(_ record: PytestRecord) -> String {
    let reason = record.reason.map(PytestAttempt.withoutPrefix)?.nonEmpty
    let text = [record.id, reason].compactMap(\.self).joined(separator: ": ")
    return text.unicodeScalars.count <= Self.noteLimit
      ? text : String(text.unicodeScalars.prefix(Self.noteLimit)) + "..."
  }

  private func threadError(_ record: PytestRecord) -> RunError {
    RunError(
      .threadAssertion, adapter: context.project.adapter,
      message: "an assertion failed in a thread, which fails no test: \(record.text ?? "")",
      location: record.error?.place.map {
        SourceLocation(file: context.display($0.file), line: $0.line)
      }, suite: record.id?.nonEmpty)
  }

  private func lastLine(_ text: String?) -> String {
    text?.split(separator: "\n").last.map(String.init) ?? "no explanation"
  }
}

/// One test's records as one attempt.
struct PytestAttempt {
  let records: [PytestRecord]
  /// Seconds of the phases that passed and have nothing more to say.
  let plain: [String: Double]
  let context: AdapterContext

  func attempt() -> Attempt {
    let (outcome, raw, note) = judgement()
    let output = records.last { $0.output != nil }?.output
    let stderr = [output?.stderr, output?.log].compactMap(\.self).joined(separator: "\n")
    return Attempt(
      outcome: outcome, rawStatus: raw,
      durationMS: (records.compactMap(\.duration) + plain.values).reduce(0, +) * 1000,
      failures: outcome.countsAsFailed ? failures() : [], note: note,
      stdout: output?.stdout.map { CapturedText(text: $0) }?.nonEmpty,
      stderr: CapturedText(text: stderr).nonEmpty)
  }

  private func judgement() -> (Outcome, String, note: String?) {
    if records.contains(where: { $0.lie != nil }) { return (.failed, "passed", nil) }
    let failed = records.filter { $0.outcome == "failed" }
    if let first = failed.first {
      if first.when == "???" { return (.crashed, "crashed", nil) }
      // What breaks around the call is an error; the call itself decides when it failed too.
      let inCall = failed.contains { $0.when == "call" }
      return inCall ? (.failed, "failed", nil) : (.errored, "error", nil)
    }
    if let skipped = records.first(where: { $0.outcome == "skipped" && $0.subtest == nil }) {
      if let reason = skipped.xfail { return (.skipped, "xfailed", reason.nonEmpty) }
      return (.skipped, "skipped", skipped.reason.map(Self.withoutPrefix)?.nonEmpty)
    }
    if let unexpected = records.first(where: { $0.xfail != nil }) {
      return (.passed, "xpassed", unexpected.xfail?.nonEmpty)
    }
    if plain["call"] == nil, !records.contains(where: { $0.when == "call" }) {
      return (.errored, "not called", nil)
    }
    return (.passed, "passed", nil)
  }

  private func failures() -> [Failure] {
    let failed = records.filter { $0.outcome == "failed" || $0.lie != nil }
    if failed.isEmpty {
      return [Failure(message: "its set-up and tear-down ran, but it was never called")]
    }
    let hasSubtests = failed.contains { $0.subtest != nil }
    return
      failed
      // The parent of failed subtests only counts them.
      .filter { !(hasSubtests && $0.subtest == nil && $0.text?.hasPrefix("contains ") == true) }
      .map(failure)
  }

  private func failure(_ record: PytestRecord) -> Failure {
    let subtest = record.subtest.map { "[\($0)] " } ?? ""
    let phase = record.when == "setup" || record.when == "teardown" ? "\(record.when ?? ""): " : ""
    let place = record.error?.place
    return Failure(
      message: subtest + phase + message(record),
      location: place.map { SourceLocation(file: context.display($0.file), line: $0.line) },
      frames: (record.error?.frames ?? []).map {
        Frame(function: $0.function, file: context.display($0.file), line: $0.line)
      })
  }

  private func message(_ record: PytestRecord) -> String {
    if let lie = record.lie { return lie + (record.error.map { ": \($0.message)" } ?? "") }
    // A missing fixture's exception says nothing; pytest's own text does.
    if let error = record.error, error.type != "FixtureLookupError" { return error.message }
    let text = record.text ?? record.error?.message ?? "failed without an explanation"
    let lines = text.split(separator: "\n").filter { $0.hasPrefix("E ") }
    return lines.isEmpty
      ? text
      : lines.map { String($0.dropFirst(1).trimmingPrefix { $0 == " " }) }.joined(separator: "\n")
  }

  static func withoutPrefix(_ reason: String) -> String {
    reason.hasPrefix("Skipped: ") ? String(reason.dropFirst(9)) : reason
  }
}

extension String {
  /// Absent is absent, never "".
  var nonEmpty: String? { isEmpty ? nil : self }
}

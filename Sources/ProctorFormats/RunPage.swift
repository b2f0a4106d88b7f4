public import FoundationEssentials
public import ProctorModel

/// A part of a run that is over, as much as a model is given at once.
public struct RunPage: Sendable {
  public enum Section: String, Sendable, CaseIterable {
    case failures, errors, tests, log
  }

  /// By `get_run.schema.json`.
  public let json: Data
  public let text: String

  /// The whole in short.
  public init(
    summaryOf report: Report, run: String, tool: String, since: RunDifference?, workspace: String,
    tokens: Int = AgentReport.defaultTokens
  ) {
    var shape = RunPageShape(report, run: run, tool: tool, section: nil, offset: nil)
    shape.message = report.verdict.message?.cut(1000)
    (shape.newly_skipped, shape.newly_skipped_omitted) = RunDifference.listed(since?.newlySkipped)
    (shape.gone, shape.gone_omitted) = RunDifference.listed(since?.gone)
    let reruns = RerunAnswer(report, most: RerunAnswer.fewShown)
    var room = Room(tokens, without: Joined(shape, reruns))
    shape.errors = room.errors(report)
    shape.failures = room.failures(report)
    shape.errors_omitted = ContractJSON.omitted(shape.errors?.count, of: report.errors.count)
    shape.failures_omitted = ContractJSON.omitted(
      shape.failures?.count, of: report.counts.failed)
    json = ContractJSON.encode(Joined(shape, reruns))
    text = AgentReport(report, run: run, since: since, workspace: workspace).text(tokens: tokens)
  }

  /// - Parameters:
  ///   - tool: that started the run.
  ///   - offset: of items; for the log, of bytes.
  public init(
    _ section: Section, of report: Report, run: String, tool: String, from offset: Int,
    workspace: String, tokens: Int = AgentReport.defaultTokens
  ) {
    var shape = RunPageShape(
      report, run: run, tool: tool, section: section.rawValue, offset: offset)
    var room = Room(tokens, without: shape)
    let agent = AgentReport(report, run: run, since: nil, workspace: workspace)
    let lines: [String]
    switch section {
    case .failures:
      let failed = report.tests.filter { $0.outcome.countsAsFailed }
      let page = failed.dropFirst(offset).prefix(Self.most)
      let shown = room.rows(page.map { FailureAnswer($0).brief(similar: 0) }, share: 1, atLeast: 1)
      shape.failures = shown
      shape.end(of: shown.count, of: failed.count)
      lines = page.prefix(shown.count).map { agent.failure(FailureGroup(tests: [$0])) }
    case .errors:
      let page = report.errors.dropFirst(offset).prefix(Self.most)
      let shown = room.rows(page.map { ErrorAnswer($0).brief }, share: 1, atLeast: 1)
      shape.errors = shown
      shape.end(of: shown.count, of: report.errors.count)
      lines = page.prefix(shown.count).map { agent.error(ErrorGroup(errors: [$0])) }
    case .tests:
      let page = report.tests.dropFirst(offset).prefix(Self.most)
      let shown = room.rows(page.map(RunPageShape.Row.init), share: 1, atLeast: 1)
      shape.tests = shown
      shape.end(of: shown.count, of: report.tests.count)
      lines = shown.map { "\($0.outcome.rawValue) \($0.id.text.harmless(multiline: false))" }
    case .log:
      let log = RunLog(report, workspace: workspace).bytes
      let part = RunLog.part(of: log, from: offset, tokens: tokens * 3 / 4)
      shape.log = part
      shape.end(of: part.utf8.count, of: log.count)
      lines = [part]
    }
    json = ContractJSON.encode(shape)
    let title =
      "Section \(section.rawValue) of \(run)\(offset > 0 ? ", from offset \(offset)" : ""):"
    text = ([agent.verdict, title] + lines + [shape.rest]).joined(separator: "\n") + "\n"
  }

  /// Items of a page, however short they are.
  private static let most = 200
}

extension ContractJSON {
  /// The answer of `get_run` when there is nothing to show.
  /// - Parameter run: nil when there is no such run.
  public static func getRun(failed report: Report, run: String?) -> Data {
    var shape = RunPageShape(report, run: run, tool: nil, section: nil, offset: nil)
    shape.message = report.verdict.message?.cut(1000)
    return encode(shape)
  }
}

private struct RunPageShape: Encodable {
  struct Row: Encodable {
    let id: TestID
    let outcome: Outcome

    init(_ result: TestResult) {
      id = result.test.id
      outcome = result.outcome
    }
  }

  let run: String?
  let tool: String?
  let status: Verdict.Status
  let reason: Verdict.Reason?
  var message: String?
  let total_tests: Int
  let passed: Int
  let failed: Int
  let skipped: Int
  let section: String?
  let offset: Int?
  var next_offset: Int?
  var failures: [FailureAnswer]?
  var failures_omitted: Int?
  var errors: [ErrorAnswer]?
  var errors_omitted: Int?
  var newly_skipped: [String]?
  var newly_skipped_omitted: Int?
  var gone: [String]?
  var gone_omitted: Int?
  var tests: [Row]?
  var log: String?

  init(_ report: Report, run: String?, tool: String?, section: String?, offset: Int?) {
    let counts = report.counts
    self.run = run
    self.tool = tool
    status = report.verdict.status
    reason = report.verdict.reason
    total_tests = counts.total
    passed = counts.passed
    failed = counts.failed
    skipped = counts.skipped
    self.section = section
    self.offset = offset
  }

  mutating func end(of shown: Int, of all: Int) {
    let next = (offset ?? 0) + shown
    if shown > 0, next < all { next_offset = next }
  }

  /// How to go on.
  var rest: String {
    let section = section ?? ""
    return next_offset.map {
      "Read on with get_run {\"run\": \"\(run ?? "")\", \"section\": \"\(section)\", \"offset\": \($0)}."
    } ?? "End of section \(section)."
  }
}

/// All that failing tests and runners printed, and every message whole; what is not proctor's begins with a bar in
/// each line.
public struct RunLog: Sendable {
  /// UTF-8, control characters shown and not obeyed.
  public let bytes: Data

  public init(_ report: Report, workspace: String) {
    var text = ""
    for test in report.tests where test.outcome.countsAsFailed { text += Self.entry(of: test) }
    for error in report.errors {
      text += "== \(error.stage.rawValue) error\(error.location.map { " at \($0.text)" } ?? "")\n"
      text += error.message.quoted
    }
    for adapter in report.adapters {
      guard let output = adapter.output?.nonEmpty else { continue }
      text += "== the last words of \(adapter.project.title)\n\(output.text.quoted)"
    }
    let shown = text.harmless(multiline: true)
    bytes = Data((workspace.isEmpty ? shown : shown.replacing("\(workspace)/", with: "")).utf8)
  }

  /// One failing test with all that it printed.
  static func entry(of test: TestResult) -> String {
    let place = test.last.failures.first?.location.map { " at \($0.text)" } ?? ""
    var text = "== \(test.test.id.text) (\(test.outcome.rawValue))\(place)\n"
    for failure in test.last.failures { text += failure.message.quoted }
    for (name, output) in [("stdout", test.last.stdout), ("stderr", test.last.stderr)] {
      if let output = output?.nonEmpty { text += "-- \(name)\n\(output.text.quoted)" }
    }
    return text
  }

  /// One failing test, as in the whole.
  public static func entry(of test: TestResult, workspace: String) -> String {
    let shown = entry(of: test).harmless(multiline: true)
    return workspace.isEmpty ? shown : shown.replacing("\(workspace)/", with: "")
  }

  /// From there on what fits, whole lines where there are any.
  static func part(of log: Data, from offset: Int, tokens: Int) -> String {
    var length = tokens * 4
    while true {
      let text = part(of: log, from: offset, bytes: length)
      if length <= 64 || TokenEstimate.of(text) <= tokens { return text }
      length = length * 3 / 4
    }
  }

  /// So many bytes at most, and where to go on; nil at the end.
  public func part(from offset: Int, bytes length: Int) -> (text: String, next: Int?) {
    let text = Self.part(of: bytes, from: offset, bytes: length)
    let next = offset + text.utf8.count
    return (text, text.isEmpty || next >= bytes.count ? nil : next)
  }

  private static func part(of log: Data, from offset: Int, bytes length: Int) -> String {
    guard offset < log.count else { return "" }
    var start = log.startIndex + offset
    // An offset that nobody was given may point into a character.
    while start < log.endIndex, log[start] & 0xc0 == 0x80 { start += 1 }
    var end = min(log.endIndex, start + length)
    if end < log.endIndex {
      let line = log[start..<end].lastIndex(of: UInt8(ascii: "\n"))
      if let line, line - start > length / 2 { end = line + 1 }
      while end > start, log[end] & 0xc0 == 0x80 { end -= 1 }
    }
    return String(decoding: log[start..<end], as: UTF8.self)
  }
}

public import FoundationEssentials
public import ProctorModel

/// What an answer of a run has for callers besides the report itself: a handle, and how much of it is wanted.
public struct AgentBounds: Sendable {
  let run: String
  let since: RunDifference?
  let tokens: Int?

  /// - Parameter tokens: nil for all of it.
  public init(
    run: String, since: RunDifference? = nil, tokens: Int? = AgentReport.defaultTokens
  ) {
    self.run = run
    self.since = since
    self.tokens = tokens
  }
}

/// What the answers about runs have in common, and models are given little of.
private protocol RunAnswerShape {
  var message: String? { get set }
  var errors: [ErrorAnswer]? { get set }
  var sandbox: SandboxReceipt? { get set }
  var missing: [String]? { get set }
  var writes: [WorkspaceWrite]? { get set }
  var writes_omitted: Int? { get set }
  var patch: ChangeAnswer? { get set }
}

extension RunAnswerShape {
  /// Without errors, and with the first of everything else.
  fileprivate mutating func shorten(_ report: Report) {
    message = message?.cut(1000)
    errors = nil
    sandbox = sandbox?.brief
    missing = missing.map { Array($0.prefix(5)) }
    writes = writes.map { Array($0.prefix(5)) }
    writes_omitted = ContractJSON.omitted(writes?.count, of: report.writes.count)
    patch = report.change.map { ChangeAnswer($0, most: 10) }
  }
}

extension RunAllAnswer: RunAnswerShape {}
extension RunTestAnswer: RunAnswerShape {}

extension ContractJSON {
  /// The answer of `run_all_tests` with the run's handle, cut to what is wanted.
  public static func runAllTests(_ report: Report, within bounds: AgentBounds) -> Data {
    guard let tokens = bounds.tokens else {
      return encode(
        Joined(
          RunAllAnswer(report, details: true), RerunAnswer(report), BoundedKeys(report, bounds)))
    }
    var answer = RunAllAnswer(report, details: false)
    answer.shorten(report)
    (answer.started_at, answer.code_state) = (nil, nil)
    answer.failures = []
    answer.adapters = answer.adapters.prefix(10).map(\.brief)
    var keys = BoundedKeys(report, bounds, missing: answer.missing?.count ?? 0)
    let reruns = RerunAnswer(report, most: RerunAnswer.fewShown)
    var room = Room(tokens, without: Joined(answer, reruns, keys))
    answer.errors = room.errors(report)
    answer.failures = room.failures(report)
    keys.count(answer.errors, answer.failures, of: report)
    return encode(Joined(answer, reruns, keys))
  }

  /// The answer of `run_test` with the run's handle, cut to what is wanted.
  public static func runTest(_ report: Report, within bounds: AgentBounds) -> Data {
    var answer = RunTestAnswer(report)
    guard let tokens = bounds.tokens else {
      return encode(Joined(answer, RerunAnswer(report), BoundedKeys(report, bounds)))
    }
    let details = answer.details
    answer.shorten(report)
    answer.error = answer.error?.cut(500)
    answer.details = []
    answer.failures = nil
    var keys = BoundedKeys(report, bounds, missing: answer.missing?.count ?? 0)
    let reruns = RerunAnswer(report, most: RerunAnswer.fewShown)
    var room = Room(tokens, without: Joined(answer, reruns, keys))
    answer.errors = room.errors(report)
    let failures = room.failures(report, share: 0.6)
    answer.failures = failures.nonEmpty
    answer.details = room.rows(details.map(\.brief), share: 1)
    keys.count(answer.errors, failures, of: report)
    keys.details_omitted = omitted(answer.details.count, of: details.count)
    return encode(Joined(answer, reruns, keys))
  }

  /// A page of the answer of `list_tests`.
  /// - Returns: the answer and where the next page begins; nil when there is none.
  public static func list(
    _ listing: Listing, from offset: Int, tokens: Int = AgentReport.defaultTokens
  ) -> (json: Data, next: Int?) {
    var answer = ListAnswer(listing)
    let rows = Array(answer.tests.dropFirst(offset))
    let errors = answer.errors
    answer.message = answer.message?.cut(1000)
    answer.tests = []
    answer.errors = nil
    var room = Room(tokens, without: answer)
    answer.errors = errors.map { room.rows($0.map(\.brief), share: 0.5) }?.nonEmpty
    answer.errors_omitted = omitted(answer.errors?.count, of: listing.errors.count)
    // A page without a row would be followed by itself.
    answer.tests = room.rows(rows, share: 1, atLeast: 1)
    answer.tests_omitted = omitted(answer.tests.count, of: listing.tests.count)
    let next = offset + answer.tests.count
    answer.next_offset = next < listing.tests.count ? next : nil
    return (encode(answer), answer.next_offset)
  }

  /// The answer of `verify_patch`, cut to what a model is given.
  public static func check(_ check: CheckAnswer, tokens: Int) -> Data {
    var answer = CheckAnswerShape(check)
    let rows = answer.diagnostics
    answer.message = answer.message?.cut(1000)
    answer.diagnostics = []
    answer.sandbox = answer.sandbox?.brief
    answer.patch = check.change.map { ChangeAnswer($0, most: 10) }
    answer.adapters = answer.adapters.prefix(20).map { part in
      var part = part
      part.commands = nil
      return part
    }
    var room = Room(tokens, without: answer)
    answer.diagnostics = room.rows(rows.map(\.brief), share: 1)
    answer.diagnostics_omitted = omitted(
      answer.diagnostics.count, of: check.diagnostics.count + check.omitted)
    return encode(answer)
  }

  static func omitted(_ shown: Int?, of all: Int) -> Int? {
    let rest = all - (shown ?? 0)
    return rest > 0 ? rest : nil
  }
}

/// The keys that only bounded answers have.
private struct BoundedKeys: Encodable {
  var run: String?
  var failures_omitted: Int?
  var errors_omitted: Int?
  var missing_omitted: Int?
  var details_omitted: Int?
  let newly_skipped: [String]?
  let newly_skipped_omitted: Int?
  let gone: [String]?
  let gone_omitted: Int?

  /// - Parameter missing: how many of them are listed; nil for all.
  init(_ report: Report, _ bounds: AgentBounds, missing: Int? = nil) {
    run = bounds.run
    missing_omitted = missing.flatMap { ContractJSON.omitted($0, of: report.missing.count) }
    (newly_skipped, newly_skipped_omitted) = RunDifference.listed(bounds.since?.newlySkipped)
    (gone, gone_omitted) = RunDifference.listed(bounds.since?.gone)
  }

  mutating func count(_ errors: [ErrorAnswer]?, _ failures: [FailureAnswer], of report: Report) {
    errors_omitted = ContractJSON.omitted(errors?.count, of: report.errors.count)
    failures_omitted = ContractJSON.omitted(failures.count, of: report.counts.failed)
  }
}

/// The tokens that are left for the parts of an answer of which there can be any number.
struct Room {
  private var tokens: Int

  init(_ tokens: Int, without answer: some Encodable) {
    self.tokens = tokens - Self.cost(answer)
  }

  /// - Parameter share: of what is left, from 0 to 1.
  mutating func rows<Row: Encodable>(_ rows: [Row], share: Double, atLeast: Int = 0) -> [Row] {
    var (shown, left): ([Row], Int) = ([], Int(Double(tokens) * share))
    for row in rows {
      let cost = Self.cost(row)
      guard cost <= left || shown.count < atLeast else { break }
      left -= cost
      tokens -= cost
      shown.append(row)
    }
    return shown
  }

  /// One error of each cause, those of most places first.
  mutating func errors(_ report: Report) -> [ErrorAnswer]? {
    let causes = ErrorGroup.all(of: report.errors).compactMap { group in
      group.errors.first.map { error in
        var answer = ErrorAnswer(error).brief
        answer.similar_errors = group.errors.count > 1 ? group.errors.count - 1 : nil
        return answer
      }
    }
    return rows(causes, share: 0.5).nonEmpty
  }

  /// One failure of each cause, those of most tests first.
  mutating func failures(_ report: Report, share: Double = 1) -> [FailureAnswer] {
    let causes = FailureGroup.all(of: report.tests).compactMap { group in
      group.tests.first.map { FailureAnswer($0).brief(similar: group.tests.count - 1) }
    }
    return rows(causes, share: share)
  }

  private static func cost(_ value: some Encodable) -> Int {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    let data = (try? encoder.encode(value)) ?? Data()
    return TokenEstimate.of(String(decoding: data, as: UTF8.self)) + 1
  }
}

extension FailureAnswer {
  /// - Parameter similar: how many others it stands for.
  func brief(similar: Int) -> FailureAnswer {
    var copy = self
    copy.error = error.cut(300)
    copy.more_failures = nil
    copy.frames = frames.map { Array($0.prefix(3)) }
    copy.stdout_omitted_bytes = (stdout?.utf8.count).map { $0 + (stdout_omitted_bytes ?? 0) }
    copy.stderr_omitted_bytes = (stderr?.utf8.count).map { $0 + (stderr_omitted_bytes ?? 0) }
    (copy.stdout, copy.stderr) = (nil, nil)
    (copy.started_ms, copy.worker, copy.attempt_details) = (nil, nil, nil)
    copy.similar_failures = similar > 0 ? similar : nil
    return copy
  }
}

extension ErrorAnswer {
  var brief: ErrorAnswer {
    var copy = self
    copy.message = message.cut(500)
    return copy
  }
}

extension RunTestAnswer.Detail {
  fileprivate var brief: Self {
    var copy = self
    copy.error = error?.cut(120)
    return copy
  }
}

extension CheckAnswerShape.Row {
  fileprivate var brief: Self {
    var copy = self
    copy.message = message.cut(500)
    return copy
  }
}

extension AdapterAnswer {
  fileprivate var brief: AdapterAnswer {
    var copy = self
    (copy.commands, copy.output) = (nil, nil)
    return copy
  }
}

extension SandboxReceipt {
  /// With fewer of the denials.
  fileprivate var brief: SandboxReceipt {
    var copy = self
    copy.deniedOmitted += denied.dropFirst(5).reduce(0) { $0 + $1.count }
    copy.denied = Array(denied.prefix(5))
    return copy
  }
}

extension String {
  /// Its first so many scalars.
  func cut(_ most: Int) -> String {
    unicodeScalars.count > most ? String(unicodeScalars.prefix(most)) + "[...]" : self
  }
}

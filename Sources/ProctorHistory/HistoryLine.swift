import FoundationEssentials
import ProctorFormats
import ProctorModel

/// A line of an exported history, by `history_line.schema.json`.
enum HistoryLine {
  /// The first one of a file.
  case header(version: Int)
  case run(HistoryRun)
  case test(HistoryTest, [HistoryAttempt])
  /// After the last test of a run.
  case end(key: String, tests: Int)
  /// The last one of a file.
  case eof(runs: Int)

  /// Of the lines that this proctor writes, and the newest that it reads.
  static let version = 1
}

extension HistoryLine: Codable {
  private enum Key: String, CodingKey {
    case proctor_history
    case run, started_at, operation, selection, status, reason, duration_ms, passed, failed, skipped
    case complete, everything, commit, branch, clean, code_state, patched, machine, os, architecture
    case ci, tools
    case test, name, attempts
    case end, tests
    case eof
  }

  private struct AttemptShape: Codable {
    let outcome: Outcome
    let duration_ms: Double?
    let message: String?
    let file: String?
    let line: Int?
  }

  // MARK: reading

  init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    if values.contains(.test) {
      self = try Self.test(values)
    } else if values.contains(.run) {
      self = .run(try Self.run(values))
    } else if values.contains(.end) {
      self = .end(
        key: try values.decode(String.self, forKey: .end),
        tests: try values.decode(Int.self, forKey: .tests))
    } else if values.contains(.eof) {
      self = .eof(runs: try values.decode(Int.self, forKey: .eof))
    } else {
      self = .header(version: try values.decode(Int.self, forKey: .proctor_history))
    }
  }

  private typealias Values = KeyedDecodingContainer<Key>

  private static func test(_ values: Values) throws -> HistoryLine {
    let id = try values.decode(String.self, forKey: .test)
    let shapes = try values.decode([AttemptShape].self, forKey: .attempts)
    try require(!id.isEmpty && !shapes.isEmpty, values, .attempts, "no test, or no attempts")
    let attempts = shapes.enumerated().map { index, shape in
      HistoryAttempt(
        number: index + 1, outcome: shape.outcome, durationMS: shape.duration_ms,
        message: shape.message.flatMap(HistoryAttempt.short),
        location: shape.file.map { SourceLocation(file: $0, line: shape.line) })
    }
    let name = try values.decodeIfPresent(String.self, forKey: .name)
    let test = TestID(text: id)
    return .test(HistoryTest(id: test, name: name ?? test.fullName), attempts)
  }

  private static func run(_ values: Values) throws -> HistoryRun {
    func optional<Value: Decodable>(_ key: Key, _ type: Value.Type = Value.self) throws -> Value? {
      try values.decodeIfPresent(type, forKey: key)
    }
    func count(_ key: Key) throws -> Int {
      let count = try values.decode(Int.self, forKey: key)
      try require(count >= 0 && count < 1 << 40, values, key, "no number of tests")
      return count
    }
    let key = try values.decode(String.self, forKey: .run)
    try require(!key.isEmpty, values, .run, "a run without a name")
    let date = Timestamp.seconds(try values.decode(String.self, forKey: .started_at))
    guard let date, date > 0, date < 1e11 else { throw wrong(values, .started_at, "no moment") }
    let duration = try values.decode(Double.self, forKey: .duration_ms)
    try require(duration >= 0 && duration < 1e12, values, .duration_ms, "no span of time")
    return HistoryRun(
      key: key, date: date, operation: try values.decode(String.self, forKey: .operation),
      selection: try optional(.selection), status: try values.decode(String.self, forKey: .status),
      reason: try optional(.reason), durationMS: duration,
      counts: HistoryRun.Counts(
        passed: try count(.passed), failed: try count(.failed), skipped: try count(.skipped)),
      isComplete: try values.decode(Bool.self, forKey: .complete),
      isOfEverything: try values.decode(Bool.self, forKey: .everything),
      code: CodeOrigin(
        commit: try optional(.commit), branch: try optional(.branch), isClean: try optional(.clean),
        state: try optional(.code_state), isPatched: try optional(.patched) ?? false),
      machine: try optional(.machine) ?? "",
      environment: HistoryRun.Environment(
        os: try optional(.os), architecture: try optional(.architecture),
        ci: try optional(.ci) ?? false, tools: try optional(.tools) ?? [:]))
  }

  private static func require(
    _ isRight: Bool, _ values: Values, _ key: Key, _ words: String
  ) throws {
    guard isRight else { throw wrong(values, key, words) }
  }

  private static func wrong(_ values: Values, _ key: Key, _ words: String) -> DecodingError {
    DecodingError.dataCorruptedError(forKey: key, in: values, debugDescription: words)
  }

  // MARK: writing

  func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    switch self {
    case .header(let version): try values.encode(version, forKey: .proctor_history)
    case .run(let run): try Self.encode(run, &values)
    case .test(let test, let attempts):
      try values.encode(test.id.text, forKey: .test)
      try values.encode(test.name, forKey: .name)
      let shapes = attempts.map {
        AttemptShape(
          outcome: $0.outcome, duration_ms: $0.durationMS, message: $0.message,
          file: $0.location?.file, line: $0.location?.line)
      }
      try values.encode(shapes, forKey: .attempts)
    case .end(let key, let tests):
      try values.encode(key, forKey: .end)
      try values.encode(tests, forKey: .tests)
    case .eof(let runs): try values.encode(runs, forKey: .eof)
    }
  }

  private static func encode(
    _ run: HistoryRun, _ values: inout KeyedEncodingContainer<Key>
  ) throws {
    try values.encode(run.key, forKey: .run)
    try values.encode(Timestamp.text(run.date), forKey: .started_at)
    try values.encode(run.operation, forKey: .operation)
    try values.encodeIfPresent(run.selection, forKey: .selection)
    try values.encode(run.status, forKey: .status)
    try values.encodeIfPresent(run.reason, forKey: .reason)
    try values.encode(run.durationMS, forKey: .duration_ms)
    try values.encode(run.counts.passed, forKey: .passed)
    try values.encode(run.counts.failed, forKey: .failed)
    try values.encode(run.counts.skipped, forKey: .skipped)
    try values.encode(run.isComplete, forKey: .complete)
    try values.encode(run.isOfEverything, forKey: .everything)
    try values.encodeIfPresent(run.code.commit, forKey: .commit)
    try values.encodeIfPresent(run.code.branch, forKey: .branch)
    try values.encodeIfPresent(run.code.isClean, forKey: .clean)
    try values.encodeIfPresent(run.code.state, forKey: .code_state)
    try values.encode(run.code.isPatched, forKey: .patched)
    try values.encode(run.machine, forKey: .machine)
    try values.encodeIfPresent(run.environment.os, forKey: .os)
    try values.encodeIfPresent(run.environment.architecture, forKey: .architecture)
    try values.encode(run.environment.ci, forKey: .ci)
    try values.encode(run.environment.tools, forKey: .tools)
  }
}

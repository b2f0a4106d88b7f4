import FoundationEssentials
import ProctorModel

/// A line of Swift Testing's event stream, version 6.3 (version 0 has less).
struct SwiftTestingRecord: Decodable {
  struct Payload: Decodable {
    let kind: String
    // tests
    let id: String?
    let name: String?
    let displayName: String?
    let sourceLocation: Place?
    // events
    let testID: String?
    let instant: Instant?
    let issue: Issue?
    let messages: [Message]?
    let comments: [String]?
    let testCase: TestCase?

    private enum CodingKeys: String, CodingKey {
      case kind, id, name, displayName, sourceLocation, testID, instant, issue, messages
      case comments = "_comments"
      case testCase = "_testCase"
    }
  }

  struct Place: Decodable {
    let path: String?
    let filePath: String?
    let line: Int
    let column: Int

    private enum CodingKeys: String, CodingKey {
      case path = "_filePath"
      case filePath, line, column
    }

    var file: String? { filePath ?? path }
  }

  struct Instant: Decodable {
    let absolute: Double
  }

  struct Issue: Decodable {
    let isKnown: Bool
    let severity: String?
    let isFailure: Bool?
    let sourceLocation: Place?
  }

  struct Message: Decodable {
    let symbol: String
    let text: String
  }

  struct TestCase: Decodable {
    let displayName: String?
  }

  let kind: String
  let payload: Payload
}

/// The listing of a bundle's Swift Testing tests.
struct SwiftTestingListDecoder: EventDecoder {
  private let context: AdapterContext
  private var records: [SwiftTestingRecord.Payload] = []
  private var unreadable = false

  init(context: AdapterContext) { self.context = context }

  mutating func receive(_ chunk: OutputChunk) -> [TestEvent] {
    guard case .record(let data) = chunk else { return [] }
    guard let record = try? JSONDecoder().decode(SwiftTestingRecord.self, from: data) else {
      unreadable = true
      return []
    }
    if record.kind == "test", record.payload.kind == "function" { records.append(record.payload) }
    return []
  }

  mutating func finish(_ status: ExitStatus) -> [TestEvent] {
    if unreadable { return [.corrupt("a record of Swift Testing's listing cannot be read")] }
    // 69 says that there is no test at all.
    guard status.isSuccess || (status == .exited(69) && records.isEmpty) else { return [] }
    // Listed in the order of a hash table; by place the occurrences of duplicates are stable.
    let ordered = records.sorted {
      (
        $0.sourceLocation?.file ?? "", $0.sourceLocation?.line ?? 0, $0.sourceLocation?.column ?? 0,
        $0.id ?? ""
      )
        < (
          $1.sourceLocation?.file ?? "", $1.sourceLocation?.line ?? 0,
          $1.sourceLocation?.column ?? 0, $1.id ?? ""
        )
    }
    var seen: [String: Int] = [:]
    return ordered.map { payload in
      let fullName = Self.withoutPlace(payload.id ?? "")
      let occurrence = (seen[fullName] ?? 0) + 1
      seen[fullName] = occurrence
      return .listed(test(payload, fullName, occurrence))
    } + [.ended]
  }

  private func test(
    _ payload: SwiftTestingRecord.Payload, _ fullName: String, _ occurrence: Int
  ) -> TestCase {
    let name = payload.name ?? fullName
    let place = payload.sourceLocation
    return TestCase(
      id: TestID(project: context.project, fullName: fullName, occurrence: occurrence),
      project: context.project,
      suite: fullName.hasSuffix(name) ? String(fullName.dropLast(name.count + 1)) : fullName,
      name: name, fullName: fullName,
      definition: place.flatMap { place in
        place.file.map {
          SourceLocation(file: context.display($0), line: place.line, column: place.column)
        }
      }, product: SwiftPlan.Library.swiftTesting.rawValue, nativeID: payload.id ?? "")
  }

  /// `Kit.Suite/test()/File.swift:7:4` without the place, which changes with every edit.
  static func withoutPlace(_ id: String) -> String {
    guard let slash = id.lastIndex(of: "/") else { return id }
    let last = id[id.index(after: slash)...]
    return last.contains(".swift:") ? String(id[..<slash]) : id
  }
}

/// What Swift Testing reports while it runs.
struct SwiftTestingDecoder: EventDecoder {
  private struct Running {
    var begun: Double?
    var failures: [(arguments: String, failure: Failure)] = []
    var known: String?
    var cancelled: String?

    /// Cases run side by side and fail in any order: equal runs are told alike, each case's own failures as they came.
    var inOrder: [Failure] {
      failures.enumerated().sorted {
        ($0.element.arguments, $0.offset) < ($1.element.arguments, $1.offset)
      }.map(\.element.failure)
    }
  }

  private let context: AdapterContext
  private let cases: [String: TestCase]
  private var running: [String: Running] = [:]

  init(context: AdapterContext, cases: [TestCase]) {
    self.context = context
    self.cases = Dictionary(cases.map { ($0.nativeID, $0) }) { first, _ in first }
  }

  mutating func receive(_ chunk: OutputChunk) -> [TestEvent] {
    guard case .record(let data) = chunk else { return [] }
    guard let record = try? JSONDecoder().decode(SwiftTestingRecord.self, from: data) else {
      return [.corrupt("a record of Swift Testing's event stream cannot be read")]
    }
    return record.kind == "event" ? events(record.payload) : []
  }

  mutating func finish(_ status: ExitStatus) -> [TestEvent] { [] }

  private mutating func events(_ payload: SwiftTestingRecord.Payload) -> [TestEvent] {
    if payload.kind == "runEnded" { return [.ended] }
    let test = payload.testID.flatMap { cases[$0] }
    if payload.kind == "issueRecorded" { return issue(payload, test) }
    guard let id = payload.testID, let test else { return [] }
    switch payload.kind {
    case "testStarted":
      running[id] = Running(begun: payload.instant?.absolute)
      return [.started(test.id)]
    case "testSkipped":
      return [
        .finished(
          test.id, Attempt(outcome: .skipped, rawStatus: "skipped", note: payload.comments?.first))
      ]
    case "testCancelled":
      running[id, default: Running()].cancelled = payload.comments?.first ?? ""
      return []
    case "testEnded": return [.finished(test.id, attempt(payload, id))]
    default: return []
    }
  }

  private mutating func issue(
    _ payload: SwiftTestingRecord.Payload, _ test: TestCase?
  ) -> [TestEvent] {
    guard let issue = payload.issue else { return [] }
    let text = (payload.messages ?? []).map(\.text).joined(separator: "\n")
    if issue.isKnown {
      if let id = payload.testID { running[id, default: Running()].known = text }
      return []
    }
    // Warnings do not fail a test.
    guard issue.isFailure ?? (issue.severity != "warning") else { return [] }
    let place = location(issue, test)
    guard test != nil, let id = payload.testID else {
      return [
        .error(
          RunError(
            stage: .suite, adapter: context.project.adapter, message: text, location: place,
            suite: payload.testID))
      ]
    }
    let arguments = payload.testCase?.displayName.map { $0.isEmpty ? "" : "[\($0)] " } ?? ""
    running[id, default: Running()].failures.append(
      (arguments, Failure(message: arguments + text, location: place)))
    return []
  }

  /// A thrown error is reported at the test's own declaration: that is no place of failure.
  private func location(_ issue: SwiftTestingRecord.Issue, _ test: TestCase?) -> SourceLocation? {
    guard let place = issue.sourceLocation, let file = place.file else { return nil }
    let location = SourceLocation(
      file: context.display(file), line: place.line, column: place.column)
    return location == test?.definition ? nil : location
  }

  private mutating func attempt(_ payload: SwiftTestingRecord.Payload, _ id: String) -> Attempt {
    let state = running.removeValue(forKey: id) ?? Running()
    let duration = state.begun.flatMap { begun in
      payload.instant.map { ($0.absolute - begun) * 1000 }
    }
    let symbol = payload.messages?.first?.symbol
    if !state.failures.isEmpty || symbol == "fail" {
      return Attempt(
        outcome: .failed, rawStatus: "failed", durationMS: duration,
        failures: state.failures.isEmpty
          ? [Failure(message: payload.messages?.first?.text ?? "failed")] : state.inOrder)
    }
    if let reason = state.cancelled {
      return Attempt(
        outcome: .skipped, rawStatus: "cancelled", durationMS: duration, note: reason.nonEmpty)
    }
    if let known = state.known {
      return Attempt(outcome: .skipped, rawStatus: "known_issue", durationMS: duration, note: known)
    }
    return Attempt(outcome: .passed, rawStatus: "passed", durationMS: duration)
  }
}

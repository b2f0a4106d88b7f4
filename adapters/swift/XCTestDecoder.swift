import FoundationEssentials
import ProctorModel

/// The listing of a bundle's XCTest tests: nested JSON on stdout.
struct XCTestListDecoder: EventDecoder {
  private struct Node: Decodable {
    let name: String
    let tests: [Node]?
  }

  private let context: AdapterContext
  private var stdout = Data()

  init(context: AdapterContext) { self.context = context }

  mutating func receive(_ chunk: OutputChunk) -> [TestEvent] {
    if case .stdout(let bytes) = chunk { stdout.append(bytes) }
    return []
  }

  mutating func finish(_ status: ExitStatus) -> [TestEvent] {
    // Global initializers of the tests may have printed before it.
    let line = stdout.split(separator: UInt8(ascii: "\n")).last { $0.first == UInt8(ascii: "{") }
    guard status.isSuccess, let line,
      let root = try? JSONDecoder().decode(Node.self, from: Data(line))
    else { return [] }
    let index = XCTestSourceIndex(context: context)
    return leaves(root, in: "").map { .listed(test($0.suite, $0.name, index)) } + [.ended]
  }

  private func leaves(_ node: Node, in suite: String) -> [(suite: String, name: String)] {
    guard let tests = node.tests else { return [(suite, node.name)] }
    return tests.flatMap { leaves($0, in: node.name) }
  }

  private func test(_ suite: String, _ name: String, _ index: XCTestSourceIndex) -> TestCase {
    let fullName = "\(suite)/\(name)"
    return TestCase(
      id: TestID(project: context.project, fullName: fullName), project: context.project,
      suite: suite, name: name, fullName: fullName, definition: index.location(suite, name),
      product: SwiftPlan.Library.xctest.rawValue, nativeID: fullName)
  }
}

/// What the preloaded observer reports of XCTest.
struct XCTestDecoder: EventDecoder {
  private struct Record: Decodable {
    let event: String
    let test: String?
    let suite: String?
    let message: String?
    let file: String?
    let line: Int?
    let succeeded: Bool?
    let skipped: Bool?
    let seconds: Double?
  }

  private let context: AdapterContext
  private let ids: [String: TestID]
  private var failures: [String: [Failure]] = [:]
  private var output = XCTestOutput()
  /// Finished, waiting for the end of its output.
  private var waiting: [(id: TestID, record: Record, failures: [Failure])] = []

  init(context: AdapterContext, cases: [TestCase]) {
    self.context = context
    ids = Dictionary(cases.map { ($0.nativeID, $0.id) }) { first, _ in first }
  }

  mutating func receive(_ chunk: OutputChunk) -> [TestEvent] {
    switch chunk {
    case .record(let data):
      guard let record = try? JSONDecoder().decode(Record.self, from: data) else {
        return [.corrupt("a record of the XCTest observer cannot be read")]
      }
      return events(record)
    case .stdout(let bytes):
      output.receive(bytes)
      return flush(all: false)
    case .stderr: return []
    }
  }

  mutating func finish(_ status: ExitStatus) -> [TestEvent] { flush(all: true) }

  private mutating func events(_ record: Record) -> [TestEvent] {
    switch record.event {
    case "begin": return []
    case "end": return flush(all: true) + [.ended]
    case "suite_failure":
      return [
        .error(
          RunError(
            stage: .suite, adapter: context.project.adapter,
            message: record.message ?? "suite failed",
            location: location(record), suite: record.suite))
      ]
    default: break
    }
    guard let name = record.test, let id = ids[name] else {
      return [.corrupt("XCTest ran \(record.test ?? "a test"), which was not listed")]
    }
    switch record.event {
    case "start": return [.started(id)]
    case "failure":
      failures[name, default: []].append(
        Failure(message: record.message ?? "", location: location(record)))
      return []
    case "finish":
      waiting.append((id, record, failures.removeValue(forKey: name) ?? []))
      return flush(all: false)
    default: return [.corrupt("the XCTest observer sent an unknown record, \(record.event)")]
    }
  }

  /// A thrown error has `<EXPR>:0` for a place.
  private func location(_ record: Record) -> SourceLocation? {
    guard let file = record.file, file.hasPrefix("/"), let line = record.line, line > 0 else {
      return nil
    }
    return SourceLocation(file: context.display(file), line: line)
  }

  private mutating func flush(all: Bool) -> [TestEvent] {
    var result: [TestEvent] = []
    while let next = waiting.first, let text = output.take(all: all) {
      waiting.removeFirst()
      let own = text.without(next.failures, of: next.record.test ?? "")
      result.append(.finished(next.id, attempt(next.record, next.failures, own)))
    }
    return result
  }

  private func attempt(_ record: Record, _ failures: [Failure], _ text: XCTestOutput.Piece)
    -> Attempt
  {
    let duration = record.seconds.map { $0 * 1000 }
    // A set-up that throws reports a failure and a skip: the failure counts.
    if !failures.isEmpty || record.succeeded == false {
      return Attempt(
        outcome: .failed, rawStatus: "failed", durationMS: duration,
        failures: failures.isEmpty ? [Failure(message: "failed without a message")] : failures,
        stdout: text.stdout)
    }
    if record.skipped == true {
      return Attempt(
        outcome: .skipped, rawStatus: "skipped", durationMS: duration, note: text.skipReason,
        stdout: nil)
    }
    return Attempt(outcome: .passed, rawStatus: "passed", durationMS: duration, stdout: text.stdout)
  }
}

/// Cuts XCTest's stdout at its own lines about the beginning and the end of each test.
struct XCTestOutput {
  struct Piece {
    let stdout: CapturedText?
    let skipReason: String?

    /// The test's own output, without the lines in which XCTest reports the failures.
    /// - Parameter test: `Module.Class/method`.
    func without(_ failures: [Failure], of test: String) -> Piece {
      guard let stdout, !failures.isEmpty else { return self }
      let name = test.drop { $0 != "." }.dropFirst().map { $0 == "/" ? "." : String($0) }.joined()
      var text = stdout.text
      for failure in failures {
        guard let found = text.firstRange(of: "error: \(name) : \(failure.message)\n") else {
          continue
        }
        let start = text[..<found.lowerBound].lastIndex(of: "\n").map { text.index(after: $0) }
        text.removeSubrange((start ?? text.startIndex)..<found.upperBound)
      }
      return Piece(
        stdout: CapturedText(text: text, omittedBytes: stdout.omittedBytes).nonEmpty,
        skipReason: skipReason)
    }
  }

  private var line = Data()
  private var current: (name: String, text: Data, skipReason: String?)?
  private var pieces: [Piece] = []

  mutating func receive(_ bytes: Data) {
    line.append(bytes)
    while let end = line.firstIndex(of: UInt8(ascii: "\n")) {
      let whole = line[..<end]
      line = Data(line[line.index(after: end)...])
      take(whole)
    }
    // A line without end is kept as far as it can be shown.
    if line.count > CapturedText.perTestLimit * 4 {
      line = Data(line.suffix(CapturedText.perTestLimit))
    }
  }

  /// The next test's output; with `all`, an empty piece rather than none.
  mutating func take(all: Bool) -> Piece? {
    if !pieces.isEmpty { return pieces.removeFirst() }
    return all ? Piece(stdout: nil, skipReason: nil) : nil
  }

  private mutating func take(_ bytes: Data) {
    let mark = Data("Test Case '".utf8)
    if var test = current {
      let closing = Data("Test Case '\(test.name)' ".utf8)
      // Output without a line end stands before the closing words on their line.
      if let range = bytes.firstRange(of: closing), Self.isEnd(bytes[range.upperBound...]) {
        test.text.append(bytes[..<range.lowerBound])
        pieces.append(
          Piece(stdout: CapturedText(bytes: test.text).nonEmpty, skipReason: test.skipReason))
        current = nil
      } else if let range = bytes.firstRange(of: Data(" : Test skipped".utf8)) {
        let reason = String(decoding: bytes[range.upperBound...], as: UTF8.self)
        test.skipReason = String(reason.trimmingPrefix { " -:".contains($0) }).nonEmpty
        current = test
      } else {
        if test.text.count < CapturedText.perTestLimit * 16 {
          test.text.append(bytes)
          test.text.append(UInt8(ascii: "\n"))
        }
        current = test
      }
    } else if bytes.starts(with: mark), let end = bytes.firstRange(of: Data("' started at".utf8)) {
      current = (
        String(decoding: bytes[mark.count + bytes.startIndex..<end.lowerBound], as: UTF8.self),
        Data(), nil
      )
    }
  }

  private static func isEnd(_ rest: Data) -> Bool {
    ["passed (", "failed (", "skipped ("].contains { rest.starts(with: $0.utf8) }
  }
}

import FoundationEssentials
import ProctorModel

/// Understands the records of the runner and the reporter.
struct JestDecoder: EventDecoder {
  private struct Record: Decodable {
    struct Problem: Decodable {
      let message: String
      let place: Place?
      let frames: [Place]
    }

    struct Place: Decodable {
      let function: String?
      let file: String
      let line: Int
      let column: Int?
    }

    let event: String
    let path: String?
    let id: Int?
    let names: [String]?
    let key: String?
    let occurrence: Int?
    let line: Int?
    let column: Int?
    let status: String?
    let errors: [Problem]?
    let failing: Bool?
    /// Whether jest was made to forget the errors.
    let cleared: Bool?
    /// Whether proctor found it, and not jest.
    let own: Bool?
    let duration: Double?
    let stdout: String?
    let stderr: String?
    /// jest's number of the process.
    let worker: String?
    // reporter
    let tests: Int?
    let message: String?
    let stack: String?
    let text: String?
    let passed: Int?
    let failed: Int?
    let interrupted: Bool?
    let error: String?
  }

  private struct Key: Hashable {
    let path: String
    let id: Int
  }

  private let context: AdapterContext
  private let isListing: Bool
  private var tests: [Key: TestCase] = [:]
  private var passed = 0
  private var failed = 0
  private var begun = false
  private var workerLost = false
  private var stderr = Data()

  private static let stderrLimit = 256 * 1024

  init(context: AdapterContext, isListing: Bool) {
    self.context = context
    self.isListing = isListing
  }

  mutating func receive(_ chunk: OutputChunk) -> [TestEvent] {
    switch chunk {
    case .record(let data):
      guard let record = try? JSONDecoder().decode(Record.self, from: data) else {
        return [.corrupt("a record of the jest runner cannot be read")]
      }
      return events(record)
    case .stderr(let bytes):
      if !begun { stderr.append(bytes.prefix(max(0, Self.stderrLimit - stderr.count))) }
      return []
    case .stdout: return []
    }
  }

  mutating func finish(_ status: ExitStatus) -> [TestEvent] {
    guard !begun, case .exited(let code) = status, code != 0, !stderr.isEmpty else { return [] }
    // jest did not come to its first file: its configuration or the project's manifest is broken.
    let text = JestErrorText(
      message: String(decoding: stderr, as: UTF8.self), stack: "", context: context)
    return [
      .error(
        RunError(
          stage: .configuration, adapter: context.project.adapter, message: text.summary,
          location: text.location(in: nil) ?? text.namedFile)),
      .ended,
    ]
  }

  private mutating func events(_ record: Record) -> [TestEvent] {
    switch record.event {
    case "begin":
      begun = true
      return []
    case "file": return []
    case "test": return list(record)
    case "start": return test(record).map { [.started($0.id)] } ?? [unknown(record)]
    case "done": return done(record)
    case "file_error":
      // jest forgets the results of a file whose worker died; they were reported all the same.
      if record.message?.contains("jest worker process") == true { workerLost = true }
      return [.error(fileError(record))]
    case "end": return end(record)
    default: return [.corrupt("the jest runner sent an unknown record, \(record.event)")]
    }
  }

  private mutating func list(_ record: Record) -> [TestEvent] {
    guard let path = record.path, let id = record.id, let names = record.names, let key = record.key
    else {
      return [.corrupt("a record of the jest runner lacks its test")]
    }
    let file = context.display(path)
    let fullName = "\(localName(file)) > \(key)"
    let test = TestCase(
      id: TestID(project: context.project, fullName: fullName, occurrence: record.occurrence ?? 1),
      project: context.project,
      suite: ([localName(file)] + names.dropLast()).joined(separator: " > "),
      name: names.last ?? "", fullName: fullName,
      definition: SourceLocation(file: file, line: record.line, column: record.column), file: file,
      nativeID: key)
    tests[Key(path: path, id: id)] = test
    return [.listed(test)]
  }

  /// The file as seen from the project, so that ids do not repeat the project's folder.
  private func localName(_ file: String) -> String {
    let root = context.project.root
    return root != "." && file.hasPrefix(root + "/") ? String(file.dropFirst(root.count + 1)) : file
  }

  private func test(_ record: Record) -> TestCase? {
    guard let path = record.path, let id = record.id else { return nil }
    return tests[Key(path: path, id: id)]
  }

  private func unknown(_ record: Record) -> TestEvent {
    .corrupt("jest reported a test of \(record.path ?? "a file") that it had not listed")
  }

  private mutating func done(_ record: Record) -> [TestEvent] {
    guard let test = test(record) else { return [unknown(record)] }
    var attempt = attempt(record, test)
    attempt.worker = record.worker?.nonEmpty
    return [.finished(test.id, attempt)]
  }

  private mutating func attempt(_ record: Record, _ test: TestCase) -> Attempt {
    let errors = record.errors ?? []
    let stdout = record.stdout.map { CapturedText(text: $0) }
    let stderr = record.stderr.map { CapturedText(text: $0) }
    switch record.status {
    case "skipped", "todo":
      return Attempt(outcome: .skipped, rawStatus: record.status ?? "skipped")
    case _ where !errors.isEmpty:
      let isCleared = record.cleared == true
      if isCleared { passed += 1 } else { failed += 1 }
      return Attempt(
        outcome: .failed, rawStatus: isCleared ? "passed" : "failed", durationMS: record.duration,
        failures: errors.map { failure($0, test) },
        stdout: stdout, stderr: stderr)
    case _ where record.failing == true:
      passed += 1
      return Attempt(
        outcome: .skipped, rawStatus: "failing", durationMS: record.duration,
        note: "it fails, as test.failing expects")
    default:
      passed += 1
      return Attempt(
        outcome: .passed, rawStatus: "passed", durationMS: record.duration, stdout: stdout,
        stderr: stderr)
    }
  }

  private func failure(_ problem: Record.Problem, _ test: TestCase) -> Failure {
    let user = problem.frames.filter { context.isUserCode(context.display($0.file)) }
    let place =
      problem.place.flatMap { context.isUserCode(context.display($0.file)) ? $0 : nil }
      ?? user.first
    let location = place.map {
      SourceLocation(file: context.display($0.file), line: $0.line, column: $0.column)
    }
    return Failure(
      message: problem.message,
      // jest's own complaints carry the place of the test's declaration: nothing failed there.
      location: location == test.definition ? nil : location,
      frames: user.map {
        Frame(function: $0.function, file: context.display($0.file), line: $0.line)
      })
  }

  private func fileError(_ record: Record) -> RunError {
    let text = JestErrorText(
      message: record.message ?? "", stack: record.stack?.nonEmpty ?? record.text ?? "",
      context: context)
    let file = record.path.map { context.display($0) }
    // Tests that have results stand beside an error of a hook; without, the file never ran, or the
    // worker that ran it died.
    let isLost = record.message?.contains("jest worker process") == true
    let ran = (record.tests ?? 0) > 0 || isLost
    if record.own == true {
      return RunError(
        .replacedGlobal, adapter: context.project.adapter, message: text.summary, location: nil,
        suite: file.map(localName))
    }
    return RunError(
      stage: ran ? .suite : .collection, adapter: context.project.adapter,
      message: text.summary.isEmpty ? record.text ?? "the test file failed" : text.summary,
      location: text.location(in: file), suite: file.map(localName))
  }

  private func end(_ record: Record) -> [TestEvent] {
    if record.interrupted == true {
      return [.corrupt("jest was interrupted: \(record.error ?? "")")]
    }
    if let error = record.error { return [.corrupt("jest failed inside: \(error)")] }
    guard !isListing else { return [.ended] }
    guard workerLost || (record.passed == passed && record.failed == failed) else {
      let counts = "\(record.passed ?? 0) passed and \(record.failed ?? 0) failed"
      return [
        .corrupt("jest counts \(counts), its runner reported \(passed) and \(failed)"), .ended,
      ]
    }
    return [.ended]
  }
}

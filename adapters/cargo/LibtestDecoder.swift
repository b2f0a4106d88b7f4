import FoundationEssentials
import ProctorModel

/// Understands libtest's JSON, from the channel for test binaries and from stdout for documentation
/// tests.
struct LibtestDecoder: EventDecoder {
  private struct Record: Decodable {
    let type: String
    let event: String?
    let name: String?
    let ignore_message: String?
    let source_path: String?
    let start_line: Int?
    let exec_time: Double?
    let stdout: String?
    let message: String?
    let test_count: Int?
    let passed: Int?
    let failed: Int?
    let ignored: Int?
    let measured: Int?
    /// The system's number of a thread.
    let thread: Int?
  }

  private let context: AdapterContext
  private let product: Build.Product
  private let invocation: Invocation
  private let wanted: Set<TestID>?
  private var isDocumentation: Bool { product.name == CargoPlan.documentation }
  private var line = Data()
  /// Suites that began and did not end.
  private var open = 0
  private var suites = 0
  private var results = 0
  private var promised = 0
  private var foreignListing = false
  private var orphans = OrphanThreads()

  init(context: AdapterContext, product: Build.Product, invocation: Invocation) {
    self.context = context
    self.product = product
    self.invocation = invocation
    wanted = invocation.cases.map { Set($0.map(\.id)) }
  }

  mutating func receive(_ chunk: OutputChunk) -> [TestEvent] {
    switch chunk {
    case .record(let data): return events(data)
    case .stdout(let bytes) where isDocumentation:
      line.append(bytes)
      var result: [TestEvent] = []
      while let end = line.firstIndex(of: UInt8(ascii: "\n")) {
        let whole = Data(line[..<end])
        line = Data(line[line.index(after: end)...])
        if whole.firstRange(of: Self.beginning) != nil { result += events(whole) }
      }
      return result
    case .stdout, .stderr: return []
    }
  }

  mutating func finish(_ status: ExitStatus) -> [TestEvent] {
    if invocation.purpose == .list && !isDocumentation && (foreignListing || suites == 0) {
      // harness = false: a program, which is one test. Anything else should have listed itself.
      return product.details["harness"] == "false" ? [.listed(customTest()), .ended] : []
    }
    guard isDocumentation, open == 0 else { return [] }
    if invocation.purpose == .run && results != promised {
      return [.corrupt("\(promised) documentation tests were announced and \(results) reported")]
    }
    switch status {
    case .exited(0): return [.ended]
    // 101 says that a documentation test failed, or that rustdoc or cargo did.
    case .exited(101) where suites > 0: return [.ended]
    case .exited, .signaled: return []
    }
  }

  /// Where a record begins. What a test wrote to Rust's stdout without a line end stands before it: the
  /// buffer is shared. Inside a record's texts the quotes are escaped, so the last one is the record's.
  private static let beginning = Data(#"{ "type": ""#.utf8)

  private mutating func events(_ line: Data) -> [TestEvent] {
    let start = line.ranges(of: Self.beginning).last?.lowerBound ?? line.startIndex
    guard let record = try? JSONDecoder().decode(Record.self, from: Data(line[start...])) else {
      if invocation.purpose == .list {
        foreignListing = true
        return []
      }
      return [.corrupt("a line of libtest's report cannot be read")]
    }
    switch (record.type, record.event) {
    case ("suite", "discovery"?):
      (open, suites) = (open + 1, suites + 1)
      return []
    case ("suite", "completed"?): return endOfSuite()
    case ("suite", "started"?):
      (open, suites) = (open + 1, suites + 1)
      promised += record.test_count ?? 0
      return []
    case ("suite", "ok"?), ("suite", "failed"?):
      if !isDocumentation && results != promised {
        return [.corrupt("\(promised) tests were announced and \(results) reported")] + endOfSuite()
      }
      return endOfSuite()
    case ("test", "discovered"?): return record.name.map { [.listed(test($0, record))] } ?? []
    case ("test", "started"?): return started(record)
    case ("test", "ok"?), ("test", "failed"?), ("test", "ignored"?): return result(record)
    // A slow test, a benchmark, rustdoc's closing figures.
    case ("test", "timeout"?), ("bench", _), ("report", _): return []
    case ("thread", "orphan"?):
      record.thread.map { orphans.add($0) }
      return []
    default:
      return [.corrupt("libtest reported an unknown event, \(record.type) \(record.event ?? "")")]
    }
  }

  private mutating func endOfSuite() -> [TestEvent] {
    open -= 1
    // cargo test --doc writes one suite for each crate and edition; their end is the process's.
    return isDocumentation ? [] : orphans.errors(context).map(TestEvent.error) + [.ended]
  }

  private func started(_ record: Record) -> [TestEvent] {
    guard let name = record.name else { return [] }
    let test = test(name, record)
    if wanted?.contains(test.id) == false { return [] }
    return (invocation.listsItself ? [.listed(test)] : []) + [.started(test.id)]
  }

  private mutating func result(_ record: Record) -> [TestEvent] {
    guard let name = record.name else { return [] }
    results += 1
    let test = test(name, record)
    if wanted?.contains(test.id) == false {
      return isDocumentation ? [] : [.corrupt("libtest ran \(name), which was not selected")]
    }
    orphans.look(into: record.stdout ?? "", of: test, context)
    return [.finished(test.id, attempt(record, name))]
  }

  // MARK: tests

  private func test(_ name: String, _ record: Record) -> TestCase {
    if isDocumentation { return documentationTest(name) }
    let fullName = "\(product.name)::\(name)"
    let file = record.source_path.flatMap { $0.isEmpty ? nil : context.display($0) }
    return TestCase(
      id: TestID(project: context.project, fullName: fullName), project: context.project,
      suite: product.name, name: name, fullName: fullName,
      definition: file.map { SourceLocation(file: $0, line: record.start_line) },
      product: product.name, nativeID: name)
  }

  /// `src/lib.rs - f (line 7)`: the file is relative to the Cargo workspace, the line is the fence's.
  private func documentationTest(_ name: String) -> TestCase {
    let file = name.firstRange(of: " - ").map { context.display(String(name[..<$0.lowerBound])) }
    let line = name.ranges(of: "(line ").last.flatMap {
      Int(name[$0.upperBound...].prefix { $0.isNumber })
    }
    let fullName = "\(CargoPlan.documentation)::\(name)"
    return TestCase(
      id: TestID(project: context.project, fullName: fullName), project: context.project,
      suite: CargoPlan.documentation, name: name, fullName: fullName,
      definition: file.map { SourceLocation(file: $0, line: line) }, product: product.name,
      nativeID: name)
  }

  private func customTest() -> TestCase {
    TestCase(
      id: TestID(project: context.project, fullName: product.name), project: context.project,
      suite: product.name, name: Self.lastPart(product.name), fullName: product.name,
      file: product.details["source"], product: product.name, nativeID: "")
  }

  private static func lastPart(_ name: String) -> String {
    name.split(separator: "/").last.map(String.init) ?? name
  }

  // MARK: results

  private func attempt(_ record: Record, _ name: String) -> Attempt {
    let stdout = record.stdout.map { CapturedText(bytes: Array($0.utf8)) }?.nonEmpty
    let duration = record.exec_time.map { $0 * 1000 }
    switch record.event {
    case "ok":
      return Attempt(outcome: .passed, rawStatus: "ok", durationMS: duration, stdout: stdout)
    case "ignored":
      return Attempt(
        outcome: .skipped, rawStatus: "ignored",
        note: (record.message ?? record.ignore_message).flatMap { $0.isEmpty ? nil : $0 })
    default:
      let panic = RustPanic(output: record.stdout ?? "", test: name, context: context)
      let failure =
        isDocumentation ? panic.documentationFailure() : panic.failure(note: record.message)
      return Attempt(
        outcome: .failed, rawStatus: "failed", durationMS: duration, failures: [failure],
        stdout: stdout)
    }
  }
}

/// A target with `harness = false`, judged by its exit status.
struct CustomHarnessDecoder: EventDecoder {
  let cases: [TestCase]
  private var output = Data()
  private var omitted = 0

  init(cases: [TestCase]) { self.cases = cases }

  mutating func receive(_ chunk: OutputChunk) -> [TestEvent] {
    guard case .stdout(let bytes) = chunk else { return [] }
    output.append(bytes.prefix(max(0, CapturedText.perTestLimit - output.count)))
    return []
  }

  mutating func finish(_ status: ExitStatus) -> [TestEvent] {
    guard let test = cases.first, case .exited(let code) = status, status.impliedSignal == nil
    else {
      return cases.map { .started($0.id) }
    }
    let passed = code == 0
    let attempt = Attempt(
      outcome: passed ? .passed : .failed, rawStatus: "exit status \(code)",
      failures: passed ? [] : [Failure(message: "the test program ended with exit status \(code)")],
      stdout: CapturedText(bytes: output).nonEmpty)
    return [.started(test.id), .finished(test.id, attempt), .ended]
  }
}

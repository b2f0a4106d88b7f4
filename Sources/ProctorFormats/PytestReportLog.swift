public import FoundationEssentials
import ProctorModel

/// Reads what the plug-in pytest-reportlog writes (0.1 to 1.0), one record a line.
///
/// A test is up to three records, of its set-up, its call and its tear-down; without the record of the
/// session's end the file is cut.
public enum PytestReportLog {
  /// A test of which records came, but not yet that of its tear-down.
  fileprivate struct Open {
    var durationMS = 0.0
    var word = "passed"
    var outcome = Outcome.passed
    var note: String?
    var failures: [Failure] = []
    var stdout: [String] = []
    var stderr: [String] = []
    var definition: SourceLocation?
  }

  fileprivate struct Reader {
    var notes = ReadingNotes()
    var open: [String: Open] = [:]
    var failed = 0
    var isOver = false
  }

  public static func decode(
    _ pieces: some Sequence<Data>, into sink: some CaseSink
  ) -> ReportReading {
    var reader = Reader()
    let tooLong = LineSplitter.split(pieces) { line, isLast in
      guard !line.allSatisfy({ $0 <= 0x20 }) else { return }
      let (tree, problem, _) = JSONTreeReader.read(line)
      if isLast || problem != .cut {
        reader.notes.add(problem, in: isLast ? "the last line" : "a line")
      } else {
        reader.notes.breaks(.malformed, "a line is no JSON")
      }
      if problem == nil, let tree { reader.take(tree, sink) }
    }
    if tooLong > 0 { reader.notes.breaks(.refused, "\(tooLong) lines are too long") }
    return reader.finish(sink)
  }
}

extension PytestReportLog.Reader {
  fileprivate mutating func take(_ record: JSONTree, _ sink: some CaseSink) {
    switch record["$report_type"]?.text {
    case "SessionStart": notes.tool = record["pytest_version"]?.text.map { "pytest \($0)" }
    case "CollectReport":
      if record["outcome"]?.text == "failed" {
        notes.add(PytestNode.error(record["nodeid"]?.text, record["longrepr"]))
      }
    case "TestReport": test(record, sink)
    case "SessionFinish":
      isOver = true
      if let exit = record["exitstatus"]?.count {
        PytestNode.judge(exit: exit, failed: failed, &notes)
      }
    default: break
    }
  }

  private mutating func test(_ record: JSONTree, _ sink: some CaseSink) {
    let id = record["nodeid"]?.text ?? ""
    var test = open.removeValue(forKey: id) ?? PytestReportLog.Open()
    test.add(record)
    if record["when"]?.text == "teardown" { give(id, test, sink) } else { open[id] = test }
  }

  private mutating func give(_ id: String, _ test: PytestReportLog.Open, _ sink: some CaseSink) {
    let node = PytestNode(id)
    if test.outcome.countsAsFailed { failed += 1 }
    let found = ReportedCase(
      suites: node.suites, classname: nil, name: notes.name(node.name),
      definition: test.definition, attempts: [test.attempt])
    notes.give(found, to: sink)
  }

  fileprivate mutating func finish(_ sink: some CaseSink) -> ReportReading {
    if !isOver { notes.breaks(.truncated, "the record of the session's end is missing") }
    for (id, var test) in open.sorted(by: { $0.key < $1.key }) {
      // What passed so far might have failed in tear-down.
      if !test.outcome.countsAsFailed {
        test.outcome = .crashed
        test.word = "unfinished"
        test.failures = [Failure(message: "the report says nothing about its end")]
      }
      give(id, test, sink)
    }
    return notes.reading
  }
}

extension PytestReportLog.Open {
  fileprivate mutating func add(_ record: JSONTree) {
    let stage = record["when"]?.text ?? "call"
    durationMS += (record["duration"]?.number ?? 0) * 1000
    if let place = record["location"]?.array, place.count > 1, let file = place[0].text {
      definition = SourceLocation(file: file, line: place[1].line.map { $0 + 1 })
    }
    if stage == "teardown" || record["outcome"]?.text == "failed" { output(record) }
    switch record["outcome"]?.text {
    case "failed":
      outcome = outcome == .failed || stage == "call" ? .failed : .errored
      word = outcome == .failed ? "failed" : "error"
      failures.append(Self.failure(record["longrepr"]))
    case "skipped":
      guard !outcome.countsAsFailed else { return }
      outcome = .skipped
      let expected = record["wasxfail"]?.string
      word = expected == nil ? "skipped" : "xfail"
      note = expected.flatMap { $0.isEmpty ? nil : $0 } ?? record["longrepr"]?.array?.last?.text
    case "passed" where record["wasxfail"] != nil && outcome == .passed: word = "xpass"
    case "rerun": break
    default: break
    }
  }

  /// Each record repeats what the earlier ones of its test printed.
  private mutating func output(_ record: JSONTree) {
    let sections = (record["sections"]?.array ?? []).compactMap(\.array).filter { $0.count == 2 }
    func of(_ stream: String) -> [String] {
      sections.filter { $0[0].text?.hasPrefix("Captured \(stream)") == true }.compactMap {
        $0[1].text
      }
    }
    (stdout, stderr) = (of("stdout"), of("stderr"))
  }

  private static func failure(_ text: JSONTree?) -> Failure {
    if let plain = text?.text { return Failure(message: boundedMessage(plain)) }
    let crash = text?["reprcrash"]
    let entries = text?["reprtraceback"]?["reprentries"]?.array ?? []
    let trace = entries.compactMap { $0["data"] }.map { entry in
      let lines = (entry["lines"]?.array ?? []).compactMap(\.string).joined(separator: "\n")
      let place = entry["reprfileloc"]
      let path = place?["path"]?.text.map { path in
        "\(path):\(place?["lineno"]?.line ?? 0): \(place?["message"]?.text ?? "")"
      }
      return joined([lines, path])
    }
    return Failure(
      message: boundedMessage(joined([joined(trace)]) ?? crash?["message"]?.text ?? "failed"),
      location: crash?["path"]?.text.map {
        SourceLocation(file: $0, line: crash?["lineno"]?.line)
      })
  }

  fileprivate var attempt: Attempt {
    Attempt(
      outcome: outcome, rawStatus: word, durationMS: durationMS, failures: failures, note: note,
      stdout: captured(joined(stdout)), stderr: captured(joined(stderr)))
  }
}

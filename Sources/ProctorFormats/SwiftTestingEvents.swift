public import FoundationEssentials
import ProctorModel

/// Reads Swift Testing's event stream (`--event-stream-output-path`, versions 0 and 6.3), one record a line.
public enum SwiftTestingEvents {
  fileprivate struct Test {
    let suites: [String]
    let name: String
    let definition: SourceLocation?
    var begun: Double?
    var failures: [Failure] = []
    var known: String?
    var isRunning = false
  }

  fileprivate struct Reader {
    var notes = ReadingNotes()
    var tests: [String: Test] = [:]
    var isOver = false
  }

  public static func decode(
    _ pieces: some Sequence<Data>, into sink: some CaseSink
  ) -> ReportReading {
    var reader = Reader()
    let tooLong = LineSplitter.split(pieces) { line, isLast in
      guard !line.allSatisfy({ $0 <= 0x20 }) else { return }
      let (tree, problem, _) = JSONTreeReader.read(line)
      reader.notes.add(problem, in: isLast ? "the last line" : "a line")
      guard problem == nil, let payload = tree?["payload"] else { return }
      switch tree?["kind"]?.text {
      case "test": reader.test(payload)
      case "event": reader.event(payload, sink)
      default: break
      }
    }
    if tooLong > 0 { reader.notes.breaks(.refused, "\(tooLong) lines are too long") }
    return reader.finish(sink)
  }
}

extension SwiftTestingEvents.Reader {
  fileprivate mutating func test(_ payload: JSONTree) {
    guard payload["kind"]?.text == "function", let id = payload["id"]?.text else { return }
    let name = payload["name"]?.text
    // `Kit.Suite/test()/File.swift:7:4`: the place changes with every edit.
    var parts = id.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    if parts.count > 1, parts.last?.contains(".swift:") == true { parts.removeLast() }
    if let name, let last = parts.popLast(), last != name {
      // A function outside of suites: `Kit.test()`.
      parts.append(last.hasSuffix("." + name) ? String(last.dropLast(name.count + 1)) : last)
    }
    tests[id] = SwiftTestingEvents.Test(
      suites: parts, name: notes.name(name), definition: Self.place(payload["sourceLocation"]))
  }

  private static func place(_ place: JSONTree?) -> SourceLocation? {
    guard let place else { return nil }
    let file = place["filePath"]?.text ?? place["_filePath"]?.text ?? place["fileID"]?.text
    return file.map {
      SourceLocation(file: $0, line: place["line"]?.line, column: place["column"]?.line)
    }
  }

  fileprivate mutating func event(_ payload: JSONTree, _ sink: some CaseSink) {
    let id = payload["testID"]?.text ?? ""
    switch payload["kind"]?.text {
    case "runEnded": isOver = true
    case "testStarted":
      tests[id]?.begun = payload["instant"]?["absolute"]?.number
      tests[id]?.isRunning = true
    case "issueRecorded": issue(payload, id)
    case "testSkipped":
      guard let test = tests.removeValue(forKey: id) else { return }
      let note = payload["_comments"]?.array?.first?.text ?? payload["comments"]?.array?.first?.text
      give(test, Attempt(outcome: .skipped, rawStatus: "skipped", note: note), sink)
    case "testEnded":
      guard let test = tests.removeValue(forKey: id) else { return }
      give(test, attempt(payload, test), sink)
    default: break
    }
  }

  private mutating func issue(_ payload: JSONTree, _ id: String) {
    let issue = payload["issue"]
    let text = joined((payload["messages"]?.array ?? []).map { $0["text"]?.text }) ?? "an issue"
    if issue?["isKnown"]?.bool == true {
      tests[id]?.known = text
      return
    }
    // Warnings do not fail a test.
    guard issue?["isFailure"]?.bool ?? (issue?["severity"]?.text != "warning") else { return }
    let place = Self.place(issue?["sourceLocation"])
    guard let test = tests[id] else {
      return notes.add(
        RunError(
          stage: .suite, adapter: nil, message: boundedMessage(text), location: place,
          suite: id.isEmpty ? nil : id))
    }
    // A thrown error is reported at the test's own declaration: that is no place of failure.
    tests[id]?.failures.append(
      Failure(message: boundedMessage(text), location: place == test.definition ? nil : place))
  }

  private func attempt(_ payload: JSONTree, _ test: SwiftTestingEvents.Test) -> Attempt {
    let end = payload["instant"]?["absolute"]?.number
    let duration = test.begun.flatMap { begun in end.map { ($0 - begun) * 1000 } }
    let hasFailed = payload["messages"]?.array?.first?["symbol"]?.text == "fail"
    if !test.failures.isEmpty || hasFailed {
      let text = payload["messages"]?.array?.first?["text"]?.text ?? "failed"
      return Attempt(
        outcome: .failed, rawStatus: "failed", durationMS: duration,
        failures: test.failures.isEmpty ? [Failure(message: text)] : test.failures)
    }
    if let known = test.known {
      return Attempt(outcome: .skipped, rawStatus: "known_issue", durationMS: duration, note: known)
    }
    return Attempt(outcome: .passed, rawStatus: "passed", durationMS: duration)
  }

  private mutating func give(
    _ test: SwiftTestingEvents.Test, _ attempt: Attempt, _ sink: some CaseSink
  ) {
    notes.give(
      ReportedCase(
        suites: test.suites, classname: nil, name: test.name, definition: test.definition,
        attempts: [attempt]), to: sink)
  }

  fileprivate mutating func finish(_ sink: some CaseSink) -> ReportReading {
    let unfinished = tests.filter { $0.value.isRunning }.sorted { $0.key < $1.key }
    if !isOver {
      notes.breaks(.truncated, "the record of the run's end is missing")
    } else if !unfinished.isEmpty {
      notes.breaks(.malformed, "\(unfinished.count) tests began and have no end")
    }
    for (_, test) in unfinished {
      let text = "the report says nothing about its end"
      give(
        test,
        Attempt(
          outcome: .crashed, rawStatus: "unfinished",
          failures: test.failures + [Failure(message: text)]),
        sink)
    }
    return notes.reading
  }
}

public import FoundationEssentials
import ProctorModel

/// Reads what the plug-in pytest-json-report writes (1.1 to 1.5).
public enum PytestJSONReport {
  public static func decode(_ data: Data, into sink: some CaseSink) -> ReportReading {
    var notes = ReadingNotes()
    let (tree, problem, _) = JSONTreeReader.read(data)
    notes.add(problem, in: "the report")
    guard let tree, let exit = tree["exitcode"]?.count else {
      notes.breaks(.malformed, "it has no \"exitcode\"")
      return notes.reading
    }
    notes.tool = tree["environment"]?["Packages"]?["pytest"]?.text.map { "pytest \($0)" }
    var failed = 0
    for test in tree["tests"]?.array ?? [] {
      let found = reported(test, &notes)
      failed += found.outcome.countsAsFailed ? 1 : 0
      notes.give(found, to: sink)
    }
    for collector in tree["collectors"]?.array ?? []
    where collector["outcome"]?.text == "failed" {
      notes.add(PytestNode.error(collector["nodeid"]?.text, collector["longrepr"]))
    }
    let summary = tree["summary"]
    // A test that fails twice, itself and in tear-down, is one row.
    let wrong = [summary?["failed"]?.count, summary?["error"]?.count].compactMap(\.self)
    notes.compare([
      ("tests", summary?["total"]?.count, notes.cases),
      ("failed", wrong.isEmpty ? nil : wrong.reduce(0, +), failed),
    ])
    PytestNode.judge(exit: exit, failed: failed, &notes)
    return notes.reading
  }

  private static func reported(_ test: JSONTree, _ notes: inout ReadingNotes) -> ReportedCase {
    let node = PytestNode(test["nodeid"]?.text)
    let line = test["lineno"]?.line.map { $0 + 1 }
    return ReportedCase(
      suites: node.suites, classname: nil, name: notes.name(node.name),
      definition: node.file.map { SourceLocation(file: $0, line: line) }, attempts: [attempt(test)])
  }

  private static func attempt(_ test: JSONTree) -> Attempt {
    let word = test["outcome"]?.text ?? "without outcome"
    let stages = ["setup", "call", "teardown"].compactMap { test[$0] }
    let duration = stages.compactMap { $0["duration"]?.number }.reduce(0, +) * 1000
    let stdout = captured(joined(stages.map { $0["stdout"]?.text }))
    let stderr = captured(joined(stages.map { $0["stderr"]?.text }))
    let broken = stages.filter { $0["outcome"]?.text == "failed" }
    let reason = stages.lazy.compactMap { $0["longrepr"]?.text }.first
    let time = stages.isEmpty ? nil : duration
    switch word {
    case "passed":
      return Attempt(
        outcome: .passed, rawStatus: word, durationMS: time, stdout: stdout, stderr: stderr)
    case "skipped", "xfailed", "deselected":
      return Attempt(
        outcome: .skipped, rawStatus: word == "xfailed" ? "xfail" : word, durationMS: time,
        note: word == "xfailed" ? nil : reason.map(skipReason))
    case "xpassed":
      // Only a strict one would have failed, and then its outcome says so.
      return Attempt(outcome: .passed, rawStatus: "xpass", durationMS: time)
    default:
      let failures = broken.map(failure)
      return Attempt(
        outcome: word == "failed" ? .failed : .errored, rawStatus: word, durationMS: time,
        failures: failures.isEmpty ? [Failure(message: reason ?? word)] : failures,
        stdout: stdout, stderr: stderr)
    }
  }

  /// A skip is a tuple of Python's: `('tests/test_a.py', 3, 'Skipped: not now')`.
  private static func skipReason(_ text: String) -> String {
    guard text.hasPrefix("('"), text.hasSuffix("')"), let mark = text.ranges(of: ", '").last else {
      return text
    }
    return String(text[mark.upperBound...].dropLast(2))
  }

  private static func failure(_ stage: JSONTree) -> Failure {
    let crash = stage["crash"]
    let message = joined([stage["longrepr"]?.text]) ?? crash?["message"]?.text ?? "failed"
    return Failure(
      message: boundedMessage(message),
      location: crash?["path"]?.text.map { SourceLocation(file: $0, line: crash?["lineno"]?.line) })
  }
}

/// A name of pytest's: `tests/test_a.py::TestB::test_c[1]`.
struct PytestNode {
  let suites: [String]
  let name: String?
  let file: String?

  init(_ id: String?) {
    guard let id, !id.isEmpty else {
      (suites, name, file) = ([], nil, nil)
      return
    }
    // What stands in brackets may hold anything.
    let plain = id.prefix { $0 != "[" }
    var parts: [String] = []
    var rest = plain
    while let mark = rest.firstRange(of: "::") {
      parts.append(String(rest[..<mark.lowerBound]))
      rest = rest[mark.upperBound...]
    }
    name = String(rest + id.dropFirst(plain.count))
    suites = parts
    file = parts.first
  }

  static func error(_ node: String?, _ text: JSONTree?) -> RunError {
    let message = text?.text ?? text?["longrepr"]?.text ?? "the file could not be collected"
    let file = PytestNode(node).file ?? node
    return RunError(
      stage: .collection, adapter: nil, message: boundedMessage(message),
      location: file.map { SourceLocation(file: $0) }, suite: node)
  }

  /// pytest's exit status: 0 all passed, 1 some failed, 2 interrupted, 3 internal error, 4 wrong usage, 5 none.
  static func judge(exit: Int, failed: Int, _ notes: inout ReadingNotes) {
    switch exit {
    case 0 where failed > 0:
      notes.add(.countsDisagree, "pytest ended with 0, but \(failed) tests failed")
    case 1 where failed == 0 && notes.reading.errors.isEmpty:
      notes.add(
        RunError(
          stage: .suite, adapter: nil,
          message: "pytest ended with 1, and no test of the report failed"))
    case 2 where notes.reading.errors.isEmpty:
      notes.breaks(.truncated, "pytest was interrupted (exit status 2)")
    case 3: notes.breaks(.malformed, "pytest had an internal error (exit status 3)")
    case 4: notes.breaks(.malformed, "pytest was used wrongly (exit status 4)")
    case 0, 1, 2, 5: break
    default: notes.breaks(.truncated, "pytest ended with status \(exit)")
    }
  }
}

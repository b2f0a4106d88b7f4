public import FoundationEssentials
import ProctorModel

/// Reads what `jest --json` writes (jest 22 to 30), and Vitest's `json` reporter after it.
///
/// A file whose tests did not start, because it does not parse or import, is an error outside tests.
public enum JestJSON {
  public static func decode(_ data: Data, into sink: some CaseSink) -> ReportReading {
    var notes = ReadingNotes()
    let (tree, problem, _) = JSONTreeReader.read(data)
    notes.add(problem, in: "the report")
    guard let tree, let files = tree["testResults"]?.array else {
      notes.breaks(.malformed, "it has no list \"testResults\"")
      return notes.reading
    }
    var counts: [Outcome: Int] = [:]
    for file in files { read(file, &counts, &notes, sink) }
    let failed = counts.reduce(0) { $0 + ($1.key.countsAsFailed ? $1.value : 0) }
    notes.compare([
      ("tests", tree["numTotalTests"]?.count, notes.cases),
      ("failed", tree["numFailedTests"]?.count, failed),
      ("passed", tree["numPassedTests"]?.count, counts[.passed] ?? 0),
    ])
    if tree["wasInterrupted"]?.bool == true {
      notes.breaks(.truncated, "the run was interrupted")
    }
    let isRed = failed > 0 || !notes.reading.errors.isEmpty
    if tree["success"]?.bool == false, !isRed, tree["numTotalTests"]?.count != 0 {
      notes.add(
        RunError(
          stage: .suite, adapter: nil,
          message: "the run failed, and no test or file of the report says why"))
    }
    return notes.reading
  }

  private static func read(
    _ file: JSONTree, _ counts: inout [Outcome: Int], _ notes: inout ReadingNotes,
    _ sink: some CaseSink
  ) {
    let path = file["name"]?.text
    let tests = file["assertionResults"]?.array ?? []
    for test in tests {
      let found = reported(test, in: path, &notes)
      counts[found.outcome, default: 0] += 1
      notes.give(found, to: sink)
    }
    let hasFailed = tests.contains { $0["status"]?.text == "failed" }
    guard file["status"]?.text == "failed", !hasFailed else { return }
    let message = file["message"]?.text ?? file["failureMessage"]?.text
    notes.add(
      RunError(
        stage: tests.isEmpty ? .collection : .suite, adapter: nil,
        message: boundedMessage((message ?? "the file failed").withoutTerminalCodes),
        location: path.map { SourceLocation(file: $0) }, suite: path))
  }

  private static func reported(
    _ test: JSONTree, in path: String?, _ notes: inout ReadingNotes
  ) -> ReportedCase {
    let suites = (test["ancestorTitles"]?.array ?? []).compactMap(\.text)
    let line = test["location"]?["line"]?.line
    return ReportedCase(
      suites: [path].compactMap(\.self) + suites, classname: nil,
      name: notes.name(test["title"]?.string ?? test["fullName"]?.string),
      definition: path.map { SourceLocation(file: $0, line: line) }, attempts: attempts(test))
  }

  private static func attempts(_ test: JSONTree) -> [Attempt] {
    let earlier = (test["retryReasons"]?.array ?? []).compactMap(\.text).map { reason in
      Attempt(
        outcome: .failed, rawStatus: "failed",
        failures: [Failure(message: boundedMessage(reason.withoutTerminalCodes))])
    }
    let word = test["status"]?.text ?? "without status"
    let duration = test["duration"]?.number
    switch word {
    case "passed":
      return earlier + [Attempt(outcome: .passed, rawStatus: word, durationMS: duration)]
    case "skipped", "pending", "todo", "disabled":
      return earlier + [Attempt(outcome: .skipped, rawStatus: word)]
    default:
      let messages = (test["failureMessages"]?.array ?? []).compactMap(\.text)
      let failures = messages.map { Failure(message: boundedMessage($0.withoutTerminalCodes)) }
      return earlier + [
        Attempt(
          outcome: word == "failed" ? .failed : .errored, rawStatus: word, durationMS: duration,
          failures: failures.isEmpty ? [Failure(message: word)] : failures)
      ]
    }
  }
}

public import FoundationEssentials
import ProctorModel

/// Reads the Common Test Report Format (ctrf.io, specVersion 0.0.0 and later).
///
/// Its own summary must fit its tests, and `environment.healthy` false, or an `extra` error, makes the
/// file one that no green verdict may rest on.
public enum CTRF {
  public static func decode(_ data: Data) -> (cases: [ReportedCase], reading: ReportReading) {
    var cases: [ReportedCase] = []
    let reading = decode(data, into: EachCase { cases.append($0) })
    return (cases, reading)
  }

  public static func decode(_ data: Data, into sink: some CaseSink) -> ReportReading {
    var notes = ReadingNotes()
    let (tree, problem, _) = JSONTreeReader.read(data)
    notes.add(problem, in: "the report")
    guard let results = tree?["results"], let tests = results["tests"]?.array else {
      notes.breaks(.malformed, "no CTRF document: the list results.tests is missing")
      return notes.reading
    }
    notes.tool = joined([results["tool"]?["name"]?.text])
      .map { [$0, results["tool"]?["version"]?.text].compactMap(\.self).joined(separator: " ") }
    var (passed, failed) = (0, 0)
    for test in tests {
      passed += test["status"]?.text == "passed" ? 1 : 0
      failed += test["status"]?.text == "failed" ? 1 : 0
      notes.give(reported(test, &notes), to: sink)
    }
    if let summary = results["summary"] {
      notes.compare([
        ("tests", summary["tests"]?.count, tests.count),
        ("passed", summary["passed"]?.count, passed),
        ("failed", summary["failed"]?.count, failed),
      ])
    } else if problem == nil {
      notes.breaks(.malformed, "no CTRF document: the summary is missing")
    }
    if results["environment"]?["healthy"]?.bool == false {
      notes.breaks(.malformed, "the report says its environment was unhealthy")
    }
    return notes.reading
  }

  private static func reported(_ test: JSONTree, _ notes: inout ReadingNotes) -> ReportedCase {
    // A text in early versions, a list of the names around the test in later ones.
    let suites =
      test["suite"]?.array?.compactMap(\.text) ?? [test["suite"]?.text].compactMap(\.self)
    return ReportedCase(
      suites: suites, classname: nil, name: notes.name(test["name"]?.string),
      definition: test["filePath"]?.text.map {
        SourceLocation(file: $0, line: test["line"]?.line)
      },
      attempts: (test["retryAttempts"]?.array ?? []).map { attempt($0) } + [attempt(test)])
  }

  private static func attempt(_ test: JSONTree) -> Attempt {
    let status = test["status"]?.text ?? "without status"
    let raw = test["rawStatus"]?.text ?? status
    let duration = test["duration"]?.number
    let (stdout, stderr) = (output(test["stdout"]), output(test["stderr"]))
    switch status {
    case "passed":
      return Attempt(
        outcome: .passed, rawStatus: raw, durationMS: duration, stdout: stdout, stderr: stderr)
    case "skipped", "pending":
      return Attempt(outcome: .skipped, rawStatus: raw, note: test["message"]?.text)
    default:
      // "failed", and "other", which says neither: what is not known to have passed has not.
      let message = joined([test["message"]?.text, test["trace"]?.text]) ?? raw
      return Attempt(
        outcome: status == "failed" ? .failed : .errored, rawStatus: raw, durationMS: duration,
        failures: [Failure(message: boundedMessage(message))], stdout: stdout, stderr: stderr)
    }
  }

  private static func output(_ lines: JSONTree?) -> CapturedText? {
    captured(lines?.text ?? lines?.array?.compactMap(\.string).joined(separator: "\n"))
  }
}

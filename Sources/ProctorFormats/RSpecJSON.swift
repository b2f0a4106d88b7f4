public import FoundationEssentials
import ProctorModel

/// Reads what `rspec --format json` writes (RSpec 3).
public enum RSpecJSON {
  public static func decode(_ data: Data, into sink: some CaseSink) -> ReportReading {
    var notes = ReadingNotes()
    let (tree, problem, _) = JSONTreeReader.read(data)
    notes.add(problem, in: "the report")
    guard let tree, let examples = tree["examples"]?.array else {
      notes.breaks(.malformed, "it has no list \"examples\"")
      return notes.reading
    }
    notes.tool = tree["version"]?.text.map { "rspec \($0)" }
    var (failed, pending) = (0, 0)
    for example in examples {
      let found = reported(example, &notes)
      failed += found.outcome.countsAsFailed ? 1 : 0
      pending += found.outcome == .skipped ? 1 : 0
      notes.give(found, to: sink)
    }
    let summary = tree["summary"]
    notes.compare([
      ("examples", summary?["example_count"]?.count, notes.cases),
      ("failures", summary?["failure_count"]?.count, failed),
      ("pending", summary?["pending_count"]?.count, pending),
    ])
    if let outside = summary?["errors_outside_of_examples_count"]?.count, outside > 0 {
      let messages = (tree["messages"]?.array ?? []).compactMap(\.text)
        .map(\.withoutTerminalCodes)
      notes.add(
        RunError(
          stage: .collection, adapter: nil,
          message: joined(messages).map(boundedMessage)
            ?? "\(outside) errors occurred outside of examples"))
    }
    return notes.reading
  }

  private static func reported(_ example: JSONTree, _ notes: inout ReadingNotes) -> ReportedCase {
    let description = example["description"]?.text
    let full = example["full_description"]?.text ?? description
    let group = full.flatMap { full in
      description.flatMap { full.hasSuffix(" " + $0) ? String(full.dropLast($0.count + 1)) : nil }
    }
    return ReportedCase(
      suites: [group].compactMap(\.self), classname: nil,
      name: notes.name(group == nil ? full : description),
      definition: example["file_path"]?.text.map {
        SourceLocation(file: withoutDot($0), line: example["line_number"]?.line)
      }, attempts: [attempt(example)])
  }

  private static func withoutDot(_ path: String) -> String {
    path.hasPrefix("./") ? String(path.dropFirst(2)) : path
  }

  private static func attempt(_ example: JSONTree) -> Attempt {
    let word = example["status"]?.text ?? "without status"
    let duration = example["run_time"]?.number.map { $0 * 1000 }
    switch word {
    case "passed": return Attempt(outcome: .passed, rawStatus: word, durationMS: duration)
    case "pending":
      return Attempt(
        outcome: .skipped, rawStatus: word, durationMS: duration,
        note: example["pending_message"]?.text)
    default:
      let exception = example["exception"]
      let backtrace = (exception?["backtrace"]?.array ?? []).compactMap(\.text)
      let message = joined([
        exception?["class"]?.text, exception?["message"]?.text,
        joined(backtrace.prefix(100).map { "# \($0)" }),
      ])
      return Attempt(
        outcome: word == "failed" ? .failed : .errored, rawStatus: word, durationMS: duration,
        failures: [Failure(message: boundedMessage((message ?? word).withoutTerminalCodes))])
    }
  }
}

public import FoundationEssentials
import ProctorModel

/// Reads what mocha's reporter `json` writes (mocha 6 to 11).
///
/// A hook that fails is no test: it is an error outside tests.
public enum MochaJSON {
  public static func decode(_ data: Data, into sink: some CaseSink) -> ReportReading {
    var notes = ReadingNotes()
    let (tree, problem, _) = JSONTreeReader.read(data)
    notes.add(problem, in: "the report")
    guard let tree, let stats = tree["stats"] else {
      notes.breaks(.malformed, "it has no object \"stats\"")
      return notes.reading
    }
    let passes = tree["passes"]?.array ?? []
    let failures = tree["failures"]?.array ?? []
    let pending = tree["pending"]?.array ?? []
    for test in passes { notes.give(reported(test, .passed, "passed", &notes), to: sink) }
    for test in failures {
      if isHook(test) {
        notes.add(error(test))
      } else {
        notes.give(reported(test, .failed, "failed", &notes), to: sink)
      }
    }
    for test in pending { notes.give(reported(test, .skipped, "pending", &notes), to: sink) }
    notes.compare([
      ("passes", stats["passes"]?.count, passes.count),
      ("failures", stats["failures"]?.count, failures.count),
      ("pending", stats["pending"]?.count, pending.count),
    ])
    return notes.reading
  }

  private static func isHook(_ test: JSONTree) -> Bool {
    let title = test["title"]?.text ?? ""
    return [
      "\"before all\" hook", "\"before each\" hook", "\"after all\" hook", "\"after each\" hook",
    ]
    .contains { title.hasPrefix($0) }
  }

  private static func error(_ hook: JSONTree) -> RunError {
    RunError(
      stage: .suite, adapter: nil,
      message: joined([hook["title"]?.text, message(hook)]) ?? "a hook failed",
      location: hook["file"]?.text.map { SourceLocation(file: $0) }, suite: suite(hook))
  }

  private static func message(_ test: JSONTree) -> String? {
    let error = test["err"]
    let message = error?["message"]?.text
    guard let stack = error?["stack"]?.text else { return message.map(boundedMessage) }
    let isRepeated = message.map { stack.contains($0) } ?? true
    return boundedMessage(isRepeated ? stack : "\(message ?? "")\n\(stack)")
  }

  /// The titles around it: mocha writes only the full title, which ends with the test's own.
  private static func suite(_ test: JSONTree) -> String? {
    guard let full = test["fullTitle"]?.text, let title = test["title"]?.text,
      full.hasSuffix(" " + title)
    else { return nil }
    return String(full.dropLast(title.count + 1))
  }

  private static func reported(
    _ test: JSONTree, _ outcome: Outcome, _ word: String, _ notes: inout ReadingNotes
  ) -> ReportedCase {
    ReportedCase(
      suites: [suite(test)].compactMap(\.self), classname: nil,
      name: notes.name(test["title"]?.string),
      definition: test["file"]?.text.map { SourceLocation(file: $0) },
      attempts: [
        Attempt(
          outcome: outcome, rawStatus: word, durationMS: test["duration"]?.number,
          failures: outcome == .failed ? [Failure(message: message(test) ?? "failed")] : [])
      ])
  }
}

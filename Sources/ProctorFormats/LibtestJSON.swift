public import FoundationEssentials
import ProctorModel

/// Reads what Rust's test programs write with `--format json` (unstable, Rust 1.30 to 1.92), and nextest's
/// `libtest-json`, one event a line.
///
/// Each binary is a suite that says how many tests it has and, at its end, how they went.
public enum LibtestJSON {
  fileprivate struct Suite {
    let number: Int
    let announced: Int?
    var name: String?
    var counts: [Outcome: Int] = [:]
    var running: [String] = []
  }

  fileprivate struct Reader {
    var notes = ReadingNotes()
    var suite: Suite?
    var suites = 0
  }

  public static func decode(
    _ pieces: some Sequence<Data>, into sink: some CaseSink
  ) -> ReportReading {
    var reader = Reader()
    let tooLong = LineSplitter.split(pieces) { line, isLast in
      // Tests that are not captured print between the events.
      guard line.first == UInt8(ascii: "{") else { return }
      let (tree, problem, _) = JSONTreeReader.read(line)
      if problem == .cut, isLast { reader.notes.add(problem, in: "the last line") }
      guard problem == nil, let tree else { return }
      switch tree["type"]?.text {
      case "suite": reader.takeSuite(tree)
      case "test", "bench": reader.takeTest(tree, sink)
      default: break
      }
    }
    if tooLong > 0 { reader.notes.breaks(.refused, "\(tooLong) lines are too long") }
    return reader.finish(sink)
  }
}

extension LibtestJSON.Reader {
  fileprivate mutating func takeSuite(_ event: JSONTree) {
    guard event["event"]?.text != "started" else {
      endWithoutTotals()
      suites += 1
      suite = LibtestJSON.Suite(
        number: suites, announced: event["test_count"]?.count,
        name: event["nextest"]?["crate"]?.text)
      return
    }
    guard let ended = suite else {
      return notes.breaks(.malformed, "a suite ends that did not begin")
    }
    suite = nil
    let failed = ended.counts.reduce(0) { $0 + ($1.key.countsAsFailed ? $1.value : 0) }
    let (passed, measured) = (event["passed"]?.count, event["measured"]?.count)
    notes.compare([
      ("passed", passed.map { $0 + (measured ?? 0) }, ended.counts[.passed] ?? 0),
      ("failed", event["failed"]?.count, failed),
      ("ignored", event["ignored"]?.count, ended.counts[.skipped] ?? 0),
    ])
    if let announced = ended.announced, announced > ended.counts.values.reduce(0, +) {
      notes.breaks(.truncated, "suite \(ended.number) announced \(announced) tests and has fewer")
    }
    if event["event"]?.text == "failed", failed == 0 {
      notes.add(
        RunError(
          stage: .suite, adapter: nil,
          message: "suite \(ended.number) failed without a failing test"))
    }
  }

  private mutating func endWithoutTotals() {
    guard let suite else { return }
    let names = suite.running.prefix(3).joined(separator: ", ")
    notes.breaks(
      .truncated,
      "suite \(suite.number) has no end" + (names.isEmpty ? "" : "; running were \(names)"))
    self.suite = nil
  }

  fileprivate mutating func takeTest(_ event: JSONTree, _ sink: some CaseSink) {
    let name = event["name"]?.text
    switch event["event"]?.text {
    case "started":
      suite?.running.append(name ?? ReportedCase.unnamed)
      return
    // That it takes long; its end follows.
    case "timeout": return
    default: break
    }
    if let at = suite?.running.firstIndex(of: name ?? ReportedCase.unnamed) {
      suite?.running.remove(at: at)
    }
    let attempt = Self.attempt(event)
    suite?.counts[attempt.outcome, default: 0] += 1
    notes.give(
      ReportedCase(
        suites: [suite?.name].compactMap(\.self), classname: nil, name: notes.name(name),
        definition: nil, attempts: [attempt]), to: sink)
  }

  private static func attempt(_ event: JSONTree) -> Attempt {
    let isBench = event["type"]?.text == "bench"
    let word = isBench ? "ok" : event["event"]?.text ?? "without event"
    let duration = event["exec_time"]?.number.map { $0 * 1000 }
    let stdout = captured(event["stdout"]?.text)
    switch word {
    case "ok":
      return Attempt(outcome: .passed, rawStatus: word, durationMS: duration, stdout: stdout)
    case "ignored":
      return Attempt(outcome: .skipped, rawStatus: word, note: event["message"]?.text)
    default:
      let message = joined([event["message"]?.text, event["stdout"]?.text]) ?? word
      return Attempt(
        outcome: word == "failed" ? .failed : .errored, rawStatus: word, durationMS: duration,
        failures: [Failure(message: boundedMessage(message))], stdout: stdout)
    }
  }

  fileprivate mutating func finish(_ sink: some CaseSink) -> ReportReading {
    let running = suite?.running ?? []
    endWithoutTotals()
    for name in running {
      let attempt = Attempt(
        outcome: .crashed, rawStatus: "unfinished",
        failures: [Failure(message: "the report says nothing about its end")])
      notes.give(
        ReportedCase(suites: [], classname: nil, name: name, definition: nil, attempts: [attempt]),
        to: sink)
    }
    if suites == 0 { notes.breaks(.malformed, "no suite begins in it") }
    return notes.reading
  }
}

public import FoundationEssentials
import ProctorModel

/// Reads xUnit.net's own XML, versions 2 and 3 (xunit.net/docs/format-xml-v2).
public enum XUnitNet {
  public static func decode(
    _ pieces: some Sequence<Data>, into sink: some CaseSink
  ) -> ReportReading {
    let reading = SlicedReading()
    var assembly: (element: XMLElement, words: [String: Int])?
    let slices = XMLSlices(["test", "error"]) { slice in
      if slice.element.name == "error" {
        reading.notes.add(error(slice, assembly?.element["name"]))
      } else {
        let word = slice["result"] ?? "without result"
        reading.give(reported(slice, word, &reading.notes), word, to: sink)
      }
    } opened: { element in
      if element.name == "assembly" {
        assembly = (element, reading.words)
        if let tool = element["test-framework"] { reading.notes.tool = tool }
      }
    } closed: { name in
      guard name == "assembly", let (element, before) = assembly else { return }
      compare(element, reading.words.merging(before) { $0 - $1 }, &reading.notes)
      assembly = nil
    }
    slices.read(pieces, reading)
    return reading.notes.reading
  }

  private static func compare(
    _ assembly: XMLElement, _ words: [String: Int], _ notes: inout ReadingNotes
  ) {
    func said(_ name: String) -> Int? { assembly[name].flatMap(JUnitXMLNumber.count) }
    let all = words.values.reduce(0, +)
    notes.compare([
      ("tests", said("total"), all),
      ("passed", said("passed"), words["Pass"] ?? 0),
      ("failed", said("failed"), words["Fail"] ?? 0),
    ])
  }

  private static func error(_ slice: XMLSlice, _ assembly: String?) -> RunError {
    let failure = slice.child("failure")
    let message = joined([
      slice["type"], failure?["exception-type"], failure?.text("message"),
      failure?.text("stack-trace"),
    ])
    return RunError(
      stage: .suite, adapter: nil, message: boundedMessage(message ?? "an error without a message"),
      suite: slice["name"] ?? assembly)
  }

  private static func reported(
    _ test: XMLSlice, _ word: String, _ notes: inout ReadingNotes
  ) -> ReportedCase {
    let type = test["type"]
    let full = test["name"] ?? test["method"]
    let name = full.flatMap { full in
      type.flatMap { full.hasPrefix($0 + ".") ? String(full.dropFirst($0.count + 1)) : nil } ?? full
    }
    let line = test["source-line"].flatMap { Int($0) }
    return ReportedCase(
      suites: [], classname: type, name: notes.name(name),
      definition: test["source-file"].map { SourceLocation(file: $0, line: line) },
      attempts: [attempt(test, word)])
  }

  private static func attempt(_ test: XMLSlice, _ word: String) -> Attempt {
    let duration = test["time"].flatMap(JUnitXMLNumber.milliseconds)
    let output = captured(test.text("output"))
    switch word {
    case "Pass":
      return Attempt(outcome: .passed, rawStatus: word, durationMS: duration, stdout: output)
    case "Skip", "NotRun":
      return Attempt(
        outcome: .skipped, rawStatus: word, durationMS: duration, note: test.text("reason"))
    default:
      let failure = test.child("failure")
      let message = joined([failure?.text("message"), failure?.text("stack-trace")])
      return Attempt(
        outcome: word == "Fail" ? .failed : .errored, rawStatus: word, durationMS: duration,
        failures: [
          Failure(message: boundedMessage(message ?? failure?["exception-type"] ?? word))
        ], stdout: output)
    }
  }
}

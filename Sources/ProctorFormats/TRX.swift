public import FoundationEssentials
import ProctorModel

/// Reads Visual Studio's test results (`dotnet test --logger trx`, TeamTest/2010).
///
/// The class of a test stands behind all results, so the tests are held until the file's end.
public enum TRX {
  private struct Definition {
    let type: String?
    let method: String?
  }

  private static let skippedWords: Set<String> = ["NotExecuted", "Inconclusive", "Pending"]
  private static let passedWords: Set<String> = ["Passed", "Warning", "Completed"]

  public static func decode(
    _ pieces: some Sequence<Data>, into sink: some CaseSink
  ) -> ReportReading {
    let reading = SlicedReading()
    var results: [XMLSlice] = []
    var definitions: [String: Definition] = [:]
    var summary: XMLSlice?
    let slices = XMLSlices(["UnitTestResult", "UnitTest", "ResultSummary"]) { slice in
      switch slice.element.name {
      case "UnitTestResult": results += leaves(slice)
      case "UnitTest":
        let method = slice.child("TestMethod")
        definitions[slice["id"] ?? ""] = Definition(
          // Older ones add the assembly: `Space.Type, Assembly, Version=1.0.0.0`.
          type: method?["className"].map { String($0.prefix { $0 != "," }) },
          method: method?["name"])
      default: summary = slice
      }
    }
    slices.read(pieces, reading)
    for result in results {
      let word = result["outcome"] ?? "without outcome"
      let found = reported(result, word, definitions[result["testId"] ?? ""], &reading.notes)
      reading.give(found, word, to: sink)
    }
    if let summary {
      judge(summary, reading)
    } else if slices.isClosed {
      reading.notes.breaks(.truncated, "the summary of the run is missing")
    }
    return reading.notes.reading
  }

  /// A test with rows of data is those rows.
  private static func leaves(_ result: XMLSlice) -> [XMLSlice] {
    let inner = (result.child("InnerResults")?.children ?? []).filter {
      $0.element.name == "UnitTestResult"
    }
    return inner.isEmpty ? [result] : inner.flatMap(leaves)
  }

  private static func judge(_ summary: XMLSlice, _ reading: SlicedReading) {
    let counters = summary.child("Counters")
    func said(_ name: String) -> Int? { counters?[name].flatMap(JUnitXMLNumber.count) }
    let all = reading.words.values.reduce(0, +)
    let wrong = ["failed", "error", "timeout", "aborted"].compactMap(said)
    reading.notes.compare([
      ("tests", said("total"), all), ("passed", said("passed"), reading.count(["Passed"])),
      ("failed", wrong.isEmpty ? nil : wrong.reduce(0, +), reading.failed),
    ])
    for info in summary.child("RunInfos")?.children ?? []
    where ["Error", "Failed", "Aborted"].contains(info["outcome"] ?? "") {
      reading.notes.add(
        RunError(
          stage: .suite, adapter: nil,
          message: boundedMessage(info.text("Text") ?? "the run had an error")))
    }
    let word = summary["outcome"] ?? ""
    if ["Aborted", "Disconnected", "Timeout", "InProgress"].contains(word) {
      reading.notes.breaks(.truncated, "the run did not end: \(word)")
    } else if word == "Failed" || word == "Error", reading.failed == 0,
      reading.notes.reading.errors.isEmpty
    {
      reading.notes.add(
        RunError(stage: .suite, adapter: nil, message: "the run failed, and no test of it did"))
    }
  }

  private static func reported(
    _ result: XMLSlice, _ word: String, _ definition: Definition?, _ notes: inout ReadingNotes
  ) -> ReportedCase {
    var name = result["testName"] ?? definition?.method
    if let type = definition?.type, let long = name, long.hasPrefix(type + ".") {
      name = String(long.dropFirst(type.count + 1))
    }
    return ReportedCase(
      suites: [], classname: definition?.type, name: notes.name(name), definition: nil,
      attempts: [attempt(result, word)])
  }

  private static func attempt(_ result: XMLSlice, _ word: String) -> Attempt {
    let duration = result["duration"].flatMap(milliseconds)
    let output = result.child("Output")
    let (stdout, stderr) = (captured(output?.text("StdOut")), captured(output?.text("StdErr")))
    let message = joined([
      output?.text("ErrorInfo", "Message"), output?.text("ErrorInfo", "StackTrace"),
    ])
    if passedWords.contains(word) {
      return Attempt(
        outcome: .passed, rawStatus: word, durationMS: duration, stdout: stdout, stderr: stderr)
    }
    if skippedWords.contains(word) {
      return Attempt(outcome: .skipped, rawStatus: word, durationMS: duration, note: message)
    }
    let outcome: Outcome =
      switch word {
      case "Failed": .failed
      case "Timeout": .timedOut
      case "Aborted", "Disconnected", "InProgress": .crashed
      default: .errored
      }
    return Attempt(
      outcome: outcome, rawStatus: word, durationMS: duration,
      failures: [Failure(message: boundedMessage(message ?? word))], stdout: stdout, stderr: stderr)
  }

  /// `1.02:03:04.5678901`: days, hours, minutes, seconds.
  static func milliseconds(_ text: String) -> Double? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 3, let seconds = Double(parts[2]), let minutes = Double(parts[1]) else {
      return nil
    }
    let first = parts[0].split(separator: ".")
    guard let hours = first.last.flatMap({ Double($0) }) else { return nil }
    let days = first.count == 2 ? Double(first[0]) ?? 0 : 0
    let total = (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000
    return total.isFinite && total >= 0 ? (total * 1e4).rounded() / 1e4 : nil
  }
}

public import FoundationEssentials
import ProctorModel

/// Reads NUnit's XML: version 3 (`test-run`, NUnit 3 and 4) and version 2 (`test-results`).
public enum NUnit {
  private static let passedWords: Set<String> = ["Passed", "Success", "Warning"]
  private static let skippedWords: Set<String> = [
    "Skipped", "Ignored", "Inconclusive", "Explicit", "NotRun",
  ]

  public static func decode(
    _ pieces: some Sequence<Data>, into sink: some CaseSink
  ) -> ReportReading {
    let reading = SlicedReading()
    var suites: [XMLElement] = []
    // A suite's own failure stands beside its tests, so it is cut out where no test is around it.
    let slices = XMLSlices(["test-case", "failure"]) { slice in
      if slice.element.name == "failure" {
        if let error = error(slice, in: suites.last) { reading.notes.add(error) }
      } else {
        let word = word(slice)
        reading.give(reported(slice, word, suites, &reading.notes), word, to: sink)
      }
    } opened: { element in
      if element.name == "test-suite" { suites.append(element) }
      if element.name == "environment", let version = element["nunit-version"] {
        reading.notes.tool = "nunit \(version)"
      }
    } closed: { name in
      if name == "test-suite" { suites.removeLast() }
    }
    slices.read(pieces, reading)
    if let root = slices.root { compare(root, reading) }
    return reading.notes.reading
  }

  private static func compare(_ root: XMLElement, _ reading: SlicedReading) {
    func said(_ name: String) -> Int? { root[name].flatMap(JUnitXMLNumber.count) }
    let all = reading.words.values.reduce(0, +)
    if root.name == "test-run" {
      reading.notes.compare([
        ("tests", said("testcasecount") ?? said("total"), all),
        ("passed", said("passed"), reading.count(["Passed"])),
        ("failed", said("failed"), reading.failed),
      ])
    } else {
      // Version 2 counts as total what it ran.
      let wrong = [said("failures"), said("errors"), said("invalid")].compactMap(\.self)
      let total = said("total").map { total in total + (said("not-run") ?? 0) }
      reading.notes.compare([
        ("tests", total == all ? total : said("total") == all ? all : total, all),
        ("failed", wrong.isEmpty ? nil : wrong.reduce(0, +), reading.failed),
      ])
    }
  }

  private static func word(_ test: XMLSlice) -> String {
    let result = test["result"] ?? (test["executed"] == "False" ? "NotRun" : "without result")
    return test["label"].flatMap { result == "Failed" && $0 == "Error" ? "Error" : nil } ?? result
  }

  /// A suite's failure; nil for one that only says that a test of it failed.
  private static func error(_ failure: XMLSlice, in suite: XMLElement?) -> RunError? {
    guard let suite else { return nil }
    let message = failure.text("message")
    let isOfChildren =
      suite["site"] == "Child" || suite["site"] == "Parent"
      || (suite["site"] == nil && message == "One or more child tests had errors")
      || message?.hasPrefix("Child test failed") == true
    guard !isOfChildren else { return nil }
    return RunError(
      stage: .suite, adapter: nil,
      message: boundedMessage(
        joined([message, failure.text("stack-trace")]) ?? "a suite failed without a message"),
      suite: suite["fullname"] ?? suite["name"])
  }

  private static func reported(
    _ test: XMLSlice, _ word: String, _ suites: [XMLElement], _ notes: inout ReadingNotes
  ) -> ReportedCase {
    let full = test["fullname"] ?? test["name"]
    let type = test["classname"] ?? fixture(suites, full)
    var name = test["name"] ?? full
    if let type, let long = name, long.hasPrefix(type + ".") {
      name = String(long.dropFirst(type.count + 1))
    }
    return ReportedCase(
      suites: [], classname: type, name: notes.name(name), definition: nil,
      attempts: [attempt(test, word)])
  }

  /// Version 2 says the class in the full name only, which may go on with arguments.
  private static func fixture(_ suites: [XMLElement], _ full: String?) -> String? {
    guard let full else { return nil }
    let plain = full.prefix { $0 != "(" }
    guard let dot = plain.lastIndex(of: "."), dot != plain.startIndex else { return nil }
    return String(plain[..<dot])
  }

  private static func attempt(_ test: XMLSlice, _ word: String) -> Attempt {
    let seconds = test["duration"] ?? test["time"]
    let duration = seconds.flatMap(JUnitXMLNumber.milliseconds)
    let output = captured(test.text("output"))
    if passedWords.contains(word) {
      return Attempt(outcome: .passed, rawStatus: word, durationMS: duration, stdout: output)
    }
    if skippedWords.contains(word) {
      return Attempt(
        outcome: .skipped, rawStatus: test["label"] ?? word, durationMS: duration,
        note: test.text("reason", "message"))
    }
    let own = test.child("failure")
    // Version 3.5 and later list each failed assertion.
    let each = (test.child("assertions")?.children ?? []).filter {
      ["Failed", "Error"].contains($0["result"] ?? "")
    }
    let parts = each.count > 1 ? each : [own].compactMap(\.self)
    let failures = parts.map { part in
      Failure(
        message: boundedMessage(joined([part.text("message"), part.text("stack-trace")]) ?? word))
    }
    return Attempt(
      outcome: word == "Failed" || word == "Failure" ? .failed : .errored, rawStatus: word,
      durationMS: duration,
      failures: failures.isEmpty
        ? [Failure(message: test.text("reason", "message") ?? word)] : failures, stdout: output)
  }
}

import Foundation
import ProctorFormats
import ProctorModel
import Testing

@Suite struct TextSummaryTests {
  static let texts: [(String, String)] = [
    ("run_mixed.txt", TextSummary.render(Samples.mixed, style: .plain)),
    ("run_mixed.ansi.txt", TextSummary.render(Samples.mixed, style: .ansi)),
    ("run_green.txt", TextSummary.render(Samples.green, style: .plain)),
    ("run_unbuilt.txt", TextSummary.render(Samples.unbuilt, style: .plain)),
    ("run_unmatched.txt", TextSummary.render(Samples.unmatched, style: .plain)),
    ("run_lost.txt", TextSummary.render(Samples.lost, style: .plain)),
    ("list.txt", TextSummary.render(Samples.listing, style: .plain)),
    ("status.txt", TextSummary.render(Samples.status, style: .plain)),
  ]

  @Test(arguments: texts) func `a text is as recorded`(_ name: String, _ text: String) throws {
    try Golden.check(Data(text.utf8), "fixtures/answers/\(name)")
  }

  @Test(arguments: texts.filter { !$0.0.contains("ansi") })
  func `nothing that tests wrote reaches the terminal as a command`(
    _ name: String, _ text: String
  ) {
    let forbidden = text.unicodeScalars.filter {
      ($0.value < 0x20 && $0 != "\n") || (0x7f...0x9f).contains($0.value)
        || (0x202a...0x202e).contains($0.value)
    }
    #expect(forbidden.isEmpty)
  }

  func report(_ count: Int, message: String, output: String? = nil) -> Report {
    let results = (1...count).map { number in
      TestResult(
        test: Samples.test("test_\(number)"),
        first: Attempt(
          outcome: .failed, rawStatus: "failed", failures: [Failure(message: message)],
          stdout: output.map { CapturedText(text: $0) }))
    }
    return Report(
      verdict: Verdict(status: .failed, reason: .testsFailed), tests: results, errors: [],
      missing: [], adapters: [], sandbox: nil, durationMS: 1)
  }

  @Test func `failures past the first twenty get a line each, and it is said`() {
    let text = TextSummary.render(report(23, message: "why"), style: .plain)
    #expect(text.ranges(of: "FAIL tests").count == 20)
    #expect(text.ranges(of: "    why").count == 20)
    #expect(text.contains("3 more failures:\n  tests/test_a.py:3 tests/test_a.py::test_21\n"))
  }

  @Test func `a long message is cut, and how much is said, whatever it is made of`() {
    let ascii = TextSummary.render(
      report(1, message: String(repeating: "x", count: 5000)), style: .plain)
    #expect(ascii.contains("[... 1000 characters cut ...]"))
    let wide = TextSummary.render(
      report(1, message: String(repeating: "語", count: 3000)), style: .plain)
    #expect(wide.contains(String(repeating: "語", count: 3000)))
    #expect(!wide.contains("characters cut"))
    let heap = "a" + String(repeating: "\u{301}", count: 9000)
    let stacked = TextSummary.render(report(1, message: heap), style: .plain)
    #expect(stacked.contains("[... 5001 characters cut ...]"))
  }

  @Test(arguments: ["\n", "\r\n"]) func `output shows its last ten lines`(_ end: String) {
    let output = (1...200).map { "row \($0)\(end)" }.joined()
    let text = TextSummary.render(report(1, message: "m", output: output), style: .plain)
    #expect(text.contains("[... 190 lines before ...]\n      row 191\n"))
    #expect(text.contains("      row 200\n"))
    #expect(!text.contains("row 190\n"))
    #expect(!text.contains("\\r"))
  }

  @Test func `a long line of output is cut, and it is said`() {
    let output = String(repeating: "y", count: 700)
    let text = TextSummary.render(report(1, message: "m", output: output), style: .plain)
    #expect(text.contains("y [... 200 characters cut ...]"))
  }

  @Test(arguments: [Double.infinity, .nan, 1e300, -1e300])
  func `a time that is none does not end the process`(_ time: Double) {
    let report = Report(
      verdict: Verdict(status: .passed), tests: [], errors: [], missing: [], adapters: [],
      sandbox: nil, durationMS: time)
    #expect(TextSummary.render(report, style: .plain).contains("unknown time"))
  }
}

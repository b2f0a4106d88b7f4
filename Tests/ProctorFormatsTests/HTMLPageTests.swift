import Foundation
import ProctorModel
import Testing

@testable import ProctorFormats

struct HTMLPageTests {
  @Test func `nothing in data is markup`() throws {
    let text = "</script><!-- & \u{2028}\u{2029}\u{7f} \u{e9}\u{20ac}"
    let json = try JSONEncoder().encode([text])
    let harmless = HTMLPage.harmless(json)
    let shown = String(decoding: harmless, as: UTF8.self)
    for part in ["<", ">", "&", "\u{2028}", "\u{2029}", "\u{7f}"] { #expect(!shown.contains(part)) }
    #expect(try JSONDecoder().decode([String].self, from: harmless) == [text])
  }

  @Test func `a served page asks its server and holds nothing`() {
    let page = String(decoding: HTMLPage.served(nonce: "n0nce"), as: UTF8.self)
    #expect(page.contains("connect-src 'self'"))
    #expect(page.contains(#"id="data">null</script>"#))
    #expect(page.contains(#"<script nonce="n0nce">"#))
    #expect(!page.contains("%%"))
  }

  @Test func `what the contract gives is read again`() throws {
    for report in [Samples.mixed, Samples.green, Samples.unbuilt, Samples.unmatched, Samples.lost] {
      for details in [true, false] {
        let read = try RecordedReport(
          reading: ContractJSON.runAllTests(report, details: details))
        #expect(read.status == report.verdict.status)
        #expect(read.failures.count == report.counts.failed)
        #expect(read.places.isEmpty == report.places.isEmpty)
      }
    }
  }

  @Test func `a kept run is what an encoder writes`() throws {
    let report = Samples.mixed
    let row = RunRow(report, run: "r", operation: "run_all_tests", selection: HTMLPageTests.odd)
    let record = RunRecord.encode(
      report, row: row,
      sources: [SourceExcerpt(file: "a", firstLine: 1, lines: ["x"], isChanged: false)])
    let lines = record.split(separator: UInt8(ascii: "\n")).map { Data($0) }
    #expect(lines.count == 3)
    #expect(RunRecord.row(lines[0]) == row)
    let outcomes = try JSONDecoder().decode(RunOutcomes.self, from: lines[1])
    #expect(outcomes.letters?.count == report.tests.count)
    var kept = try #require(try JSONSerialization.jsonObject(with: lines[2]) as? [String: Any])
    for key in ["run", "operation", "selection", "sources"] {
      #expect(kept.removeValue(forKey: key) != nil)
    }
    let whole = ContractJSON.runAllTests(report, details: true)
    let answer = try #require(try JSONSerialization.jsonObject(with: whole) as? [String: Any])
    #expect(NSDictionary(dictionary: kept) == NSDictionary(dictionary: answer))
  }

  @Test func `odd texts and numbers`() throws {
    var buffer = JSONBuffer()
    buffer.append(list: [Self.odd, "", "\u{1F600} plain"]) { $0.append(string: $1) }
    #expect(
      try JSONDecoder().decode([String].self, from: Data(buffer.bytes)) == [
        Self.odd, "", "\u{1F600} plain",
      ])
    buffer = JSONBuffer()
    buffer.append(list: [0.0, 1e-7, 123456.789, 1e21]) { $0.append("", $1) }
    #expect(
      try JSONDecoder().decode([Double].self, from: Data(buffer.bytes)) == [
        0, 1e-7, 123456.789, 1e21,
      ])
  }

  private static let odd = "\"\\/\u{0}\u{1f}\n\r\t\u{7f}\u{2028}\u{e9}\u{20ac}</script>"

  @Test func `what became of tests before`() {
    func outcomes(_ text: String) -> RunOutcomes {
      RunOutcomes(
        ids: text.split(separator: " ").map { String($0.dropLast()) },
        outcomes: String(text.split(separator: " ").compactMap(\.last)))
    }
    let history = RunHistory([
      ("r1", outcomes("ap bp cp")), ("r2", outcomes("ap bf")), ("r3", outcomes("ap bp cs dp")),
    ])
    #expect(history.runs == ["r1", "r2", "r3"])
    #expect(history.outcomes == ["b": "pfp", "c": "p-s", "d": "--p"])
  }
}

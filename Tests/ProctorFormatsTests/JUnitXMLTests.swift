import Foundation
import ProctorModel
import Testing

@testable import ProctorFormats

@Suite struct JUnitXMLTests {
  static let folder = "fixtures/reports/junit"
  static let scenarios = Golden.scenarios(folder)

  static func input(_ scenario: String) throws -> Data {
    try Data(contentsOf: Golden.repository.appending(path: "\(folder)/\(scenario)/input.xml"))
  }

  @Test func `the scenarios are there`() {
    #expect(Self.scenarios.count >= 12)
  }

  @Test(arguments: scenarios) func `reads`(_ scenario: String) throws {
    let (cases, reading) = JUnitXML.decode(try Self.input(scenario))
    #expect(cases.count == reading.cases)
    #expect(cases.allSatisfy { !$0.attempts.isEmpty && !$0.name.isEmpty })
    try Golden.check(
      ReadingJSON(cases, reading).data, "\(Self.folder)/\(scenario)/expected.json")
  }

  @Test(arguments: scenarios, [1, 3, 7])
  func `reads the same from pieces`(_ scenario: String, _ size: Int) throws {
    let input = try Self.input(scenario)
    let pieces = stride(from: 0, to: input.count, by: size).map {
      input.subdata(in: $0..<min($0 + size, input.count))
    }
    var cases: [ReportedCase] = []
    let reading = JUnitXML.decode(pieces) { cases.append($0) }
    let whole = JUnitXML.decode(input)
    #expect(cases == whole.cases)
    #expect(reading == whole.reading)
  }

  /// What is only counted must come to the same as what is handed over.
  @Test(arguments: scenarios) func `counts as it reads`(_ scenario: String) throws {
    let input = try Self.input(scenario)
    let whole = JUnitXML.decode(input)
    let counting = CountingSink()
    let reading = JUnitXML.decode([input], into: counting)
    #expect(reading == whole.reading)
    #expect(counting.fingerprints == whole.cases.map(\.fingerprint))
  }

  @Test(arguments: scenarios) func `is told by its content`(_ scenario: String) throws {
    let finding = ReportSniffer.look(at: try Self.input(scenario))
    switch (finding, scenario) {
    case (.empty, "empty"), (.unknown, "not_junit"): break
    case (.format(let format), _): #expect(format.id == "junit")
    default: Issue.record("\(finding)")
    }
  }

  /// Pieces smaller than what the source looks at first would all be joined before parsing.
  @Test func `repairs characters cut between large pieces`() {
    let euro = "€&#27;\u{1}"
    let body = String(repeating: euro, count: 40_000)
    let file = Data(
      "<testsuite><testcase name=\"t\"><failure>\(body)</failure></testcase></testsuite>".utf8)
    for size in [64 * 1024 - 1, 64 * 1024, 64 * 1024 + 1] {
      let pieces = stride(from: 0, to: file.count, by: size).map {
        file.subdata(in: $0..<min($0 + size, file.count))
      }
      var cases: [ReportedCase] = []
      let reading = JUnitXML.decode(pieces) { cases.append($0) }
      #expect(reading.isComplete)
      let message = cases.first?.attempts.first?.failures.first?.message ?? ""
      #expect(message.hasPrefix("€\u{fffd}\u{fffd}€\u{fffd}\u{fffd}"))
      #expect(!message.contains("&#27;"))
      #expect(reading.notes.map(\.kind) == [.repaired])
    }
  }

  @Test func `cutting a report anywhere is never complete and never a pass of the cut case`() throws
  {
    let input = try Self.input("surefire_reruns")
    let whole = JUnitXML.decode(input)
    let end = try #require(input.lastIndex(of: UInt8(ascii: ">")))
    for length in stride(from: 0, through: end - 1, by: 17) {
      let (cases, reading) = JUnitXML.decode(input.prefix(length))
      #expect(!reading.isComplete, "\(length) bytes")
      #expect(!reading.notes.isEmpty, "\(length) bytes")
      let ends = String(decoding: input.prefix(length), as: UTF8.self).ranges(of: "</testcase>")
        .count
      let shorts = length > Self.endOfFine(input) ? 1 : 0
      #expect(cases.count >= ends + shorts, "\(length) bytes")
      for (found, full) in zip(cases, whole.cases) {
        #expect(found.outcome == full.outcome, "\(length) bytes, \(found.name)")
      }
    }
  }

  /// The only case of that file without an end tag of its own.
  private static func endOfFine(_ input: Data) -> Int {
    let text = String(decoding: input, as: UTF8.self)
    guard let start = text.firstRange(of: "name=\"fine\""),
      let end = text[start.upperBound...].firstIndex(of: ">")
    else { return .max }
    return text.utf8.distance(from: text.startIndex, to: end)
  }

  /// What the parser cannot tell of before it is whole.
  @Test(arguments: ["<!--", "<testcase name=\"", "<testcase name=\"a\"><failure message=\""])
  func `a tag or comment without an end is refused in time`(_ start: String) {
    let megabyte = Data(String(repeating: "0123456789abcde ", count: 65_536).utf8)
    let pieces =
      [Data("<testsuite><testcase name=\"fine\"/>\(start)".utf8)]
      + Array(repeating: megabyte, count: 200)
    var cases: [ReportedCase] = []
    let reading = JUnitXML.decode(pieces) { cases.append($0) }
    #expect(cases.map(\.name) == ["fine"])
    #expect(!reading.isComplete)
    #expect(reading.notes.map(\.kind) == [.refused])
    #expect(reading.notes.first?.message == "a tag or comment is longer than 16 MiB")
  }

  @Test func `output of many megabytes is kept in bounds and does not end the report`() {
    let megabyte = Data(String(repeating: "0123456789abcde\n", count: 65_536).utf8)
    let pieces =
      [Data("<testsuite><testcase name=\"loud\"><system-out>start ".utf8)]
      + Array(repeating: megabyte, count: 16)
      + [Data("end</system-out><failure/></testcase><testcase name=\"next\"/></testsuite>".utf8)]
    var cases: [ReportedCase] = []
    let reading = JUnitXML.decode(pieces) { cases.append($0) }
    #expect(reading.isComplete)
    #expect(cases.map(\.name) == ["loud", "next"])
    let output = cases.first?.attempts.first?.stdout
    #expect(output?.text.hasPrefix("start 0123") == true)
    #expect(output?.text.hasSuffix("\nend") == true)
    let all = 16 * megabyte.count + "start end".utf8.count
    #expect(output?.omittedBytes == all - CapturedText.perTestLimit)
  }

  @Test func `a long message is cut with a note`() {
    let text = String(repeating: "x", count: 50_000)
    let file = Data("<testcase name=\"t\"><failure>\(text)</failure></testcase>".utf8)
    let message = JUnitXML.decode(file).cases.first?.attempts.first?.failures.first?.message ?? ""
    #expect(message.utf8.count < 20_100)
    #expect(message.contains("[... 30000 bytes cut ...]"))
  }

  @Test func `suites nested without end are an error, not a crash`() {
    let file = Data(String(repeating: "<testsuite name=\"s\">", count: 100_000).utf8)
    #expect(!JUnitXML.decode(file).reading.isComplete)
  }

  @Test func `many disagreeing suites do not make many notes`() {
    let suite = #"<testsuite name="s" tests="2"><testcase name="t"/></testsuite>"#
    let file = Data("<testsuites>\(String(repeating: suite, count: 500))</testsuites>".utf8)
    let notes = JUnitXML.decode(file).reading.notes
    #expect(notes.count == 21)
    #expect(notes.last?.message.hasPrefix("480 more") == true)
  }
}

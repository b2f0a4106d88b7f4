import Foundation
import ProctorModel
import Testing

@testable import ProctorFormats

/// Every format but JUnit XML, which has tests of its own; each folder of `fixtures/reports/<format>` is a test.
@Suite struct ReportFormatTests {
  struct Scenario: CustomTestStringConvertible {
    let format: ReportFormat
    let name: String
    var testDescription: String { "\(format.id)/\(name)" }
    var folder: String { "fixtures/reports/\(format.id)/\(name)" }

    var input: Data {
      get throws {
        let folder = Golden.repository.appending(path: folder)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        let input = try #require(names.first { $0.hasPrefix("input.") })
        return try Data(contentsOf: folder.appending(path: input))
      }
    }

    func decode(_ data: Data) -> (cases: [ReportedCase], reading: ReportReading) {
      decode([data])
    }

    func decode(_ pieces: [Data]) -> (cases: [ReportedCase], reading: ReportReading) {
      var cases: [ReportedCase] = []
      let reading = format.decode(pieces, into: EachCase { cases.append($0) })
      return (cases, reading)
    }
  }

  static let scenarios = ReportFormat.all.filter { $0.id != "junit" }.flatMap { format in
    Golden.scenarios("fixtures/reports/\(format.id)").map { Scenario(format: format, name: $0) }
  }

  @Test func `every format has a scenario`() {
    let formats = Set(Self.scenarios.map(\.format.id)).union(["junit"])
    #expect(formats == Set(ReportFormat.all.map(\.id)))
  }

  @Test(arguments: scenarios) func `reads`(_ scenario: Scenario) throws {
    let (cases, reading) = scenario.decode(try scenario.input)
    #expect(cases.count == reading.cases)
    #expect(reading.isComplete || !reading.notes.isEmpty)
    #expect(cases.allSatisfy { !$0.attempts.isEmpty && !$0.name.isEmpty })
    try Golden.check(ReadingJSON(cases, reading).data, "\(scenario.folder)/expected.json")
  }

  @Test(arguments: scenarios, [1, 7])
  func `reads the same from pieces`(_ scenario: Scenario, _ size: Int) throws {
    let input = try scenario.input
    let pieces = stride(from: 0, to: input.count, by: size).map {
      input.subdata(in: $0..<min($0 + size, input.count))
    }
    let (cases, reading) = scenario.decode(pieces)
    let whole = scenario.decode(input)
    #expect(cases == whole.cases)
    #expect(reading == whole.reading)
  }

  /// Counting what passed must come to the same as handing it over.
  @Test(arguments: scenarios) func `counts as it reads`(_ scenario: Scenario) throws {
    let input = try scenario.input
    let whole = scenario.decode(input)
    let counting = CountingSink()
    let reading = scenario.format.decode([input], into: counting)
    #expect(reading == whole.reading)
    #expect(counting.fingerprints == whole.cases.map(\.fingerprint))
  }

  /// Cut anywhere, a report never says more than it did, and says that it is cut.
  @Test(arguments: scenarios) func `a cut report is not whole`(_ scenario: Scenario) throws {
    let data = try scenario.input
    let whole = scenario.decode(data)
    guard whole.reading.isComplete else { return }
    let text = data.prefix(data.lastIndex { $0 > 32 } ?? 0)
    for length in stride(from: 0, to: text.count, by: max(1, text.count / 40)) {
      let (cases, reading) = scenario.decode(Data(text.prefix(length)))
      let passed = cases.count { $0.outcome == .passed }
      let isGreen = reading.isComplete && !cases.contains { $0.outcome.countsAsFailed }
      let lost = whole.cases.count > cases.count
      #expect(!(isGreen && passed > 0 && lost), "\(length) bytes")
    }
  }

  @Test(arguments: scenarios) func `is told by its content`(_ scenario: Scenario) throws {
    let head = try scenario.input.prefix(ReportSniffer.headSize)
    // What is no report of the format, though it stands here to be refused.
    guard !scenario.name.hasPrefix("no_") && scenario.name != "broken" else { return }
    guard case .format(let format) = ReportSniffer.look(at: Data(head)) else {
      Issue.record("\(ReportSniffer.look(at: Data(head)))")
      return
    }
    #expect(format.id == scenario.format.id)
  }
}

@Suite struct ReportSnifferTests {
  @Test func `an answer of proctor's own is known by its start, however long it is`() {
    let start =
      #"{"adapters":[{"adapter":"pytest","commands":[{"argv":["python"]}]}],"failures":[{"#
    let text = start + #""message":""# + String(repeating: "x", count: ReportSniffer.headSize)
    let head = Data(text.utf8.prefix(ReportSniffer.headSize))
    guard case .own = ReportSniffer.look(at: head) else {
      Issue.record("\(ReportSniffer.look(at: head))")
      return
    }
  }
}

/// Wants nothing but the names.
final class CountingSink: CaseSink {
  let wantsPassed = false
  var fingerprints: [UInt64] = []
  func take(_ found: ReportedCase) { fingerprints.append(found.fingerprint) }
  func pass(fingerprint: UInt64, durationMS: Double?) { fingerprints.append(fingerprint) }
}

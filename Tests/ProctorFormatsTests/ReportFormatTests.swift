import Foundation
import ProctorModel
import Testing

@testable import ProctorFormats

/// TAP, CTRF and go test JSON; each folder of `fixtures/reports/<format>` is a test.
@Suite struct ReportFormatTests {
  struct Scenario: CustomTestStringConvertible {
    let format: String
    let name: String
    var testDescription: String { "\(format)/\(name)" }
    var folder: String { "fixtures/reports/\(format)/\(name)" }
  }

  static let decoders:
    [String: @Sendable (Data) -> (cases: [ReportedCase], reading: ReportReading)] = [
      "tap": TAP.decode, "ctrf": CTRF.decode, "go-json": GoTestJSON.decode,
    ]

  static let scenarios = ["ctrf", "go-json", "tap"].flatMap { format in
    Golden.scenarios("fixtures/reports/\(format)").map { Scenario(format: format, name: $0) }
  }

  static func read(
    _ scenario: Scenario
  ) throws -> (data: Data, decode: (Data) -> (cases: [ReportedCase], reading: ReportReading)) {
    let folder = Golden.repository.appending(path: scenario.folder)
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    let input = try #require(names.first { $0.hasPrefix("input.") })
    let decode = try #require(decoders[scenario.format])
    return (try Data(contentsOf: folder.appending(path: input)), decode)
  }

  @Test(arguments: scenarios) func `reads`(_ scenario: Scenario) throws {
    let (data, decode) = try Self.read(scenario)
    let (cases, reading) = decode(data)
    #expect(cases.count == reading.cases)
    #expect(reading.isComplete || !reading.notes.isEmpty)
    try Golden.check(ReadingJSON(cases, reading).data, "\(scenario.folder)/expected.json")
  }

  /// Cut anywhere, a report never says more than it did, and says that it is cut.
  @Test(arguments: scenarios) func `a cut report is not whole`(_ scenario: Scenario) throws {
    let (data, decode) = try Self.read(scenario)
    let whole = decode(data)
    guard whole.reading.isComplete else { return }
    let text = data.prefix(data.lastIndex { $0 > 32 } ?? 0)
    for length in stride(from: 0, to: text.count, by: max(1, text.count / 40)) {
      let (cases, reading) = decode(Data(text.prefix(length)))
      let passed = cases.count { $0.outcome == .passed }
      let isGreen = reading.isComplete && !cases.contains { $0.outcome.countsAsFailed }
      let lost = whole.cases.count > cases.count
      #expect(!(isGreen && passed > 0 && lost), "\(length) bytes")
    }
  }
}

import Foundation
import ProctorModel
import Testing

@testable import ProctorFormats

/// What the fuzzer found once, and what covers the decoders best (scripts/fuzz.sh), read again.
@Suite struct FuzzCorpusTests {
  struct Sample: CustomTestStringConvertible {
    let format: ReportFormat
    let name: String
    var testDescription: String { "\(format.id)/\(name)" }
  }

  static let samples = ReportFormat.all.flatMap { format in
    Golden.scenarios("fixtures/fuzz/\(format.id)").map { Sample(format: format, name: $0) }
  }

  @Test func `there is a corpus for each decoder`() {
    #expect(Set(Self.samples.map(\.format.id)) == Set(ReportFormat.all.map(\.id)))
  }

  @Test(arguments: samples) func `reads anything`(_ sample: Sample) throws {
    let file = Golden.repository.appending(path: "fixtures/fuzz/\(sample.testDescription)")
    let data = try Data(contentsOf: file)
    _ = ReportSniffer.look(at: data)
    var cases: [ReportedCase] = []
    let reading = sample.format.decode([data], into: EachCase { cases.append($0) })
    #expect(reading.cases == cases.count)
    #expect(reading.isComplete || !reading.notes.isEmpty)
    #expect(cases.allSatisfy { !$0.name.isEmpty && !$0.attempts.isEmpty })
    let durations = cases.flatMap(\.attempts).compactMap(\.durationMS)
    #expect(durations.allSatisfy { $0.isFinite && $0 >= 0 })
    let counted = CountingSink()
    #expect(sample.format.decode([data], into: counted) == reading)
    #expect(counted.fingerprints == cases.map(\.fingerprint))
    let middle = data.count / 2
    let pieces = [Data(data.prefix(middle)), Data(data.dropFirst(middle))]
    #expect(sample.format.decode(pieces, into: CountingSink()) == reading)
  }
}

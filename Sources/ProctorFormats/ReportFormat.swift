public import FoundationEssentials
import ProctorModel

/// A format of reports that proctor reads, and how.
public struct ReportFormat: Sendable {
  private enum Reading: Sendable {
    /// As it goes by, in memory that does not grow with the file.
    case stream(@Sendable (AnySequence<Data>, any CaseSink) -> ReportReading)
    /// As a whole, of up to `wholeLimit` bytes.
    case whole(@Sendable (Data, any CaseSink) -> ReportReading)
  }

  /// Bytes of a file that can only be read as a whole: JSON documents and TAP.
  public static let wholeLimit = 256 << 20

  /// As answers name it.
  public let id: String
  /// For people.
  public let title: String
  /// Whether it is text for people, which is only believed with its totals.
  public let isPlainText: Bool
  private let reading: Reading

  /// Reads a file given as pieces cut anywhere.
  public func decode(_ pieces: some Sequence<Data>, into sink: any CaseSink) -> ReportReading {
    switch reading {
    case .stream(let read): return read(AnySequence(pieces), sink)
    case .whole(let read):
      var whole = Data()
      for piece in TextPieces(pieces) {
        whole.append(piece)
        if whole.count > Self.wholeLimit { return Self.tooLarge }
      }
      return read(whole, sink)
    }
  }

  private static var tooLarge: ReportReading {
    let message = "a file of this format is read as a whole, up to \(wholeLimit >> 20) MiB"
    return ReportReading(
      cases: 0, errors: [], notes: [.init(kind: .refused, message: message)], isComplete: false)
  }

  private init(_ id: String, _ title: String, isPlainText: Bool = false, _ reading: Reading) {
    self.id = id
    self.title = title
    self.isPlainText = isPlainText
    self.reading = reading
  }

  // MARK: the table

  public static let junit = ReportFormat(
    "junit", "JUnit XML", .stream { JUnitXML.decode($0, into: $1) })
  public static let xunit = ReportFormat(
    "xunit", "xUnit.net v2", .stream { XUnitNet.decode($0, into: $1) })
  public static let nunit = ReportFormat(
    "nunit", "NUnit 2 and 3", .stream { NUnit.decode($0, into: $1) })
  public static let trx = ReportFormat("trx", "TRX", .stream { TRX.decode($0, into: $1) })
  public static let ctrf = ReportFormat("ctrf", "CTRF", .whole { CTRF.decode($0, into: $1) })
  public static let jest = ReportFormat(
    "jest-json", "jest --json", .whole { JestJSON.decode($0, into: $1) })
  public static let mocha = ReportFormat(
    "mocha-json", "mocha's JSON", .whole { MochaJSON.decode($0, into: $1) })
  public static let rspec = ReportFormat(
    "rspec-json", "RSpec's JSON", .whole { RSpecJSON.decode($0, into: $1) })
  public static let pytestJSON = ReportFormat(
    "pytest-json-report", "pytest-json-report",
    .whole { PytestJSONReport.decode($0, into: $1) })
  public static let pytestLog = ReportFormat(
    "pytest-reportlog", "pytest-reportlog",
    .stream { PytestReportLog.decode(TextPieces($0), into: $1) })
  public static let goJSON = ReportFormat(
    "go-json", "go test -json", .stream { GoTestJSON.decode(TextPieces($0), into: $1) })
  public static let libtest = ReportFormat(
    "libtest-json", "libtest's JSON", .stream { LibtestJSON.decode(TextPieces($0), into: $1) })
  public static let swiftTesting = ReportFormat(
    "swift-testing", "Swift Testing's event stream",
    .stream { SwiftTestingEvents.decode(TextPieces($0), into: $1) })
  public static let tap = ReportFormat(
    "tap", "TAP 12 to 14",
    .whole { data, sink in
      let (cases, reading) = TAP.decode(data)
      for found in cases { sink.give(found) }
      return reading
    })
  public static let cargoText = ReportFormat(
    "cargo-text", "cargo test's text", isPlainText: true,
    .stream { CargoText.decode(TextPieces($0), into: $1) })
  public static let goText = ReportFormat(
    "go-text", "go test's text", isPlainText: true,
    .stream { GoText.decode(TextPieces($0), into: $1) })

  /// Every format, in the order of the documentation.
  public static let all: [ReportFormat] = [
    .junit, .ctrf, .tap, .goJSON, .jest, .mocha, .rspec, .pytestLog, .pytestJSON, .libtest,
    .swiftTesting, .xunit, .nunit, .trx, .cargoText, .goText,
  ]
}

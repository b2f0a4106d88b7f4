public import FoundationEssentials
import ProctorModel

/// Reads JUnit XML in the dialects that tools really write: pytest, surefire, Gradle, CTest,
/// googletest, node, jest-junit.
///
/// The format has no specification; Jenkins' junit-10.xsd and surefire's 3.0.2 are the base.
/// Any of `testsuites`, `testsuite` and `testcase` may be the root, suites may be nested. The file is
/// streamed: memory holds one case at a time. Nothing outside the given bytes is ever
/// read, and a file with a document type declaration is refused: entities are the way to bombs and to
/// other people's files, and no tool's reports need them.
public enum JUnitXML {
  /// Bytes kept of one failure's message.
  static let messageLimit = 20_000

  /// Reads a file given as pieces cut anywhere.
  public static func decode(
    _ pieces: some Sequence<Data>, into sink: some CaseSink
  ) -> ReportReading {
    let source = XMLByteSource(pieces)
    if let objection = source.objection {
      return ReportReading(
        cases: 0, errors: [], notes: source.notes + [objection], isComplete: false)
    }
    let parser = JUnitXMLParser(sink)
    let reader = XMLEventReader(source, parser)
    reader.run()
    return parser.finish(source: source, problem: reader.problem)
  }

  /// - Parameter each: gets the cases in the order of the file.
  public static func decode(
    _ pieces: some Sequence<Data>, each: (ReportedCase) -> Void
  ) -> ReportReading {
    withoutActuallyEscaping(each) { decode(pieces, into: EachCase($0)) }
  }

  /// Reads a whole file.
  public static func decode(_ data: Data) -> (cases: [ReportedCase], reading: ReportReading) {
    var cases: [ReportedCase] = []
    let reading = decode(CollectionOfOne(data)) { cases.append($0) }
    return (cases, reading)
  }
}

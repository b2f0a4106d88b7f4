import FoundationEssentials
import ProctorFormats
import ProctorModel

/// Reads what the relay hands over: the report of a described runner.
///
/// Records: `F NAME` a file begins and `D BYTES` some of it, both base64; `E STATUS` the runner ended.
struct ManifestDecoder: EventDecoder {
  /// A report beyond this is refused rather than half read.
  private static let sizeLimit = 256 << 20
  /// Bytes kept of the end of the output, where runners say what went wrong.
  private static let outputLimit = 256 << 10

  private let manifest: AdapterManifest
  private let context: AdapterContext
  private let invocation: Invocation
  private var reports: [(name: String, data: Data)] = []
  private var size = 0
  private var toolStatus: Int32?
  private var output = Data()
  private var problems: [String] = []

  init(manifest: AdapterManifest, context: AdapterContext, invocation: Invocation) {
    self.manifest = manifest
    self.context = context
    self.invocation = invocation
  }

  mutating func receive(_ chunk: OutputChunk) -> [TestEvent] {
    switch chunk {
    case .record(let line): take(line)
    case .stdout(let bytes), .stderr(let bytes):
      output.append(bytes)
      if output.count > 2 * Self.outputLimit { output = Data(output.suffix(Self.outputLimit)) }
    }
    return []
  }

  private mutating func take(_ line: Data) {
    let rest = Data(line.dropFirst(2))
    switch line.first {
    case UInt8(ascii: "F"):
      let name = Data(base64Encoded: rest).map { String(decoding: $0, as: UTF8.self) }
      reports.append((name ?? "?", Data()))
    case UInt8(ascii: "D"):
      guard let bytes = Data(base64Encoded: rest), !reports.isEmpty else {
        return note("a piece of a report cannot be read")
      }
      append(bytes)
    case UInt8(ascii: "E"):
      toolStatus = Int32(String(decoding: rest, as: UTF8.self))
    default: note("an unknown record came over the report channel")
    }
  }

  private mutating func append(_ bytes: Data) {
    size += bytes.count
    if size > Self.sizeLimit { return note("the report is larger than 256 MiB") }
    reports[reports.count - 1].data.append(bytes)
  }

  private mutating func note(_ problem: String) {
    if !problems.contains(problem) { problems.append(problem) }
  }

  // MARK: the end

  mutating func finish(_ status: ExitStatus) -> [TestEvent] {
    let broken = problems.map(TestEvent.corrupt)
    // Without the relay's last line the runner, or the relay, was killed.
    guard let toolStatus, status.impliedSignal == nil else { return broken }
    return broken
      + (invocation.purpose == .list ? listing(toolStatus) : results(toolStatus))
  }

  private func listing(_ status: Int32) -> [TestEvent] {
    guard let list = manifest.list, status == 0 else {
      return errors("the tests cannot be listed").map(TestEvent.error) + [.ended]
    }
    // Without what it was to be read from, the listing is lost; an empty one is something else.
    if reports.isEmpty { return [] }
    let reader = TestTable(fields: list.fields, context: context)
    var tests = ReportedTests(manifest: manifest, context: context)
    var events: [TestEvent] = []
    for report in reports {
      do throws(TestTable.Problem) {
        let rows = try reader.rows(report.data, format: list.format, pattern: list.pattern)
        events += rows.map { .listed(tests.test($0)) }
      } catch {
        return [.corrupt("the listing cannot be read: \(error.message)")]
      }
    }
    return events + [.ended]
  }

  private func results(_ status: Int32) -> [TestEvent] {
    let isFine = (manifest.exit?.passed ?? [0]).contains(status)
    guard !reports.isEmpty else {
      // A runner that did not come to its tests says why on its output. One that ended well without a
      // report has lost it.
      return isFine
        ? [] : errors("the runner failed before its tests").map(TestEvent.error) + [.ended]
    }
    var tests = ReportedTests(manifest: manifest, context: context)
    var chosen = Chosen(invocation.cases)
    let readings = reports.map { report in
      let (cases, reading) = read(report.data)
      let found = cases.map { placed($0, report.name) }.map { (test: tests.test($0), told: $0) }
      found.forEach { chosen.count($0.test) }
      return (report: report, found: found, reading: reading)
    }
    var events: [TestEvent] = []
    for (report, found, reading) in readings {
      for (test, told) in found {
        guard let test = chosen.take(test) else { continue }
        events += [.listed(test), .started(test.id), .finished(test.id, tests.attempt(told))]
      }
      let isWhole = reading.isComplete && !reading.notes.contains { $0.kind == .countsDisagree }
      if !isWhole {
        let why = reading.notes.first { $0.kind != .repaired }?.message ?? "it is not whole"
        events.append(.corrupt("the report \(shown(report.name)): \(why)"))
      }
      events += outside(reading, tests).map(TestEvent.error)
    }
    return events + [.ended]
  }

  /// TAP knows no suites: a report is that of the file it is named after.
  private func placed(_ found: ReportedCase, _ report: String) -> ReportedCase {
    guard manifest.run.format == .tap, report.hasSuffix(".tap"),
      let range = report.firstRange(of: "/output/")
    else { return found }
    let file = String(report[range.upperBound...].dropLast(4))
    return ReportedCase(
      suites: [file] + found.suites, classname: nil, name: found.name,
      definition: SourceLocation(file: file), attempts: found.attempts)
  }

  private func shown(_ name: String) -> String {
    name.split(separator: "/").last.map(String.init) ?? name
  }

  private func read(_ data: Data) -> (cases: [ReportedCase], reading: ReportReading) {
    switch manifest.run.format {
    case .junit: JUnitXML.decode(data)
    case .tap: TAP.decode(data)
    case .ctrf: CTRF.decode(data)
    case .goJSON: GoTestJSON.decode(data)
    case .json, .jsonLines, .lines:
      TestTable(fields: manifest.run.fields, context: context).results(data, run: manifest.run)
    }
  }

  /// Errors that the report puts outside tests, with the places that the output tells.
  private func outside(_ reading: ReportReading, _ tests: ReportedTests) -> [RunError] {
    guard !reading.errors.isEmpty else { return [] }
    let located = ManifestErrors(manifest: manifest, context: context).matched(in: text)
    let own = reading.errors.map { error in
      RunError(
        stage: error.stage, adapter: context.project.adapter,
        message: String(error.message.trimmingPrefix(while: \.isNewline)),
        location: error.location ?? tests.place(in: error.message), code: error.code,
        suite: error.suite)
    }
    return located.isEmpty ? own : located
  }

  private func errors(_ what: String) -> [RunError] {
    ManifestErrors(manifest: manifest, context: context).found(in: text, otherwise: what)
  }

  private var text: String {
    let stdout = reports.first { $0.name == "stdout" }?.data ?? Data()
    return String(decoding: stdout.suffix(Self.outputLimit) + output, as: UTF8.self)
  }
}

import FoundationEssentials
import Glibc
import ProctorFormats
public import ProctorModel

extension Engine {
  /// Reads reports of foreign tools; nothing is run.
  ///
  /// Memory does not grow with the files: tests that passed are counted, failures are kept up to the
  /// request's limits.
  /// - Throws: `EngineError` when nothing can be read at all: wrong usage, no storage. A file that cannot be
  ///   read, or not to its end, is a report with status `error`.
  public func ingest(_ request: IngestRequest) throws(EngineError) -> Report {
    try report(of: try IngestFiles(request, in: workspace).files, request, sources)
  }

  /// Places of failures in this workspace.
  var sources: SourceIndex { SourceIndex(root: workspace) { [walker] in walker.tree() } }

  /// As `ingest` does, of files that are known.
  /// - Parameter sources: remembers what it looked for, for more files.
  func report(
    of files: [IngestFiles.File], _ request: IngestRequest, _ sources: SourceIndex
  ) throws(EngineError) -> Report {
    let start = ContinuousClock.now
    let sink = IngestSink(request, environment: options.environment)
    let read = files.map { Self.read($0, sink) }
    let repeats = try sink.repeats()
    let errors = read.flatMap { $0.verdict.reading.errors }.map(sources.located)
    let counts = read.map(\.verdict.counts).total
    var report = Report(
      verdict: IngestVerdict(files: read.map(\.verdict), errors: errors, counts: counts).verdict,
      tests: sink.kept.compactMap { test in
        Self.result(test, occurrence: repeats.occurrences[test.position] ?? 1, sources)
      }, errors: errors, missing: [], adapters: [], sandbox: nil,
      durationMS: start.duration(to: .now).milliseconds)
    report.reading = Report.Reading(
      files: read.enumerated().map { $1.shown(repeats: repeats.byFile[$0] ?? 0) }, counts: counts,
      failuresOmitted: sink.failuresOmitted)
    return report
  }

  /// Of one file, before names are compared.
  private struct Read {
    let verdict: IngestVerdict.Read
    let format: ReportFormat?
    let durationMS: Double?

    func shown(repeats: Int) -> ReportFile {
      let reading = verdict.reading
      var notes = reading.notes.map { ReportFile.Note(kind: $0.kind.rawValue, message: $0.message) }
      if repeats > 0 {
        let text = repeats == 1 ? "1 test has" : "\(repeats) tests have"
        notes.append(
          ReportFile.Note(
            kind: ReportReading.Note.Kind.names.rawValue,
            message: "\(text) a name that came before; ids count them"))
      }
      if reading.isComplete, verdict.counts.total == 0, !verdict.isIgnored {
        notes.append(
          ReportFile.Note(
            kind: ReportReading.Note.Kind.noTests.rawValue, message: "it holds no tests"))
      }
      return ReportFile(
        file: verdict.file, format: format?.id, tool: reading.tool, counts: verdict.counts,
        durationMS: durationMS, notes: notes, isComplete: reading.isComplete)
    }
  }

  private static func read(_ file: IngestFiles.File, _ sink: IngestSink) -> Read {
    errno = 0
    guard let blocks = FileBlocks(file.path) else {
      let why = errno == 0 ? "it is no regular file" : String(cString: strerror(errno))
      return unread(file, sink, .unreadable, "it cannot be read: \(why)")
    }
    switch blocks.look() {
    case .empty: return unread(file, sink, .truncated, "the file is empty")
    case .own:
      return unread(
        file, sink, .notAReport, "it is an answer of proctor's own: give it to proctor merge")
    case .unknown(let beginning):
      let formats = ReportFormat.all.map(\.title).joined(separator: ", ")
      return unread(
        file, sink, .notAReport,
        "it begins with \(beginning), which is none of the formats known: \(formats)")
    case .format(let format):
      sink.beginFile(format)
      var reading = format.decode(blocks, into: sink)
      if let problem = blocks.problem {
        let note = ReportReading.Note(kind: .unreadable, message: "it cannot be read: \(problem)")
        reading = ReportReading(
          cases: reading.cases, errors: reading.errors, notes: [note] + reading.notes,
          isComplete: false)
      }
      return Read(
        verdict: IngestVerdict.Read(
          file: file.name, reading: reading, counts: sink.counts, isIgnored: false),
        format: format, durationMS: sink.fileDurationMS)
    }
  }

  /// What is no report is only passed over in a folder, where other things may stand as well.
  private static func unread(
    _ file: IngestFiles.File, _ sink: IngestSink, _ kind: ReportReading.Note.Kind, _ message: String
  ) -> Read {
    sink.beginFile(.junit)
    let isIgnored = kind == .notAReport && !file.mustBeReport
    let reading = ReportReading(
      cases: 0, errors: [], notes: [.init(kind: kind, message: message)], isComplete: isIgnored)
    return Read(
      verdict: IngestVerdict.Read(
        file: file.name, reading: reading, counts: sink.counts, isIgnored: isIgnored),
      format: nil, durationMS: nil)
  }

  /// Jest's tests are grouped by their file as it is on the machine that ran them: ids are to be the same
  /// everywhere.
  private static func named(_ found: ReportedCase, _ sources: SourceIndex) -> ReportedCase {
    guard let path = found.suites.first, path.hasPrefix("/") || path.dropFirst().hasPrefix(":\\"),
      let own = sources.find(path)
    else { return found }
    return ReportedCase(
      suites: [own.file] + found.suites.dropFirst(), classname: found.classname, name: found.name,
      definition: found.definition, attempts: found.attempts)
  }

  private static func result(
    _ test: IngestSink.Kept, occurrence: Int, _ sources: SourceIndex
  ) -> TestResult? {
    let found = Self.named(test.found, sources)
    let project = Project(
      adapter: AdapterID(rawValue: test.format.id), root: ".", evidence: test.format.title)
    let definition = found.definition.map { sources.place($0).0 }
    let result = TestResult(
      test: TestCase(
        id: TestID(project: project, fullName: found.fullName, occurrence: occurrence),
        project: project, suite: found.suite, name: found.name, fullName: found.fullName,
        definition: definition, nativeID: found.name),
      attempts: found.attempts.map { attempt in
        guard attempt.outcome.countsAsFailed else { return attempt }
        return Attempt(
          outcome: attempt.outcome, rawStatus: attempt.rawStatus, durationMS: attempt.durationMS,
          failures: attempt.failures.map(sources.located), note: attempt.note,
          stdout: attempt.stdout, stderr: attempt.stderr)
      })
    guard var result, result.outcome == .passed else { return result }
    // Only surefire's elements and retries make several attempts of a test that passed at last.
    result.isFlaky = result.attempts.contains(where: \.outcome.countsAsFailed)
    return result
  }
}

extension [Counts] {
  fileprivate var total: Counts {
    Counts(
      passed: reduce(0) { $0 + $1.passed }, failed: reduce(0) { $0 + $1.failed },
      skipped: reduce(0) { $0 + $1.skipped })
  }
}

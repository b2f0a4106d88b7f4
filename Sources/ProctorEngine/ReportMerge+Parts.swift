public import ProctorFormats
import ProctorModel

extension ReportMerge {
  /// One file.
  public struct Part: Sendable {
    private enum Content: Sendable {
      case own(RecordedReport)
      /// What `Engine.ingest` made of it.
      case foreign(Report)
      /// It is no report, and stood among reports.
      case passedOver(Report)
      /// A sentence that goes on after its name.
      case unreadable(String)
    }

    /// For messages.
    public let name: String
    private let content: Content

    /// A report of proctor's own.
    public init(name: String, content: Result<RecordedReport, RecordedReport.Unreadable>) {
      self.name = name
      switch content {
      case .success(let recorded): self.content = .own(recorded)
      case .failure(let problem): self.content = .unreadable(problem.text)
      }
    }

    /// Another tool's.
    /// - Parameters:
    ///   - foreign: all that was read of it, with all of its tests.
    ///   - isPassedOver: it turned out to be no report, and need not be one.
    init(name: String, foreign: Report, isPassedOver: Bool) {
      self.name = name
      content = isPassedOver ? .passedOver(foreign) : .foreign(foreign)
    }

    /// nil when nothing of it counts.
    var piece: Piece? {
      switch content {
      case .own(let recorded):
        Piece(name: name, recorded: recorded, report: Report(recorded: recorded))
      case .foreign(let report): Piece(name: name, recorded: nil, report: report)
      case .passedOver, .unreadable: nil
      }
    }

    /// Why it cannot be read as a report of proctor's own; nil when it can, or is none.
    var problem: String? {
      if case .unreadable(let problem) = content { problem } else { nil }
    }

    var isOwn: Bool {
      switch content {
      case .own, .unreadable: true
      case .foreign, .passedOver: false
      }
    }

    var isPassedOver: Bool {
      if case .passedOver = content { true } else { false }
    }

    /// As answers tell of it.
    fileprivate func file(_ piece: Piece?) -> ReportFile? {
      switch content {
      case .foreign(let report), .passedOver(let report): report.reading?.files.first
      case .own:
        ReportFile(
          file: name, format: Self.ownFormat, tool: nil,
          counts: piece?.report.counts ?? Counts([]), durationMS: nil, notes: [], isComplete: true)
      case .unreadable(let problem):
        ReportFile(
          file: name, format: Self.ownFormat, tool: nil, counts: Counts([]), durationMS: nil,
          notes: [
            ReportFile.Note(
              kind: ReportReading.Note.Kind.malformed.rawValue, message: "it \(problem)")
          ], isComplete: false)
      }
    }

    private static let ownFormat = "proctor"
  }

  /// Tests that other tools' reports have, and that were not kept.
  var omitted: Counts { pieces.map(\.omitted).reduce(Counts([]), +) }

  /// What was read, where it was not proctor's alone.
  /// - Parameter listed: of the tests that are listed.
  func reading(_ listed: Counts) -> Report.Reading? {
    guard parts.contains(where: { !$0.isOwn }) else { return nil }
    let pieces = Dictionary(self.pieces.map { ($0.name, $0) }) { first, _ in first }
    var known: Set<TestID> = []
    let files = parts.compactMap { part -> ReportFile? in
      let piece = pieces[part.name]
      guard var file = part.file(piece) else { return nil }
      let again = piece?.report.tests.count { !known.insert($0.test.id).inserted } ?? 0
      if again > 0 {
        file.notes.append(
          ReportFile.Note(
            kind: ReportReading.Note.Kind.names.rawValue,
            message: "\(again == 1 ? "1 test is" : "\(again) tests are") in files before it, too: "
              + "of each the worst outcome counts"))
      }
      return file
    }
    return Report.Reading(
      files: files, counts: listed + omitted, failuresOmitted: omitted.failed)
  }
}

extension ReportMerge.Piece {
  /// The one that another tool's tests are of; nil for proctor's own, and without tests.
  var foreignProject: Project? { recorded == nil ? report.tests.first?.test.project : nil }

  /// Tests of another tool's report that were counted and not kept.
  var omitted: Counts {
    guard recorded == nil else { return Counts([]) }
    let (all, kept) = (report.counts, Counts(report.tests))
    return Counts(
      passed: all.passed - kept.passed, failed: all.failed - kept.failed,
      skipped: all.skipped - kept.skipped)
  }
}

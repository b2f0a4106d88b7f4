import ProctorModel

extension TextSummary {
  private static let filesShown = 50
  private static let notesShown = 5

  /// The files that were read, those first that there is something to say about.
  static func reading(_ reading: Report.Reading, _ style: TextStyle) -> String {
    let noted = reading.files.filter { !$0.notes.isEmpty }
    let files = noted + reading.files.filter { $0.notes.isEmpty }
    var lines = files.prefix(filesShown).flatMap { file($0, style) }
    if files.count > filesShown { lines.append("and \(files.count - filesShown) more files") }
    return lines.joined(separator: "\n")
  }

  private static func file(_ file: ReportFile, _ style: TextStyle) -> [String] {
    let counts = file.counts
    let format = file.format ?? "unknown"
    let tool = file.tool.map { ", \($0)" } ?? ""
    let title = "\(file.file) (\(format)\(tool))".harmless(multiline: false)
    let numbers =
      "\(counts.passed) passed, \(counts.failed) failed, \(counts.skipped) skipped"
    let shown = file.notes.prefix(notesShown).map { note in
      let color: TextStyle.Mark = file.isComplete ? .yellow : .red
      return "  \(style.mark(note.kind, color)) \(note.message.harmless(multiline: false))"
    }
    let more = file.notes.count - shown.count
    return ["\(title): \(numbers)"] + shown + (more > 0 ? ["  and \(more) more notes"] : [])
  }
}

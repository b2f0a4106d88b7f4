import ProctorModel

extension TextSummary {
  private static let pathsShown = 5

  /// What a patch changed, in a line, and the tests among it in another.
  static func change(_ change: CandidateChange, _ style: TextStyle) -> String {
    let line =
      "\(style.mark("PATCH", .faint)) \(size(change)); the tree on disk is as it was"
    let touching = change.touchingTests
    return touching.isEmpty
      ? line : "\(line)\n\(style.mark("TOUCHES TESTS", .yellow)) \(names(touching))"
  }

  /// `3 files, +10 -2`.
  static func size(_ change: CandidateChange) -> String {
    let count = change.files.count
    return "\(count) file\(count == 1 ? "" : "s"), +\(change.insertions) -\(change.deletions)"
  }

  static func names(_ paths: [String]) -> String {
    let shown = paths.prefix(pathsShown).map { $0.harmless(multiline: false) }
    let more = paths.count - shown.count
    return shown.joined(separator: ", ") + (more > 0 ? " and \(more) more" : "")
  }
}

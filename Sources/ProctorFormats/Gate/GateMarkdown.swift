public import FoundationEssentials
public import ProctorModel

/// The answer of a gate as a comment on a change: what blocks first, then the tests by class.
///
/// The same for equal answers, without times, and never larger than `limit`: what has no room is counted.
public struct GateMarkdown {
  /// Bytes. GitHub takes 65,536 characters.
  public static let limit = 60_000
  /// Finds the comment again, to write it anew instead of another one.
  public static let mark = "<!-- proctor gate -->"
  /// Scalars of an error's first line.
  private static let errorLimit = 200
  private static let nameLimit = 300

  private let answer: GateAnswer

  public init(_ answer: GateAnswer) { self.answer = answer }

  public func data() -> Data {
    var text = BoundedMarkdown(limit: Self.limit)
    text.add(head)
    for block in answer.blocks {
      text.add("- **\(block.rule.rawValue)**: \(Self.plain(block.message))\n")
    }
    if !answer.blocks.isEmpty { text.add("\n") }
    errors(&text)
    for kind in GateRow.Class.allCases where kind != .unchanged && kind != .new {
      table(kind, &text)
    }
    weakened(&text)
    text.add(foot)
    // Anybody's words, each of which may find no room.
    for note in answer.head.notes.prefix(GateAnswer.headNotesShown) {
      text.add("\nHead: \(Self.code(note.cut(GateAnswer.headNoteLimit)))\n")
    }
    return Data(text.text.utf8)
  }

  // MARK: parts

  private var head: String {
    let word =
      switch answer.status {
      case .passed: "may merge"
      case .blocked: "blocked"
      case .error: "no verdict"
      }
    let reason = answer.reason.map { " (\($0.rawValue))" } ?? ""
    return "\(Self.mark)\n### proctor gate: \(word)\(reason)\n\n\(Self.plain(sentence))\n\n"
  }

  private var sentence: String {
    answer.status == .blocked
      ? "Compared with \(answer.baseOrigin.title):"
      : "\(answer.message) [compared with \(answer.baseOrigin.title)]"
  }

  private func errors(_ text: inout BoundedMarkdown) {
    let errors = answer.head.errors
    guard !errors.isEmpty else { return }
    text.list(
      title: "#### Errors outside tests\n\n| stage | where | error |\n| --- | --- | --- |\n",
      errors.map { error in
        "| \(error.stage.rawValue) | \(Self.code(error.location?.text ?? "")) | \(Self.code(Self.short(error.message))) |\n"
      })
  }

  private static let titles: [GateRow.Class: String] = [
    .newFailure: "New failures", .flaky: "Flaky", .missing: "Without an outcome",
    .removed: "Removed", .newlySkipped: "Newly skipped", .knownFailure: "Known failures",
    .fixed: "Fixed", .unskipped: "No longer skipped",
  ]

  private func table(_ kind: GateRow.Class, _ text: inout BoundedMarkdown) {
    let rows = answer.rows(kind)
    guard !rows.isEmpty, let title = Self.titles[kind] else { return }
    text.list(
      title:
        "#### \(title) (\(rows.count))\n\n| test | base | head | remark |\n| --- | --- | --- | --- |\n",
      rows.map { row in
        "| \(Self.code(row.id.text)) | \(row.base?.outcome.rawValue ?? "") | \(row.head?.outcome.rawValue ?? "") | \(Self.remark(row)) |\n"
      })
  }

  private static func remark(_ row: GateRow) -> String {
    var parts: [String] = []
    if let place = row.head?.place { parts.append(code(place.text)) }
    if let error = row.head?.error { parts.append(code(short(error))) }
    if let evidence = row.evidence { parts.append(plain(evidence)) }
    if let moved = row.movedTo { parts.append("moved to \(code(moved.text))") }
    if let moved = row.movedFrom { parts.append("moved from \(code(moved.text))") }
    if let entry = row.allowedBy { parts.append("allowed by \(code(entry))") }
    if row.isEdited, [.removed, .newlySkipped].contains(row.kind) {
      parts.append("by this change")
    }
    return parts.joined(separator: ", ")
  }

  private func weakened(_ text: inout BoundedMarkdown) {
    guard let weakened = answer.change?.weakened, !weakened.isEmpty else { return }
    text.list(
      title:
        "#### Fewer assertions (\(weakened.count))\n\nBy a count of words, which is a heuristic.\n\n"
        + "| test | base | head | where |\n| --- | --- | --- | --- |\n",
      weakened.map { item in
        let place = SourceLocation(file: item.file, line: item.line).text
        return
          "| \(Self.code(item.test?.text ?? "")) | \(item.before) | \(item.after) | \(Self.code(place)) |\n"
      })
  }

  private var foot: String {
    let counts = Dictionary(grouping: answer.rows, by: \.kind).mapValues(\.count)
    let words = GateRow.Class.allCases.compactMap { kind in
      counts[kind].map { "\($0) \(kind.rawValue)" }
    }
    let lines =
      [words.joined(separator: ", ")]
      + answer.notes.map { "Note: \($0)" }
    return lines.filter { !$0.isEmpty }.map { Self.plain($0) + "\n" }.joined(separator: "\n")
  }

  // MARK: text from anybody

  private static func short(_ message: String) -> String {
    let line = message.unixLines.first { !$0.allSatisfy(\.isWhitespace) } ?? ""
    return line.cut(errorLimit)
  }

  /// Names are anybody's words: as code, none can end a cell, be markup, or call somebody.
  static func code(_ text: String) -> String {
    text.isEmpty ? "" : "<code>\(entities(text.cut(nameLimit)))</code>"
  }

  private static func plain(_ text: String) -> String { entities(text) }

  private static func entities(_ text: String) -> String {
    text.harmless(multiline: false).unicodeScalars.map { scalar in
      "&<>|*_`[]\\#@~!$\"'".unicodeScalars.contains(scalar)
        ? "&#\(scalar.value);" : "\(Character(scalar))"
    }.joined().replacing("://", with: "&#58;//")
  }
}

/// Markdown that never grows over a limit: lists end with how much of them has no room.
private struct BoundedMarkdown {
  let limit: Int
  private(set) var text = ""
  /// What is kept for the words after lists.
  private static let reserve = 4000

  init(limit: Int) { self.limit = limit }

  mutating func add(_ part: String) {
    if text.utf8.count + part.utf8.count <= limit { text += part }
  }

  /// - Parameter title: with the head of the table.
  mutating func list(title: String, _ rows: [String]) {
    let room = limit - Self.reserve
    guard text.utf8.count + title.utf8.count + (rows.first?.utf8.count ?? 0) <= room else {
      add("\(rows.count) more rows have no room here.\n\n")
      return
    }
    text += title
    var shown = 0
    for row in rows {
      guard text.utf8.count + row.utf8.count <= room else { break }
      text += row
      shown += 1
    }
    if shown < rows.count { add("\nand \(rows.count - shown) more\n") }
    add("\n")
  }
}

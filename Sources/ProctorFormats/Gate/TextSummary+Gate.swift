public import ProctorModel

extension TextSummary {
  private static let rowsShown = 30

  /// - Parameter most: rows of each class; nil for as many as a screen has room for.
  public static func render(
    _ answer: GateAnswer, style: TextStyle, most: Int? = nil
  ) -> String {
    let most = most ?? rowsShown
    var blocks = GateRow.Class.allCases.reversed()
      .filter { ![.unchanged, .new, .fixed, .unskipped].contains($0) }
      .compactMap { section($0, answer, style, most) }
    if let weakened = answer.change?.weakened, !weakened.isEmpty {
      blocks.append(section(weakened, style, most))
    }
    blocks += answer.head.errors.prefix(most).map { gateError($0, style) }
    let notes = answer.allNotes(ofHead: min(most, GateAnswer.headNotesShown))
    if !notes.isEmpty {
      blocks.append(
        notes.map { "\(style.mark("NOTE", .faint)) \($0.harmless(multiline: false))" }
          .joined(separator: "\n"))
    }
    blocks.append(conclusion(answer, style))
    return blocks.joined(separator: "\n\n") + "\n"
  }

  private static func section(
    _ kind: GateRow.Class, _ answer: GateAnswer, _ style: TextStyle, _ most: Int
  ) -> String? {
    let rows = answer.rows(kind)
    guard !rows.isEmpty else { return nil }
    let title = kind.rawValue.uppercased().replacing("_", with: " ")
    let mark: TextStyle.Mark = kind == .newFailure ? .red : .yellow
    let lines = rows.prefix(most).map(line)
    let more = rows.count > most ? ["  and \(rows.count - most) more"] : []
    return (["\(style.mark(title, mark)) \(rows.count)"] + lines + more).joined(separator: "\n")
  }

  private static func line(_ row: GateRow) -> String {
    var parts = [row.id.text]
    if let place = row.head?.place { parts.append(place.text) }
    if let error = row.head?.error { parts.append(firstLine(error)) }
    if let evidence = row.evidence { parts.append(evidence) }
    if let moved = row.movedTo { parts.append("moved to \(moved)") }
    if let moved = row.movedFrom { parts.append("moved from \(moved)") }
    if let entry = row.allowedBy { parts.append("allowed by \(entry)") }
    if row.isEdited, [.removed, .newlySkipped].contains(row.kind) {
      parts.append("by this change")
    }
    return "  " + parts.joined(separator: " · ").harmless(multiline: false)
  }

  private static func firstLine(_ text: String) -> String {
    (text.unixLines.first { !$0.allSatisfy(\.isWhitespace) } ?? "").cut(200)
  }

  private static func section(
    _ weakened: [GateChange.Weakened], _ style: TextStyle, _ most: Int
  ) -> String {
    let lines = weakened.prefix(most).map { item in
      let place = SourceLocation(file: item.file, line: item.line).text
      return
        "  \(item.test.map { "\($0) · " } ?? "")\(place) · \(item.before) assertions, now \(item.after)"
        .harmless(multiline: false)
    }
    let more = weakened.count > most ? ["  and \(weakened.count - most) more"] : []
    return
      (["\(style.mark("FEWER ASSERTIONS", .yellow)) \(weakened.count), by a count of words"]
      + lines + more).joined(separator: "\n")
  }

  private static func gateError(_ error: RunError, _ style: TextStyle) -> String {
    let place = error.location.map { " \($0.text.harmless(multiline: false))" } ?? ""
    return
      "\(style.mark("\(error.stage.rawValue.uppercased()) ERROR", .red))\(place)\n  "
      + firstLine(error.message).harmless(multiline: false)
  }

  private static func conclusion(_ answer: GateAnswer, _ style: TextStyle) -> String {
    let counts = Dictionary(grouping: answer.rows, by: \.kind).mapValues(\.count)
    let words = GateRow.Class.allCases.compactMap { kind in
      counts[kind].map { "\($0) \(kind.rawValue.replacing("_", with: " "))" }
    }
    let sides =
      "\(answer.headOrigin.title) compared with \(answer.baseOrigin.title)".harmless(
        multiline: false)
    let numbers = words.isEmpty ? sides : "\(sides): \(words.joined(separator: ", "))"
    let message = answer.message.harmless(multiline: false)
    switch answer.status {
    case .passed: return "\(numbers)\n" + style.mark("MAY MERGE", .green) + ": \(message)"
    case .blocked:
      let reasons = answer.blocks.map { "\n  \($0.rule.rawValue): \($0.message)" }.joined()
      return "\(numbers)\n" + style.mark("BLOCKED", .red) + reasons.harmless(multiline: true)
    case .error:
      let reason = answer.reason.map { " (\($0.rawValue))" } ?? ""
      return "\(numbers)\n" + style.mark("NO VERDICT", .red) + "\(reason): \(message)"
    }
  }
}

public import ProctorModel

extension TextSummary {
  /// Diagnostics shown; further ones are counted.
  private static let diagnosticsShown = 50

  /// Each diagnostic with its place and the line, then what was checked, then the verdict.
  public static func render(_ answer: CheckAnswer, style: TextStyle) -> String {
    var blocks = answer.diagnostics.prefix(diagnosticsShown).map { diagnostic($0, style) }
    let rest = answer.diagnostics.count + answer.omitted - blocks.count
    if rest > 0 {
      blocks.append("[... \(rest) more, of which --format json lists the first 1000 ...]")
    }
    if let change = answer.change { blocks.append(Self.change(change, style)) }
    let parts = answer.parts.map { part in
      "\(part.project.title.harmless(multiline: false).padded(to: 24)) \(part.checked) \(part.unit), "
        + "\(part.errors) errors, \(part.warnings) warnings in \(humanTime(part.durationMS))\n"
    }
    blocks.append(parts.joined() + verdict(answer, style))
    return blocks.joined(separator: "\n\n") + "\n"
  }

  private static func diagnostic(_ diagnostic: Diagnostic, _ style: TextStyle) -> String {
    let colour: TextStyle.Mark =
      switch diagnostic.severity {
      case .error: .red
      case .warning: .yellow
      case .note: .faint
      }
    let place = diagnostic.location.map { "\($0.text.harmless(multiline: false)): " } ?? ""
    let code = diagnostic.code.map { "[\($0.harmless(multiline: false))]" } ?? ""
    let finder = diagnostic.finder == .compile ? "" : " (\(diagnostic.finder.rawValue))"
    var text =
      place + style.mark(diagnostic.severity.rawValue + code, colour)
      + ": \(diagnostic.message.harmless(multiline: true))\(finder)"
    if let source = diagnostic.source, let line = diagnostic.location?.line {
      let number = "\(line) | "
      text += "\n  \(number)\(source.harmless(multiline: false))"
      if let column = diagnostic.location?.column, column <= source.count + 1 {
        let isRange = diagnostic.endLine == line
        let width = isRange ? max(1, (diagnostic.endColumn ?? 0) - column) : 1
        let pad = source.prefix(column - 1).map { $0 == "\t" ? "  " : " " }.joined()
        let under = String(repeating: "^", count: min(width, source.count + 2 - column))
        text +=
          "\n  " + String(repeating: " ", count: number.count) + pad + style.mark(under, colour)
      }
    }
    return text
  }

  private static func verdict(_ answer: CheckAnswer, _ style: TextStyle) -> String {
    let reason = answer.reason.map { " (\($0.rawValue))" } ?? ""
    let message = answer.message.map { ": \($0.harmless(multiline: true))" } ?? ""
    let time = humanTime(answer.durationMS)
    let bare = answer.sandbox?.backend == "none" ? "\nnot isolated: ran bare on this machine" : ""
    switch answer.status {
    case .passed:
      return
        "\(style.mark("PASSED", .green)) no errors, \(answer.warnings) warnings in \(time)\(bare)"
    case .failed: return "\(style.mark("FAILED", .red))\(reason)\(message) in \(time)\(bare)"
    case .error: return "\(style.mark("NO VERDICT", .red))\(reason)\(message)\(bare)"
    case .nothingToCheck: return "\(style.mark("NOTHING TO CHECK", .yellow))\(message)"
    }
  }
}

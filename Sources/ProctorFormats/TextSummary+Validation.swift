public import ProctorModel

extension TextSummary {
  /// Each finding with its line of code, then the risk.
  public static func render(_ answer: ValidationAnswer, style: TextStyle) -> String {
    var blocks = answer.findings.map { finding($0, style) }
    if answer.findingsOmitted > 0 {
      blocks.append("and \(answer.findingsOmitted) more findings (--max-findings)")
    }
    blocks += notUnderstood(answer, style)
    blocks.append(verdict(answer, style))
    return blocks.joined(separator: "\n") + "\n"
  }

  private static func finding(_ finding: ValidationAnswer.Finding, _ style: TextStyle) -> String {
    let word = style.mark(finding.severity.rawValue, mark(finding.severity))
    let place = "\(finding.file.harmless(multiline: false)):\(finding.line):\(finding.column)"
    let code = finding.code.drop(while: \.isWhitespace)
    return """
      \(word) \(place) \(finding.message.harmless(multiline: false)) \
      \(style.mark("[\(finding.rule)]", .faint))
          \(String(code).harmless(multiline: false))
      """
  }

  private static func notUnderstood(_ answer: ValidationAnswer, _ style: TextStyle) -> [String] {
    var lines = answer.parseErrors.map {
      "\(style.mark("not understood", .yellow)) \($0.text.harmless(multiline: false))"
    }
    if answer.parseErrorsOmitted > 0 {
      lines.append("and \(answer.parseErrorsOmitted) more places that were not understood")
    }
    lines += answer.unexamined.map {
      let why = $0.reason.rawValue.replacing("_", with: " ")
      return "\(style.mark("not examined", .yellow)) \($0.file.harmless(multiline: false)): \(why)"
    }
    if answer.unexaminedOmitted > 0 {
      lines.append("and \(answer.unexaminedOmitted) more files not examined")
    }
    return lines
  }

  private static func verdict(_ answer: ValidationAnswer, _ style: TextStyle) -> String {
    let level = answer.score.level
    let count = answer.findings.count + answer.findingsOmitted
    let files = answer.filesExamined == 1 ? "1 file" : "\(answer.filesExamined) files"
    let found = count == 1 ? "1 finding" : "\(count) findings"
    if answer.isInterrupted {
      return "\(style.mark("INTERRUPTED", .yellow)): not everything was judged; \(found) so far"
    }
    return "\(style.mark("\(level.rawValue) risk", mark(level))), \(answer.score.value) of 100: "
      + "\(found) in \(files), \(humanTime(answer.durationMS))"
  }

  private static func mark(_ level: RiskLevel) -> TextStyle.Mark {
    switch level {
    case .low: .green
    case .medium: .yellow
    case .high, .critical: .red
    }
  }
}

extension TextSummary {
  /// - Parameter name: of the file.
  public static func render(_ answer: LintAnswer, of name: String, style: TextStyle) -> String {
    let shown = name.harmless(multiline: false)
    var lines: [String] = []
    for finding in answer.findings {
      let platform = finding.platform?.rawValue ?? "everyone"
      let count = finding.count > 1 ? "\(finding.count) " : ""
      lines.append(
        "\(style.mark(platform, .yellow)) \(style.mark(finding.code, .bold)): \(count)\(finding.message.harmless(multiline: false))"
      )
      lines += (finding.examples ?? []).map { "    \($0)" }
      if finding.count > finding.examples?.count ?? finding.count {
        lines.append("    and \(finding.count - (finding.examples?.count ?? 0)) more")
      }
      lines.append("    \(style.mark("limit: \(finding.source)", .faint))")
    }
    let platforms = (answer.platforms ?? []).map(\.rawValue).joined(separator: ", ")
    let word =
      answer.findings.isEmpty
      ? style.mark("WHOLE", .green) : style.mark("LOSSY", .yellow)
    let format = answer.format?.rawValue ?? "unknown"
    lines.append(
      "\(word) \(shown): \(format), \(answer.items ?? 0) entries, looked at for \(platforms)")
    return lines.joined(separator: "\n") + "\n"
  }
}

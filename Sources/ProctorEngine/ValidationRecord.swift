import FoundationEssentials
import ProctorModel

/// From what was read and matched to the answer.
struct ValidationRecord {
  let read: ValidationReader.Read
  let verdict: Judge.Verdict
  let settings: Configuration.Validation

  private static let codeShown = 200
  private static let denied = "denied-module"
  private static let deniedSeverity = RiskLevel.high

  func answer(most: Int, durationMS: Double) -> ValidationAnswer {
    let findings = verdict.matches.flatMap(findings).sorted(by: Self.isBefore)
    let broken = parseErrors
    let unexamined = read.unexamined + unfinished
    let ends = Set(verdict.unfinished)
    let examined = read.sources.indices.filter { !ends.contains($0) }
    return ValidationAnswer(
      findings: Array(findings.prefix(most)), findingsOmitted: max(0, findings.count - most),
      parseErrors: Array(broken.prefix(most)),
      parseErrorsOmitted: max(0, broken.count - most),
      unexamined: Array(unexamined.prefix(most)),
      unexaminedOmitted: max(0, unexamined.count - most),
      languages: Set(read.sources.map(\.syntax.language)).sorted(), filesExamined: examined.count,
      score: score(findings, broken, unexamined), durationMS: durationMS,
      isInterrupted: verdict.isInterrupted)
  }

  /// What was not understood is not known to be harmless.
  private func score(
    _ findings: [ValidationAnswer.Finding], _ broken: [SourceLocation],
    _ unexamined: [ValidationAnswer.Unexamined]
  ) -> RiskScore {
    var seen = findings.map { ($0.category, $0.severity) }
    if !broken.isEmpty { seen.append((RuleMatch.parseCategory, .medium)) }
    seen += unexamined.map { ("unexamined", $0.reason == .unfinished ? .high : .medium) }
    return RiskScore(seen.map { (category: $0.0, severity: $0.1) })
  }

  private var unfinished: [ValidationAnswer.Unexamined] {
    verdict.unfinished.map { .init(file: read.sources[$0].shown, reason: .unfinished) }
  }

  private var parseErrors: [SourceLocation] {
    let matched = verdict.matches.filter { $0.match.metadata.category == RuleMatch.parseCategory }
      .map { source, match in
        SourceLocation(
          file: read.sources[source].shown, line: match.range.start.line + 1,
          column: match.range.start.column + 1)
      }
    let undecoded = read.sources.compactMap { source in
      source.brokenLine.map { SourceLocation(file: source.shown, line: $0) }
    }
    return (matched + undecoded).sorted {
      ($0.file, $0.line ?? 0, $0.column ?? 0) < ($1.file, $1.line ?? 0, $1.column ?? 0)
    }
  }

  // MARK: findings

  private func findings(_ source: Int, _ match: RuleMatch) -> [ValidationAnswer.Finding] {
    let category = match.metadata.category
    if category == RuleMatch.parseCategory { return [] }
    let modules = match.modules
    guard let severity = match.metadata.severity else { return denials(source, match, modules) }
    let isSilenced = modules.contains(where: isDenied) || modules.allSatisfy(isAllowed)
    if !modules.isEmpty, isSilenced { return [] }
    return [
      finding(source, match, rule: match.ruleId, severity: severity, message: match.message)
    ]
  }

  /// The rules without a severity know every import, those with one only some.
  private func denials(
    _ source: Int, _ match: RuleMatch, _ modules: [String]
  ) -> [ValidationAnswer.Finding] {
    modules.filter(isDenied).prefix(1).map { module in
      finding(
        source, match, rule: Self.denied, severity: Self.deniedSeverity,
        message: "the module \(module) is denied by [validation] deny_modules")
    }
  }

  private func isDenied(_ module: String) -> Bool {
    settings.denyModules.contains { ModuleName.name(module, isIn: $0) }
  }

  private func isAllowed(_ module: String) -> Bool {
    settings.allowModules.contains { ModuleName.name(module, isIn: $0) }
  }

  private func finding(
    _ source: Int, _ match: RuleMatch, rule: String, severity: RiskLevel, message: String
  ) -> ValidationAnswer.Finding {
    let line = match.lines.prefix { !$0.isNewline }
    return ValidationAnswer.Finding(
      file: read.sources[source].shown, line: match.range.start.line + 1,
      column: match.range.start.column + 1, endLine: match.range.end.line + 1, rule: rule,
      category: match.metadata.category, severity: severity,
      message: String(message.prefix(Self.codeShown)),
      code: ValidationSource.asWritten(String(line.unicodeScalars.prefix(Self.codeShown))))
  }

  private static func isBefore(
    _ one: ValidationAnswer.Finding, _ other: ValidationAnswer.Finding
  ) -> Bool {
    (one.file, one.line, one.column, one.rule) < (other.file, other.line, other.column, other.rule)
  }
}

import ProctorModel

// The answer of `validate_code`, key by key as the contract fixes it.

struct ValidationAnswerShape: Encodable {
  struct Finding: Encodable {
    let file: String
    let line: Int
    let column: Int
    let end_line: Int
    let rule: String
    let category: String
    let severity: RiskLevel
    let message: String
    let code: String
  }

  enum Status: String, Encodable { case ok, error }

  let status: Status
  let message: String?
  let language: String?
  let languages: [String]
  /// Absent where not everything was judged: what is left may be the worst.
  let risk_score: Int?
  let risk_level: RiskLevel?
  let findings: [Finding]
  let findings_omitted: Int?
  let parse_errors: [SourceLocation]?
  let parse_errors_omitted: Int?
  let not_examined: [ValidationAnswer.Unexamined]?
  let not_examined_omitted: Int?
  let files_examined: Int
  let execution_time_ms: Double

  init(_ answer: ValidationAnswer) {
    status = answer.isInterrupted ? .error : .ok
    message = answer.isInterrupted ? "interrupted by the user: not everything was judged" : nil
    language = answer.languages.count == 1 ? answer.languages[0] : nil
    languages = answer.languages
    risk_score = answer.isInterrupted ? nil : answer.score.value
    risk_level = answer.isInterrupted ? nil : answer.score.level
    findings = answer.findings.map {
      Finding(
        file: $0.file, line: $0.line, column: $0.column, end_line: $0.endLine, rule: $0.rule,
        category: $0.category, severity: $0.severity, message: $0.message, code: $0.code)
    }
    findings_omitted = answer.findingsOmitted > 0 ? answer.findingsOmitted : nil
    parse_errors = answer.parseErrors.nonEmpty
    parse_errors_omitted = answer.parseErrorsOmitted > 0 ? answer.parseErrorsOmitted : nil
    not_examined = answer.unexamined.nonEmpty
    not_examined_omitted = answer.unexaminedOmitted > 0 ? answer.unexaminedOmitted : nil
    files_examined = answer.filesExamined
    execution_time_ms = answer.durationMS.rounded3
  }
}

struct ValidationFailureShape: Encodable {
  let status = ValidationAnswerShape.Status.error
  let message: String
}

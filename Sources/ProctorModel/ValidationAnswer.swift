/// What was found in code that was not run.
public struct ValidationAnswer: Sendable {
  /// A place in the code that a rule speaks of.
  public struct Finding: Sendable, Hashable {
    public let file: String
    /// 1-based, in characters.
    public let line: Int
    public let column: Int
    public let endLine: Int
    /// The rule's id, which is its file's name below `rules`.
    public let rule: String
    public let category: String
    public let severity: RiskLevel
    public let message: String
    /// The beginning of the line, bounded.
    public let code: String

    public init(
      file: String, line: Int, column: Int, endLine: Int, rule: String, category: String,
      severity: RiskLevel, message: String, code: String
    ) {
      self.file = file
      self.line = line
      self.column = column
      self.endLine = endLine
      self.rule = rule
      self.category = category
      self.severity = severity
      self.message = message
      self.code = code
    }
  }

  /// A file of which nothing can be said.
  public struct Unexamined: Sendable, Hashable, Codable {
    public enum Reason: String, Sendable, Codable {
      case tooLarge = "too_large"
      case binary
      /// It cannot be read, or lies outside the workspace.
      case unreadable
      /// Examining it did not come to an end within the limits.
      case unfinished
    }

    public let file: String
    public let reason: Reason

    public init(file: String, reason: Reason) {
      self.file = file
      self.reason = reason
    }
  }

  /// In the order of the source; no more than were asked for.
  public let findings: [Finding]
  public let findingsOmitted: Int
  /// Where the code is not of its language, or not UTF-8: what stands there was not understood.
  public let parseErrors: [SourceLocation]
  public let parseErrorsOmitted: Int
  public let unexamined: [Unexamined]
  public let unexaminedOmitted: Int
  /// Of the files examined, sorted.
  public let languages: [String]
  public let filesExamined: Int
  public let score: RiskScore
  public let durationMS: Double
  /// The user stopped it: what was not reached was not judged.
  public let isInterrupted: Bool

  public init(
    findings: [Finding], findingsOmitted: Int, parseErrors: [SourceLocation],
    parseErrorsOmitted: Int, unexamined: [Unexamined], unexaminedOmitted: Int,
    languages: [String], filesExamined: Int, score: RiskScore, durationMS: Double,
    isInterrupted: Bool
  ) {
    self.findings = findings
    self.findingsOmitted = findingsOmitted
    self.parseErrors = parseErrors
    self.parseErrorsOmitted = parseErrorsOmitted
    self.unexamined = unexamined
    self.unexaminedOmitted = unexaminedOmitted
    self.languages = languages
    self.filesExamined = filesExamined
    self.score = score
    self.durationMS = durationMS
    self.isInterrupted = isInterrupted
  }
}

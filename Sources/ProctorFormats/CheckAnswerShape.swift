import ProctorModel

struct CheckAnswerShape: Encodable {
  struct Row: Encodable {
    let severity: Diagnostic.Severity
    let found_by: Diagnostic.Finder
    let file: String?
    let line: Int?
    let column: Int?
    let end_line: Int?
    let end_column: Int?
    let code: String?
    var message: String
    let source: String?
    let adapter: AdapterID

    init(_ diagnostic: Diagnostic) {
      severity = diagnostic.severity
      found_by = diagnostic.finder
      file = diagnostic.location?.file
      line = diagnostic.location?.line
      column = diagnostic.location?.column
      end_line = diagnostic.endLine
      end_column = diagnostic.endColumn
      code = diagnostic.code
      message = diagnostic.message
      source = diagnostic.source
      adapter = diagnostic.adapter
    }
  }

  struct Part: Encodable {
    let adapter: AdapterID
    let root: String
    let evidence: String
    let version: String?
    let checked: Int
    let unit: String
    let errors: Int
    let warnings: Int
    let reason: Verdict.Reason?
    let message: String?
    let execution_time_ms: Double
    /// nil in answers to models.
    var commands: [AdapterAnswer.Command]?

    init(_ part: CheckAnswer.Part) {
      adapter = part.project.adapter
      root = part.project.root
      evidence = part.project.evidence
      version = part.version
      checked = part.checked
      unit = part.unit
      errors = part.errors
      warnings = part.warnings
      reason = part.reason
      message = part.message
      execution_time_ms = part.durationMS.rounded3
      commands = part.commands.map(AdapterAnswer.Command.init)
    }
  }

  let status: CheckAnswer.Status
  let reason: Verdict.Reason?
  var message: String?
  let errors: Int
  let warnings: Int
  var diagnostics: [Row]
  var diagnostics_omitted: Int?
  var adapters: [Part]
  var patch: ChangeAnswer?
  var sandbox: SandboxReceipt?
  let execution_time_ms: Double

  init(_ answer: CheckAnswer) {
    status = answer.status
    reason = answer.reason
    message = answer.message
    errors = answer.errors
    warnings = answer.warnings
    diagnostics = answer.diagnostics.map(Row.init)
    diagnostics_omitted = answer.omitted > 0 ? answer.omitted : nil
    adapters = answer.parts.map(Part.init)
    patch = answer.change.map(ChangeAnswer.init)
    sandbox = answer.sandbox
    execution_time_ms = answer.durationMS.rounded3
  }
}

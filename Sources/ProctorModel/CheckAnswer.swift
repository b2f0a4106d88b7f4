/// Whether a workspace compiles and imports.
public struct CheckAnswer: Sendable {
  public enum Status: String, Sendable, Codable {
    /// Every project was checked, at least one file was, and there is no error.
    case passed
    case failed
    /// No verdict can be given.
    case error
    case nothingToCheck = "nothing_to_check"
  }

  /// What was done for one project.
  public struct Part: Sendable {
    public let project: Project
    /// The tool's version, when known.
    public var version: String?
    /// Files, targets or builds that were checked, and which of them.
    public var checked = 0
    public var unit = "files"
    public var commands: [AdapterReport.Command] = []
    public var durationMS = 0.0
    public var errors = 0
    public var warnings = 0
    /// Why there is no verdict about it; nil when there is one.
    public var reason: Verdict.Reason?
    public var message: String?

    public init(_ project: Project) { self.project = project }
  }

  /// Diagnostics that answers list; errors come first.
  public static let listed = 1000

  public let status: Status
  /// nil when passed.
  public let reason: Verdict.Reason?
  public let message: String?
  /// Each once, errors first, then by place; bounded by `listed`.
  public let diagnostics: [Diagnostic]
  public let errors: Int
  public let warnings: Int
  /// Diagnostics that are not in the list.
  public let omitted: Int
  public let parts: [Part]
  public let sandbox: SandboxReceipt?
  public let durationMS: Double
  /// How what was checked differs from the workspace; nil when it was the workspace itself.
  public var change: CandidateChange?

  public init(
    _ status: Status, reason: Verdict.Reason? = nil, message: String? = nil,
    diagnostics: [Diagnostic] = [], parts: [Part] = [], sandbox: SandboxReceipt? = nil,
    durationMS: Double = 0
  ) {
    self.status = status
    self.reason = reason
    self.message = message
    self.diagnostics = Array(diagnostics.prefix(Self.listed))
    errors = diagnostics.count { $0.severity == .error }
    warnings = diagnostics.count { $0.severity == .warning }
    omitted = max(0, diagnostics.count - Self.listed)
    self.parts = parts
    self.sandbox = sandbox
    self.durationMS = durationMS
  }
}

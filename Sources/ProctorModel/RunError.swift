/// Something that went wrong outside any test: compiling, collecting, set-up of a suite.
///
/// It makes a run `failed`, and is never retried or quarantined.
public struct RunError: Hashable, Sendable {
  public enum Stage: String, Sendable, Codable {
    /// A dependency or a tool is missing.
    case dependency
    /// The runner's own configuration or manifest is broken.
    case configuration
    /// The code did not compile or link.
    case build
    /// Test files could not be imported or collected.
    case collection
    /// Set-up or tear-down of a file or suite, or an error after the tests ended.
    case suite
  }

  /// What only proctor finds wrong outside tests, and `[tests] allow` may accept.
  public enum Finding: String, Sendable, CaseIterable {
    /// A thread of a Rust test panicked and nobody joined it.
    case unjoinedPanic = "unjoined_panic"
    /// An assertion failed in a Python thread, where it fails no test.
    case threadAssertion = "thread_assertion"
    /// A set-up file replaced a global of jest by one that accepts everything.
    case replacedGlobal = "replaced_global"
  }

  /// An error that only proctor found.
  public init(
    _ finding: Finding, adapter: AdapterID, message: String, location: SourceLocation?,
    suite: String?
  ) {
    self.init(
      stage: .suite, adapter: adapter,
      message: message
        + "\nIf it is meant to be so: [tests] allow = [\"\(finding.rawValue)\"] in proctor.toml",
      location: location, code: finding.rawValue, suite: suite, finding: finding)
  }

  /// A runner that cannot list its tests was asked to.
  public static func cannotList(_ project: Project) -> RunError {
    RunError(
      stage: .collection, adapter: project.adapter,
      message: "\(project.adapter) cannot list its tests without running them")
  }

  public let stage: Stage
  public let adapter: AdapterID?
  public let message: String
  public let location: SourceLocation?
  /// The compiler's own code: `E0425`, `TS2304`.
  public let code: String?
  /// The suite it belongs to, when there is one.
  public let suite: String?
  /// nil when the runner itself knows of it, so that its exit status shows it.
  public let finding: Finding?
  /// How the place was found in a foreign report.
  public var origin: LocationOrigin?

  public init(
    stage: Stage, adapter: AdapterID?, message: String, location: SourceLocation? = nil,
    code: String? = nil, suite: String? = nil, finding: Finding? = nil
  ) {
    self.stage = stage
    self.adapter = adapter
    self.message = message
    self.location = location
    self.code = code
    self.suite = suite
    self.finding = finding
  }
}

/// What a machine and a workspace offer.
public struct StatusAnswer: Sendable, Codable {
  public struct Isolation: Sendable, Codable {
    /// A value of `--isolation`.
    public let name: String
    public let available: Bool
    /// What it gives, or why it cannot be had.
    public let detail: String

    public init(name: String, available: Bool, detail: String) {
      self.name = name
      self.available = available
      self.detail = detail
    }
  }

  public struct Capability: Sendable, Codable {
    public let name: String
    public let available: Bool
    public let detail: String

    public init(name: String, available: Bool, detail: String) {
      self.name = name
      self.available = available
      self.detail = detail
    }
  }

  public struct Runner: Sendable, Codable {
    public let adapter: AdapterID
    public let root: String
    public let evidence: String
    /// The tool that would run, absolute; absent when it is missing.
    public let tool: String?
    public let version: String?
    /// What is missing and what to do about it.
    public let problem: String?

    public init(
      adapter: AdapterID, root: String, evidence: String, tool: String?, version: String?,
      problem: String?
    ) {
      self.adapter = adapter
      self.root = root
      self.evidence = evidence
      self.tool = tool
      self.version = version
      self.problem = problem
    }
  }

  public struct Settings: Sendable, Codable {
    /// Whether a `proctor.toml` was read.
    public let file: Bool
    public let isolation: String
    public let tests: ResourceLimits
    public let fetch: Bool

    public init(file: Bool, isolation: String, tests: ResourceLimits, fetch: Bool) {
      self.file = file
      self.isolation = isolation
      self.tests = tests
      self.fetch = fetch
    }
  }

  public let proctorVersion: String
  public let isolation: [Isolation]
  /// Each was tried, not looked up.
  public let host: [Capability]
  public let runners: [Runner]
  public let configuration: Settings

  public init(
    proctorVersion: String, isolation: [Isolation], host: [Capability], runners: [Runner],
    configuration: Settings
  ) {
    self.proctorVersion = proctorVersion
    self.isolation = isolation
    self.host = host
    self.runners = runners
    self.configuration = configuration
  }

  private enum CodingKeys: String, CodingKey {
    case proctorVersion = "proctor_version"
    case isolation, host, runners, configuration
  }
}

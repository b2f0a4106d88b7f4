public import ProctorModel
public import ProctorSandbox

/// `proctor.toml`, checked: every key known, every value of its type and range.
public struct Configuration: Sendable, Hashable {
  public enum Isolation: String, Sendable, CaseIterable {
    case auto, namespaces, bubblewrap, docker, wasm, vm, none
  }

  /// `[execution]`: functions and pieces of code.
  public struct Execution: Sendable, Hashable {
    public var enabled = true
    public var isolation = Isolation.auto
    /// The image for the isolation `docker`.
    public var image: String?
    /// The command that runs it: `docker` or `podman`; nil for the first that is installed.
    public var engine: String?
    public var maxMemoryMB = 512
    public var maxCPUTimeSeconds = 5
    public var defaultTimeoutSeconds = 5
    public var maxFileOperations = 0
    public var maxNetworkRequests = 0
    public var allowFilesystemAccess = false
    public var allowNetworkAccess = false
    public var requireUserConfirmation = true
    /// Limits that the file names: they must hold, or the call is refused.
    public var named: Set<ResourceLimits.Name> = []

    /// What holds for one call.
    /// - Parameter timeout: wall-clock seconds instead of the configured ones.
    public func resourceLimits(timeout: Double? = nil) -> ResourceLimits {
      let mayTouchFiles = allowFilesystemAccess && !named.contains(.fileOperations)
      let mayConnect = allowNetworkAccess && !named.contains(.networkRequests)
      return ResourceLimits(
        wallSeconds: timeout ?? Double(defaultTimeoutSeconds),
        cpuSeconds: Double(maxCPUTimeSeconds), memoryMB: maxMemoryMB, processes: 64,
        scratchMB: 256, scratchFiles: 100_000, outputMB: 64,
        fileOperations: mayTouchFiles ? nil : maxFileOperations,
        networkRequests: mayConnect ? nil : maxNetworkRequests)
    }
  }

  /// `[tests]`: runs of test runners.
  public struct Tests: Sendable, Hashable {
    public var timeoutSeconds = 600
    /// For each test; nil for no limit but the whole run's.
    public var testTimeoutSeconds: Int?
    /// Limits that the file names: they must hold, or the run is refused.
    public var limits: [ResourceLimits.Name: Int] = [:]
    public var workspace = SandboxPolicy.WorkspaceAccess.protected
    /// Patterns of files that tests write and that stay in the workspace.
    public var keep: [String] = []
    /// Absolute paths that tests may read besides their workspace and tools.
    public var read: [String] = []
    public var allowNetworkAccess = false
    public var fetch = false
    /// How often a failed test is run again.
    public var retries = 0
    /// What tests mean that failed and then passed.
    public var flaky = FlakyPolicy.warn
    /// What proctor alone finds wrong, and this workspace means to do.
    public var allow: Set<RunError.Finding> = []
    public var adapters: [AdapterID: AdapterSettings] = [:]

    /// What holds for each command of a runner.
    public var resourceLimits: ResourceLimits {
      ResourceLimits(
        wallSeconds: Double(timeoutSeconds), cpuSeconds: limits[.cpuSeconds].map(Double.init),
        memoryMB: limits[.memoryMB] ?? 4096, processes: limits[.processes] ?? 1024,
        openFiles: limits[.openFiles], fileSizeMB: limits[.fileSizeMB],
        scratchMB: limits[.scratchMB] ?? 4096, scratchFiles: limits[.scratchFiles] ?? 1_000_000,
        outputMB: limits[.outputMB], fileOperations: limits[.fileOperations],
        networkRequests: limits[.networkRequests])
    }
  }

  /// `[validation]`: what is thought of code before it runs.
  public struct Validation: Sendable, Hashable {
    /// Modules whose import alone is no finding.
    public var allowModules: [String] = []
    /// Modules that are a finding wherever they are imported; they win over allowed ones.
    public var denyModules: [String] = []
    /// From this level on the user is asked even where confirmation is switched off; nil: never.
    public var confirmAt: RiskLevel? = .high
  }

  /// `[audit]`: what a workspace has a say in; the rest is `UserSettings`.
  public struct Audit: Sendable, Hashable {
    /// Calls that cannot be recorded are refused.
    public var isRequired = false
  }

  /// `[history]`: what becomes of tests, run by run.
  public struct History: Sendable, Hashable {
    /// nil: as the other settings have it.
    public var isEnabled: Bool?
    /// Megabytes (2^20 bytes) of a workspace's history.
    public var maxMegabytes: Int?
    public var keepDays: Int?

    /// What holds where two have a say: what keeps less.
    func strictest(with other: History) -> History {
      var result = History()
      result.isEnabled = [isEnabled, other.isEnabled].contains(false) ? false : nil
      result.maxMegabytes = [maxMegabytes, other.maxMegabytes].compactMap(\.self).min()
      result.keepDays = [keepDays, other.keepDays].compactMap(\.self).min()
      return result
    }
  }

  public var audit = Audit()
  public var history = History()
  public var execution = Execution()
  public var validation = Validation()
  public var tests = Tests()
  /// Whether a file was read.
  public var fromFile = false

  public static let fileName = "proctor.toml"

  public init() {}

  public func settings(for adapter: AdapterID) -> AdapterSettings {
    tests.adapters[adapter] ?? AdapterSettings()
  }
}

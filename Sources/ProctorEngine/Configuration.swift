public import ProctorModel

/// `proctor.toml`, checked: every key known, every value of its type and range.
public struct Configuration: Sendable, Hashable {
  public enum Isolation: String, Sendable, CaseIterable {
    case auto, bubblewrap, docker, wasm, vm, none
  }

  /// `[execution]`: functions and pieces of code.
  public struct Execution: Sendable, Hashable {
    public var enabled = true
    public var isolation = Isolation.auto
    public var maxMemoryMB = 512
    public var maxCPUTimeSeconds = 5
    public var defaultTimeoutSeconds = 5
    public var maxFileOperations = 0
    public var maxNetworkRequests = 0
    public var allowFilesystemAccess = false
    public var allowNetworkAccess = false
    public var requireUserConfirmation = true
  }

  /// `[tests]`: runs of test runners.
  public struct Tests: Sendable, Hashable {
    public var timeoutSeconds = 600
    /// For each test; nil for no limit but the whole run's.
    public var testTimeoutSeconds: Int?
    public var maxMemoryMB = 4096
    /// nil: `defaultMaxProcesses` where this host can hold it. A number that was asked for must hold.
    public var maxProcesses: Int?
    public static let defaultMaxProcesses = 1024
    public var fetch = false
    /// What proctor alone finds wrong, and this workspace means to do.
    public var allow: Set<RunError.Finding> = []
    public var adapters: [AdapterID: AdapterSettings] = [:]
  }

  public var execution = Execution()
  public var tests = Tests()
  /// Whether a file was read.
  public var fromFile = false

  public static let fileName = "proctor.toml"

  public init() {}

  public func settings(for adapter: AdapterID) -> AdapterSettings {
    tests.adapters[adapter] ?? AdapterSettings()
  }
}

public import ProctorModel

/// What a command may see, touch and use. A value: it changes nothing by itself.
public struct SandboxPolicy: Sendable, Hashable {
  public enum Backend: String, Sendable, Hashable {
    case bubblewrap
    /// Bare: limits and supervision, no walls.
    case none
  }

  public enum WorkspaceAccess: String, Sendable, Hashable {
    /// Copy-on-write: the command may write, the tree on disk does not change.
    case protected
    case readOnly = "read-only"
    case writable
  }

  public enum Network: String, Sendable, Hashable {
    /// Only a loopback interface of its own, up.
    case none
    case host
  }

  public var backend: Backend
  /// Absolute; the same path inside.
  public var workspace: String
  public var access: WorkspaceAccess
  public var network: Network
  /// The same paths inside.
  public var mounts: [Invocation.Mount]
  public var limits: ResourceLimits
  /// Whether a host that cannot limit processes is refused, rather than named in the receipt.
  public var mustLimitProcesses: Bool
  /// An empty private folder of this path inside.
  public var home: String
  /// An existing private folder on the cache file system. What commands write to a protected
  /// workspace is kept in it, for the next command with the same scratch; commands that share one
  /// must run one after the other. The caller removes it.
  public var scratch: String

  public init(
    backend: Backend, workspace: String, access: WorkspaceAccess, network: Network,
    mounts: [Invocation.Mount], limits: ResourceLimits, mustLimitProcesses: Bool = false,
    home: String, scratch: String
  ) {
    self.backend = backend
    self.workspace = workspace
    self.access = access
    self.network = network
    self.mounts = mounts
    self.limits = limits
    self.mustLimitProcesses = mustLimitProcesses
    self.home = home
    self.scratch = scratch
  }
}

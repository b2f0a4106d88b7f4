public import ProctorModel

/// What a command may see, touch and use. A value: it changes nothing by itself.
public struct SandboxPolicy: Sendable, Hashable {
  public enum Backend: String, Sendable, Hashable {
    /// `namespaces`, or `bubblewrap` where only that program may make them.
    case automatic = "auto"
    /// Proctor's own launcher.
    case namespaces
    case bubblewrap
    /// Docker or Podman: see `container`.
    case container = "docker"
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

  /// Which engine runs which image, as which user.
  public struct Container: Sendable, Hashable {
    /// The command line of Docker or Podman, absolute.
    public var engine: String
    /// What that command line itself runs with.
    public var environment: [String: String]
    public var image: String
    /// Never root.
    public var user: UInt32
    public var group: UInt32

    /// Marks a container as this proctor's, so that it is removed when this proctor is gone.
    public static var labels: [String] { ContainerEngine.labels }

    public init(
      engine: String, environment: [String: String], image: String, user: UInt32, group: UInt32
    ) {
      self.engine = engine
      self.environment = environment
      self.image = image
      self.user = user
      self.group = group
    }
  }

  public var backend: Backend
  /// Needed by the backend `container` only.
  public var container: Container?
  /// Absolute; the same path inside.
  public var workspace: String
  /// The folder of the host that stands in the workspace's place, absolute; the workspace itself unless it is a
  /// copy. Bare commands see no other place than it is at.
  public var source: String
  public var access: WorkspaceAccess
  public var network: Network
  /// The same paths inside.
  public var mounts: [Invocation.Mount]
  /// Whether the next command with the same scratch sees what this one wrote to a protected workspace, and the
  /// caller may. What is thrown away is written to memory where that can be had, within the limit for scratch space.
  public var keepsWrites: Bool
  /// Whether `.layered` folders may be written, and what is written to them stays: for fetching.
  public var keepsLayers: Bool
  public var limits: ResourceLimits
  /// Limits without which the command is refused, rather than run and the lack named in the receipt.
  public var required: Set<ResourceLimits.Name>
  /// An empty private folder of this path inside.
  public var home: String
  /// An existing private folder on the cache file system, for what is kept; commands that share one must run one
  /// after the other. The caller removes it.
  public var scratch: String
  /// Folders in which reading does not count as a file operation, as in those of the system.
  public var freeReads: [String]

  public init(
    backend: Backend, workspace: String, source: String? = nil, access: WorkspaceAccess,
    network: Network, mounts: [Invocation.Mount], keepsWrites: Bool = true,
    keepsLayers: Bool = false, limits: ResourceLimits,
    required: Set<ResourceLimits.Name> = [], home: String, scratch: String,
    freeReads: [String] = [], container: Container? = nil
  ) {
    self.backend = backend
    self.workspace = workspace
    self.source = source ?? workspace
    self.access = access
    self.network = network
    self.mounts = mounts
    self.keepsWrites = keepsWrites
    self.keepsLayers = keepsLayers
    self.limits = limits
    self.required = required
    self.home = home
    self.scratch = scratch
    self.freeReads = freeReads
    self.container = container
  }

  /// Folders in which nothing counts as a file operation.
  var scratchFolders: [String] {
    mounts.compactMap { if case .scratch(let path) = $0 { path } else { nil } }
  }

  /// What is mounted to be written.
  var writableFolders: [String] {
    scratchFolders + mounts.compactMap { if case .writable(let path) = $0 { path } else { nil } }
  }
}

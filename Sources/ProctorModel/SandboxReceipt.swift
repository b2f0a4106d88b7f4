/// What was really in force around a process, as opposed to what was asked for.
public struct SandboxReceipt: Hashable, Sendable, Codable {
  /// `namespaces`, `bubblewrap`, `docker` or `none`; a runtime inside is the first of the layers.
  public let backend: String
  /// The walls that stood, in the order they were built: `user namespace`, `network namespace`...
  public var layers: [String]
  /// `protected` (copy-on-write), `read-only` or `writable`.
  public let workspace: String
  /// `none` (loopback only) or `host`.
  public let network: String
  public var limits: ResourceLimits
  /// How the memory and process limits are held: `cgroup v2`, `cgroup v1`, `rlimit`,
  /// `container engine`; nil when not limited.
  public let limitsBy: String?
  /// What the policy asked for and this host could not give, in sentences; empty when all stood.
  public let missing: [String]
  /// What the command wanted and did not get.
  public var denied: [Denial]
  /// Denials that are not in the list.
  public var deniedOmitted: Int
  /// Limits that were met.
  public var reached: [ReachedLimit]

  public init(
    backend: String, layers: [String], workspace: String, network: String, limits: ResourceLimits,
    limitsBy: String?, missing: [String], denied: Denials = Denials(), reached: [ReachedLimit] = []
  ) {
    self.backend = backend
    self.layers = layers
    self.workspace = workspace
    self.network = network
    self.limits = limits
    self.limitsBy = limitsBy
    self.missing = missing
    self.denied = denied.list
    deniedOmitted = denied.omitted
    self.reached = reached
  }

  private enum CodingKeys: String, CodingKey {
    case backend, layers, workspace, network, limits
    case limitsBy = "limits_by"
    case missing, denied
    case deniedOmitted = "denied_omitted"
    case reached
  }
}

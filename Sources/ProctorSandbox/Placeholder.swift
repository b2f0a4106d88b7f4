public import FoundationEssentials
public import ProctorModel
public struct SandboxPolicy: Sendable, Hashable {
  public enum Backend: String, Sendable, Hashable { case bubblewrap, none }
  public enum WorkspaceAccess: String, Sendable, Hashable { case protected, readOnly = "read-only", writable }
  public enum Network: String, Sendable, Hashable { case none, host }
  public var backend: Backend
  public var workspace: String
  public var access: WorkspaceAccess
  public var network: Network
  public var mounts: [Invocation.Mount]
  public var limits: ResourceLimits
  public var home: String
  public var scratch: String
  public init(backend: Backend, workspace: String, access: WorkspaceAccess, network: Network, mounts: [Invocation.Mount], limits: ResourceLimits, home: String, scratch: String) {
    self.backend = backend; self.workspace = workspace; self.access = access; self.network = network; self.mounts = mounts; self.limits = limits; self.home = home; self.scratch = scratch
  }
}
public struct SandboxCommand: Sendable {
  public var argv: [String]; public var environment: [String: String]; public var directory: String
  public var channel: String?
  public var visible: [String]
  public init(argv: [String], environment: [String: String], directory: String, channel: String?, visible: [String]) {
    self.argv = argv; self.environment = environment; self.directory = directory; self.channel = channel; self.visible = visible
  }
}
public enum SandboxEvent: Sendable { case stdout(Data), stderr(Data), channel(Data) }
public struct SandboxResult: Sendable {
  public enum Ending: Sendable, Hashable { case exited, wallTime, outOfMemory, cancelled }
  public var status: ExitStatus; public var ending: Ending; public var durationMS: Double; public var peakMemoryMB: Double?; public var cpuSeconds: Double?; public var receipt: SandboxReceipt
}
public struct SandboxError: Error, Sendable { public enum Code: String, Sendable { case bubblewrapMissing, namespacesUnavailable, cannotStart, limitUnavailable, storage }
  public var code: Code, message: String, resolution: String }
public struct Sandbox: Sendable {
  public init() {}
  public static func sweep() {}
  public func run(_ command: SandboxCommand, policy: SandboxPolicy, events: @escaping @Sendable (SandboxEvent) -> Void) async throws(SandboxError) -> SandboxResult { throw SandboxError(code: .cannotStart, message: "", resolution: "") }
}

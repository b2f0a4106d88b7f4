public import FoundationEssentials
public import ProctorModel

/// A command to run under a policy.
public struct SandboxCommand: Sendable {
  /// The first is an absolute path or a name looked up on the environment's PATH.
  public var argv: [String]
  /// Complete: nothing is inherited.
  public var environment: [String: String]
  /// Absolute.
  public var directory: String
  /// An existing named pipe to read while the command runs; nil for none.
  public var channel: String?
  /// Host paths that are visible, read-only, besides the policy's mounts.
  public var visible: [String]
  /// An open descriptor whose bytes it gets on stdin, as they come; not closed. nil: nothing.
  public var input: Int32?

  public init(
    argv: [String], environment: [String: String], directory: String, channel: String? = nil,
    visible: [String] = [], input: Int32? = nil
  ) {
    self.argv = argv
    self.environment = environment
    self.directory = directory
    self.channel = channel
    self.visible = visible
    self.input = input
  }
}

extension SandboxCommand {
  /// Where its program may be: the path itself, or each folder of the environment's PATH.
  var candidates: [String] {
    let name = argv.first ?? ""
    if name.contains("/") { return [name] }
    return (environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(name)" }
  }
}

/// What a running command did.
public enum SandboxEvent: Sendable {
  case stdout(Data)
  case stderr(Data)
  case channel(Data)
  /// A time limit was reached: what comes from now on is the command's last words.
  case stopping
  /// What it uses, some times a second.
  case usage(UsageSample)
}

/// How a command ended.
public struct SandboxResult: Sendable {
  public enum Ending: Sendable, Hashable {
    case exited
    /// Killed at the wall-clock limit.
    case wallTime
    /// Killed at the moment that the caller's `overdue` named.
    case overdue
    /// Killed by the kernel at the memory limit.
    case outOfMemory
    /// Killed at the limit of processor time.
    case cpuTime
    /// Killed because it filled the disk.
    case scratchSpace
    /// Killed because it wrote more to stdout and stderr than allowed.
    case output
    /// Killed because the awaiting task was cancelled.
    case cancelled
  }

  public var status: ExitStatus
  public var ending: Ending
  public var durationMS: Double
  /// Megabytes of the whole tree, or of its largest process where the tree cannot be measured.
  public var peakMemoryMB: Double?
  public var cpuSeconds: Double?
  public var receipt: SandboxReceipt
  /// Where what it wrote to a protected workspace lies; nil when that is not on disk.
  public var workspaceWrites: String?
}

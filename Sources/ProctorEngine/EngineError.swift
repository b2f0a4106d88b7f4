import ProctorSandbox

/// Proctor itself cannot do what was asked: wrong usage, no workspace, no sandbox, no storage, or it was interrupted.
public struct EngineError: Error, Hashable, Sendable {
  public enum Code: String, Sendable {
    case usage
    case configuration
    case workspace
    case sandbox
    case storage
    /// Too much goes on already; it may work later.
    case busy
    /// The user did, before there was anything to answer with.
    case interrupted
  }

  public let code: Code
  public let message: String
  /// What the user can do about it.
  public let resolution: String

  public init(_ code: Code, _ message: String, resolution: String) {
    self.code = code
    self.message = message
    self.resolution = resolution
  }
}

extension EngineError {
  init(sandbox error: SandboxError) {
    self.init(
      error.code == .storage ? .storage : .sandbox, error.message, resolution: error.resolution)
  }
}

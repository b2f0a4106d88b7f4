/// The command could not be started as the policy demands. It was not run in any other way.
public struct SandboxError: Error, Hashable, Sendable {
  public enum Code: String, Sendable {
    case bubblewrapMissing
    case namespacesUnavailable
    case cannotStart
    case limitUnavailable
    case containerUnavailable
    case storage
  }

  public let code: Code
  public let message: String
  /// What the user can do.
  public let resolution: String

  public init(_ code: Code, _ message: String, resolution: String) {
    self.code = code
    self.message = message
    self.resolution = resolution
  }
}

/// A file of proctor's own cannot be used.
public struct StorageError: Error, Hashable, Sendable {
  public let message: String
  /// What the user can do about it.
  public let resolution: String

  public init(_ message: String, resolution: String) {
    self.message = message
    self.resolution = resolution
  }
}

import ProctorStorage

/// The audit trail cannot be written or read.
public struct AuditError: Error, Hashable, Sendable {
  public let message: String
  /// What the user can do about it.
  public let resolution: String

  public init(_ message: String, resolution: String) {
    self.message = message
    self.resolution = resolution
  }

  /// - Parameters:
  ///   - error: what went wrong with the trail's file, or an `AuditError`.
  init(_ error: any Error, in file: DatabaseFile) {
    if let error = error as? AuditError {
      self = error
    } else {
      let problem = file.problem(error)
      self.init(problem.message, resolution: problem.resolution)
    }
  }
}

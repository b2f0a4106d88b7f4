public import ProctorAudit
public import ProctorEngine

extension AuditTrail {
  /// The trail of a user, by the user's settings and environment.
  /// - Parameter say: tells the user what is wrong with it; any thread.
  public static func of(
    _ environment: [String: String], say: @escaping @Sendable (String) -> Void
  ) throws(EngineError) -> AuditTrail {
    let wanted = try UserSettings.read(environment).audit
    var settings = AuditSettings()
    settings.isRequired = wanted.isRequired
    settings.retentionDays = wanted.retentionDays
    settings.maxMegabytes = wanted.maxMegabytes
    return AuditTrail(
      folder: try UserSettings.auditFolder(environment), settings: settings,
      environment: environment, say: say)
  }
}

extension EngineError {
  public init(audit error: AuditError) {
    self.init(.storage, error.message, resolution: error.resolution)
  }
}

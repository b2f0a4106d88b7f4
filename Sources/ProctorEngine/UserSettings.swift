import ProctorModel

/// What the user has settled for all workspaces: `~/.config/proctor/proctor.toml`.
///
/// No workspace has a say in it: its files may be anybody's, an agent's among them.
public struct UserSettings: Sendable, Hashable {
  /// `[audit]`.
  public struct Audit: Sendable, Hashable {
    /// Calls that cannot be recorded are refused.
    public var isRequired = false
    public var retentionDays = 90
    /// Megabytes (2^20 bytes) of the trail.
    public var maxMegabytes = 256
  }

  public var audit = Audit()
  /// `[history]`.
  public var history = Configuration.History()

  /// - Throws: `EngineError` with code `configuration` when the file is broken.
  public static func read(_ environment: [String: String]) throws(EngineError) -> UserSettings {
    guard let folder = folder(environment) else { return UserSettings() }
    let path = "\(folder)/\(Configuration.fileName)"
    guard FileSystem.exists(path) else { return UserSettings() }
    guard let data = FileSystem.read(path, limit: 1 << 20),
      let text = String(validating: data, as: UTF8.self)
    else {
      throw EngineError(
        .configuration, "\(path) cannot be read, is larger than 1 MiB or is not UTF-8 text",
        resolution: "Make it a readable text file.")
    }
    return try ConfigurationReader.readUser(text, path: path)
  }

  /// Where a user's own settings and manifests are; nil without a home.
  static func folder(_ environment: [String: String]) -> String? {
    let base =
      environment["XDG_CONFIG_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
      ?? environment["HOME"].map { "\($0)/.config" }
    return base.map { "\($0)/proctor" }
  }

  /// The folder of the audit trail, below the cache folder.
  public static func auditFolder(_ environment: [String: String]) throws(EngineError) -> String {
    "\(try CacheFolder(environment: environment).root)/audit"
  }
}

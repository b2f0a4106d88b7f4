/// Something that a sandboxed command wanted and did not get.
public struct Denial: Hashable, Sendable, Codable {
  public enum Kind: String, Sendable, Codable {
    /// An address outside the sandbox.
    case network
    /// A socket of the host's file system.
    case unixSocket = "unix_socket"
    /// A file or folder.
    case file
  }

  public let kind: Kind
  /// The address with its port, or the path.
  public let target: String
  /// The rule that stood in the way: `no network`, `max_file_operations = 0`.
  public let rule: String
  /// What in `proctor.toml` would allow it; nil when nothing would.
  public let setting: String?
  /// How often.
  public var count: Int

  public init(kind: Kind, target: String, rule: String, setting: String?, count: Int = 1) {
    self.kind = kind
    self.target = target
    self.rule = rule
    self.setting = setting
    self.count = count
  }
}

/// Equal denials counted together, bounded.
public struct Denials: Hashable, Sendable {
  /// Different denials that are kept; more are only counted.
  public static let limit = 50

  public private(set) var list: [Denial] = []
  /// Denials that were not kept.
  public private(set) var omitted = 0

  public init() {}

  public mutating func add(_ denial: Denial) {
    let same = list.firstIndex {
      $0.kind == denial.kind && $0.target == denial.target && $0.rule == denial.rule
    }
    if let same {
      list[same].count += denial.count
    } else if list.count < Self.limit {
      list.append(denial)
    } else {
      omitted += denial.count
    }
  }

  public mutating func add(_ list: [Denial], omitted: Int) {
    list.forEach { add($0) }
    self.omitted += omitted
  }
}

/// How much a history keeps.
public struct HistoryLimits: Sendable, Hashable {
  /// Megabytes (2^20 bytes) from which on the oldest runs are removed.
  public var maxMegabytes: Int
  /// Older runs are removed.
  public var keepDays: Int

  public init(maxMegabytes: Int = 128, keepDays: Int = 180) {
    self.maxMegabytes = maxMegabytes
    self.keepDays = keepDays
  }
}

/// Which runs are wanted.
public struct HistoryFilter: Sendable, Hashable {
  /// nil for all.
  public var branch: String?
  /// Not before this moment, seconds since 1970.
  public var since: Double?

  public init(branch: String? = nil, since: Double? = nil) {
    self.branch = branch
    self.since = since
  }
}

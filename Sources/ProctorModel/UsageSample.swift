/// What a command uses at one moment.
public struct UsageSample: Hashable, Sendable {
  /// Milliseconds since it started.
  public let elapsedMS: Double
  /// Processor time since the last sample in percent of one core; above 100 with several.
  public let cpuPercent: Double?
  /// Megabytes (2^20 bytes) of the whole tree.
  public let memoryMB: Double?

  public init(elapsedMS: Double, cpuPercent: Double?, memoryMB: Double?) {
    self.elapsedMS = elapsedMS
    self.cpuPercent = cpuPercent
    self.memoryMB = memoryMB
  }
}

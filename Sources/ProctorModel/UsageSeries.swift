/// What a command used while it ran, in a bounded number of samples: the longer it runs, the more of them become one.
public struct UsageSeries: Sendable {
  /// Samples that are kept at most.
  public static let limit = 240

  /// How many of those that came make one that is kept.
  private var stride = 1
  private var kept: [UsageSample] = []
  /// Those that wait for the rest of their number.
  private var waiting: [UsageSample] = []

  public init() {}

  public mutating func append(_ sample: UsageSample) {
    waiting.append(sample)
    guard waiting.count == stride else { return }
    if let merged = Self.merged(waiting[...]) { kept.append(merged) }
    waiting.removeAll(keepingCapacity: true)
    guard kept.count == Self.limit else { return }
    kept = Swift.stride(from: 0, to: kept.count, by: 2).compactMap {
      Self.merged(kept[$0..<min($0 + 2, kept.count)])
    }
    stride *= 2
  }

  /// In the order of time.
  public var samples: [UsageSample] { kept + [Self.merged(waiting[...])].compactMap(\.self) }

  /// The highest memory and the mean of the processor's use, at the time of the last.
  private static func merged(_ samples: ArraySlice<UsageSample>) -> UsageSample? {
    guard let last = samples.last else { return nil }
    let percents = samples.compactMap(\.cpuPercent)
    return UsageSample(
      elapsedMS: last.elapsedMS,
      cpuPercent: percents.isEmpty ? nil : percents.reduce(0, +) / Double(percents.count),
      memoryMB: samples.compactMap(\.memoryMB).max())
  }
}

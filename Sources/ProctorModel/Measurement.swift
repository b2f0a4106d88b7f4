/// What the guest code measured, as it sent it.
public struct Measurement: Hashable, Sendable, Decodable {
  /// Calls of each sample; the last may have fewer.
  public let batchSize: Int
  /// Timed calls, warm-up not counted.
  public let calls: Int
  public let warmupCalls: Int
  /// Whether the warm-up ended because times no longer changed.
  public let isWarm: Bool
  /// What the clock shows for a batch without calls, in nanoseconds.
  public let clockNanoseconds: Double
  /// What the garbage collector did meanwhile.
  public let collector: String
  /// What ran it, such as `CPython 3.11.7`; nil when only its tools know.
  public let runtime: String?
  /// The time of each batch, in nanoseconds, in the order they were taken.
  public let batches: [Double]

  enum CodingKeys: String, CodingKey {
    case calls, batches, runtime
    case batchSize = "batch_size"
    case warmupCalls = "warmup_calls"
    case isWarm = "warm"
    case clockNanoseconds = "clock_ns"
    case collector = "gc"
  }

  /// Milliseconds of one call, a sample each.
  public var samples: [Double] {
    let last = calls - batchSize * (batches.count - 1)
    return batches.enumerated().map { index, nanoseconds in
      nanoseconds / Double(index == batches.count - 1 ? last : batchSize) / 1e6
    }
  }

  /// Milliseconds of all batches together.
  public var totalMS: Double { batches.reduce(0, +) / 1e6 }

  /// Why it cannot be one; nil when it can.
  /// - Parameter durationMS: how long the process lived.
  public func flaw(durationMS: Double) -> String? {
    guard !batches.isEmpty, !collector.isEmpty, runtime?.isEmpty != true,
      clockNanoseconds >= 0, clockNanoseconds.isFinite
    else { return "numbers are missing" }
    // No machine makes more, and sums of them stay numbers.
    guard (1...1_000_000_000).contains(batchSize), batches.count <= 1_000_000,
      (0...1_000_000_000_000).contains(warmupCalls)
    else { return "there are too many calls" }
    let full = batchSize * (batches.count - 1)
    guard calls > full, calls <= full + batchSize else { return "the calls do not add up" }
    guard batches.allSatisfy({ $0 >= 0 && $0.isFinite }) else { return "a time is negative" }
    guard totalMS <= durationMS else { return "the calls took longer than the process lived" }
    return nil
  }
}

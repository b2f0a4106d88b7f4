/// That a function is to be timed, and what that may take.
public struct FunctionTiming: Hashable, Sendable {
  /// Calls to be timed; nil for `samples` samples of as many calls as the clock needs.
  public let iterations: Int?
  public let samples: Int
  /// Milliseconds from the guest program's start after which it begins no more calls.
  public let wallMS: Int
  /// Milliseconds of processor time, likewise.
  public let processorMS: Int

  public static let defaultSamples = 1000

  /// Less than the limits, so that a measurement ends by itself: a fifth, and what starting a program takes, is left
  /// for the guest's start, a call that takes longer than those before, and the answer.
  public init(iterations: Int?, samples: Int = defaultSamples, limits: ResourceLimits) {
    func budget(_ seconds: Double?) -> Int {
      Int((((seconds ?? 3600) * 0.8 - 0.1) * 1000).clamped(to: 0...1e12))
    }
    self.iterations = iterations
    self.samples = samples
    wallMS = budget(limits.wallSeconds)
    processorMS = budget(limits.cpuSeconds)
  }

  /// What the guest code is asked for.
  var request: String {
    let calls = iterations.map { #""iterations":\#($0),"# } ?? ""
    return #"{\#(calls)"samples":\#(samples),"wall_ms":\#(wallMS),"#
      + #""processor_ms":\#(processorMS)}"#
  }
}

extension Comparable {
  func clamped(to range: ClosedRange<Self>) -> Self {
    min(max(self, range.lowerBound), range.upperBound)
  }
}

import Glibc
import ProctorModel

/// Measures a running command and compares it with its limits.
struct UsageMeter {
  let holder: LimitHolder
  let limits: ResourceLimits
  let scratch: ScratchWatch?
  private var pid: pid_t = 0
  private var lastElapsedMS = 0.0
  private var cpuSeconds = 0.0
  private var memoryMB = 0.0

  init(holder: LimitHolder, limits: ResourceLimits, scratch: ScratchWatch?) {
    self.holder = holder
    self.limits = limits
    self.scratch = scratch
  }

  func started(_ pid: pid_t) -> UsageMeter {
    var copy = self
    copy.pid = pid
    return copy
  }

  mutating func sample(_ elapsedMS: Double) -> UsageSample {
    guard let used = holder.cpuSeconds(of: pid), let memory = holder.memoryMB(of: pid) else {
      return UsageSample(elapsedMS: elapsedMS, cpuPercent: nil, memoryMB: nil)
    }
    let passed = elapsedMS - lastElapsedMS
    let percent = passed > 0 ? (used - cpuSeconds) * 100_000 / passed : 0
    lastElapsedMS = elapsedMS
    cpuSeconds = used
    memoryMB = memory
    return UsageSample(
      elapsedMS: elapsedMS, cpuPercent: max(0, percent), memoryMB: memoryMB)
  }

  /// The limit that the last sample shows to be exceeded.
  func exceeded() -> (ReachedLimit, SandboxResult.Ending)? {
    if let limit = limits.cpuSeconds, cpuSeconds > limit {
      let words = "\((cpuSeconds * 10).rounded() / 10) s of processor time were used"
      return (ReachedLimit(.cpuSeconds, evidence: words, isFatal: true), .cpuTime)
    }
    if let limit = limits.memoryMB,
      let used = holder.excessMemoryMB(of: pid, sampled: memoryMB, limit: limit)
    {
      let words = "\(Int(used)) MB were in use together"
      return (ReachedLimit(.memoryMB, evidence: words, isFatal: true), .outOfMemory)
    }
    if let exceeded = scratch?.exceeded() { return (exceeded, .scratchSpace) }
    return nil
  }
}

import Glibc
import ProctorModel

/// Measures a running command and compares it with its limits.
struct UsageMeter {
  let group: ControlGroup?
  let limits: ResourceLimits
  let scratch: ScratchWatch?
  private var pid: pid_t = 0
  private var lastElapsedMS = 0.0
  private var cpuSeconds = 0.0
  private var memoryMB = 0.0

  /// Whether the command runs below the process that was started; else only the disk is watched.
  let measures: Bool

  init(
    group: ControlGroup?, limits: ResourceLimits, scratch: ScratchWatch?, measures: Bool = true
  ) {
    self.measures = measures
    self.group = group
    self.limits = limits
    self.scratch = scratch
  }

  func started(_ pid: pid_t) -> UsageMeter {
    var copy = self
    copy.pid = pid
    return copy
  }

  mutating func sample(_ elapsedMS: Double) -> UsageSample {
    guard measures else {
      return UsageSample(elapsedMS: elapsedMS, cpuPercent: nil, memoryMB: nil)
    }
    let used = group?.cpuSeconds ?? ProcessTree.cpuSeconds(of: pid)
    let passed = elapsedMS - lastElapsedMS
    let percent = passed > 0 ? (used - cpuSeconds) * 100_000 / passed : 0
    lastElapsedMS = elapsedMS
    cpuSeconds = used
    memoryMB = group?.memoryMB ?? ProcessTree.memoryMB(of: pid)
    return UsageSample(
      elapsedMS: elapsedMS, cpuPercent: max(0, percent), memoryMB: memoryMB)
  }

  /// The limit that the last sample shows to be exceeded.
  func exceeded() -> (ReachedLimit, SandboxResult.Ending)? {
    if let limit = limits.cpuSeconds, cpuSeconds > limit {
      let words = "\((cpuSeconds * 10).rounded() / 10) s of processor time were used"
      return (ReachedLimit(.cpuSeconds, evidence: words, isFatal: true), .cpuTime)
    }
    if group == nil, let limit = limits.memoryMB, memoryMB > Double(limit) {
      // Shared pages were counted for each process: only now is it worth to count them right.
      let fair = ProcessTree.fairMemoryMB(of: pid)
      if fair > Double(limit) {
        let words = "\(Int(fair)) MB were in use together"
        return (ReachedLimit(.memoryMB, evidence: words, isFatal: true), .outOfMemory)
      }
    }
    if let exceeded = scratch?.exceeded() { return (exceeded, .scratchSpace) }
    return nil
  }
}

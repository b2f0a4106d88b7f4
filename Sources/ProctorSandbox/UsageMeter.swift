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

  init(group: ControlGroup?, limits: ResourceLimits, scratch: ScratchWatch?) {
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
    let used = group?.cpuSeconds ?? ProcessTree.cpuSeconds(of: pid)
    let passed = elapsedMS - lastElapsedMS
    let percent = passed > 0 ? (used - cpuSeconds) * 100_000 / passed : 0
    lastElapsedMS = elapsedMS
    cpuSeconds = used
    return UsageSample(
      elapsedMS: elapsedMS, cpuPercent: max(0, percent),
      memoryMB: group?.memoryMB ?? ProcessTree.memoryMB(of: pid))
  }

  /// The limit that the last sample shows to be exceeded.
  func exceeded() -> (ReachedLimit, SandboxResult.Ending)? {
    if let limit = limits.cpuSeconds, cpuSeconds > limit {
      let words = "\((cpuSeconds * 10).rounded() / 10) s of processor time were used"
      return (ReachedLimit(.cpuSeconds, evidence: words, isFatal: true), .cpuTime)
    }
    if let exceeded = scratch?.exceeded() { return (exceeded, .scratchSpace) }
    return nil
  }
}

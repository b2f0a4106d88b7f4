import CSandbox
import Glibc
import ProctorModel

/// Who holds the limits of memory and processes for a command, and knows what was used.
enum LimitHolder: Sendable {
  case group(ControlGroup)
  /// The kernel, for each process; of all together only samples are known.
  case eachProcess
  /// A container engine: of the command only the engine's own command line is seen.
  case engine(ranOutOfMemory: @Sendable () -> Bool)

  init(_ group: ControlGroup?) { self = group.map { .group($0) } ?? .eachProcess }

  private var group: ControlGroup? {
    if case .group(let group) = self { group } else { nil }
  }

  // MARK: while it runs

  /// Processor time of the tree below a process so far; nil when it is not seen.
  func cpuSeconds(of pid: pid_t) -> Double? {
    switch self {
    case .group(let group): group.cpuSeconds ?? ProcessTree.cpuSeconds(of: pid)
    case .eachProcess: ProcessTree.cpuSeconds(of: pid)
    case .engine: nil
    }
  }

  func memoryMB(of pid: pid_t) -> Double? {
    switch self {
    case .group(let group): group.memoryMB ?? ProcessTree.memoryMB(of: pid)
    case .eachProcess: ProcessTree.memoryMB(of: pid)
    case .engine: nil
    }
  }

  /// Megabytes in use of all processes together, when nobody else stops them at the limit.
  func excessMemoryMB(of pid: pid_t, sampled: Double, limit: Int) -> Double? {
    guard case .eachProcess = self, sampled > Double(limit) else { return nil }
    // Shared pages were counted for each process: only now is it worth to count them right.
    let fair = ProcessTree.fairMemoryMB(of: pid)
    return fair > Double(limit) ? fair : nil
  }

  // MARK: at its end

  func peakMemoryMB(_ usage: rusage?) -> Double? {
    if case .engine = self { return nil }
    return group?.peakMemoryMB ?? usage.map { Double($0.ru_maxrss) / 1024 }
  }

  func cpuSeconds(_ usage: rusage?) -> Double? {
    if case .engine = self { return nil }
    return group?.cpuSeconds
      ?? usage.map { usage in
        Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
          + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
      }
  }

  /// Whether something was killed for memory.
  var ranOutOfMemory: Bool {
    switch self {
    case .group(let group): group.ranOutOfMemory
    case .eachProcess: false
    case .engine(let ranOutOfMemory): ranOutOfMemory()
    }
  }

  var refusedProcesses: Int { group?.refusedProcesses ?? 0 }

  // MARK: for the receipt

  /// nil when there is nothing to hold.
  func name(_ limits: ResourceLimits) -> String? {
    switch self {
    case .engine: "container engine"
    case _ where limits.memoryMB == nil && limits.processes == nil: nil
    case .group(let group): group.version.rawValue
    case .eachProcess: "rlimit"
    }
  }

  func missing(_ limits: ResourceLimits) -> [String] {
    guard case .eachProcess = self, limits.memoryMB != nil else { return [] }
    return [
      "the memory limit holds for each process; that of all together is looked at ten times a "
        + "second: no control group"
    ]
  }
}

import CSandbox
import ProctorModel

/// What the init of a sandbox said at its end.
struct InitReport {
  private let raw: csb_ending

  init?(_ bytes: [UInt8]) {
    guard bytes.count >= MemoryLayout<csb_ending>.size else { return nil }
    raw = bytes.withUnsafeBytes { $0.loadUnaligned(as: csb_ending.self) }
  }

  var status: ExitStatus { ExitStatus(waitStatus: raw.status) }

  /// Memory file systems have hard edges: whoever stands at one met it.
  func reached(_ limits: ResourceLimits) -> [ReachedLimit] {
    var result: [ReachedLimit] = []
    if limits.scratchMB != nil, raw.scratch_free_bytes < 4096 {
      result.append(ReachedLimit(.scratchMB, evidence: "/tmp is full", isFatal: false))
    }
    if limits.scratchFiles != nil, raw.scratch_free_files == 0 {
      result.append(
        ReachedLimit(.scratchFiles, evidence: "/tmp can hold no more files", isFatal: false))
    }
    return result
  }
}

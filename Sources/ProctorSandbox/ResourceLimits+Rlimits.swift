import Glibc
import ProctorModel

extension ResourceLimits {
  /// Mount options of a private memory file system for scratch space.
  var scratchOptions: String {
    var options = "mode=0700"
    if let scratchMB { options += ",size=\(scratchMB)m" }
    if let scratchFiles { options += ",nr_inodes=\(scratchFiles)" }
    return options
  }

  /// What the kernel holds for each process.
  /// - Parameter inNamespace: whether they are set in a user namespace of the command's own, where its
  ///   processes are counted apart from the user's others.
  func rlimits(_ group: ControlGroup?, inNamespace: Bool) -> [(resource: Int32, value: UInt64)] {
    var result: [(resource: Int32, value: UInt64)] = [(Int32(RLIMIT_CORE.rawValue), 0)]
    if let openFiles { result.append((Int32(RLIMIT_NOFILE.rawValue), UInt64(openFiles))) }
    if let fileSizeMB { result.append((Int32(RLIMIT_FSIZE.rawValue), UInt64(fileSizeMB) << 20)) }
    // The supervisor looks ten times a second; this is for what it does not see.
    if let cpuSeconds {
      result.append((Int32(RLIMIT_CPU.rawValue), UInt64(cpuSeconds.rounded(.up)) + 1))
    }
    if group == nil, let memoryMB {
      // Counts what each process writes to, not what runtimes merely reserve.
      result.append((Int32(RLIMIT_DATA.rawValue), UInt64(memoryMB) << 20))
    }
    if group == nil, inNamespace, let processes, geteuid() != 0 {
      result.append((Int32(__RLIMIT_NPROC.rawValue), UInt64(processes)))
    }
    return result
  }

  /// What cannot be held, and why.
  func unheld(
    _ holder: LimitHolder, by backend: SandboxPolicy.Backend
  ) -> [Name: String] {
    var result: [Name: String] = [:]
    switch holder {
    case .engine where cpuSeconds != nil:
      result[.cpuSeconds] = "the limit of processor time is held for each process only"
    case .eachProcess where processes != nil && (backend != .namespaces || geteuid() == 0):
      result[.processes] = "the process limit is not held: no control group"
    case .engine, .eachProcess, .group: break
    }
    if backend == .none {
      if scratchMB != nil { result[.scratchMB] = "the scratch limit is not held: no sandbox" }
      if scratchFiles != nil {
        result[.scratchFiles] = "the limit of files is not held: no sandbox"
      }
    }
    if backend == .bubblewrap, scratchFiles != nil {
      result[.scratchFiles] = "the limit of files is not held in /tmp: bubblewrap has none"
    }
    if backend != .namespaces {
      let why = "is not held: only the backend \"namespaces\" counts calls"
      if fileOperations != nil { result[.fileOperations] = "max_file_operations \(why)" }
      if networkRequests != nil { result[.networkRequests] = "max_network_requests \(why)" }
    }
    return result
  }
}

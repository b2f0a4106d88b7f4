import FoundationEssentials
import Glibc
import ProctorModel
import Synchronization

/// The kernel's account of one process tree: it holds memory and process limits for the whole tree.
///
/// Version 2 is tried first, then version 1; where neither can be written, limits fall to rlimits.
struct ControlGroup: Sendable {
  enum Version: String, Sendable { case v2 = "cgroup v2", v1 = "cgroup v1" }

  let version: Version
  /// Version 2: one folder. Version 1: one for each controller.
  private let folders: [String: String]

  private static let prefix = "proctor-"
  private static let counter = Atomic<Int>(0)
  private static let mountPoint = "/sys/fs/cgroup"

  /// nil when the limits cannot be held by a control group here.
  static func make(_ limits: ResourceLimits) -> ControlGroup? {
    let number = counter.add(1, ordering: .relaxed).newValue
    let name = "\(prefix)\(getpid())-\(number)"
    return makeV2(name, limits) ?? makeV1(name, limits)
  }

  /// The files by which a process of one thread joins. Version 1's `tasks` moves that thread without the
  /// lock over all processes of the machine that `cgroup.procs` takes, which costs 10 ms or more.
  var joinFiles: [String] {
    folders.values.sorted().map { "\($0)/\(version == .v2 ? "cgroup.procs" : "tasks")" }
  }

  var processes: [pid_t] {
    folders.values.first.flatMap { Paths.read("\($0)/cgroup.procs") }?
      .split(separator: "\n").compactMap { pid_t($0) } ?? []
  }

  /// Whether the kernel killed something here for memory.
  var ranOutOfMemory: Bool {
    let file = version == .v2 ? "memory.events" : "memory.oom_control"
    return (value("oom_kill", in: read("memory", file)) ?? 0) > 0
  }

  var peakMemoryMB: Double? {
    let file = version == .v2 ? "memory.peak" : "memory.max_usage_in_bytes"
    return read("memory", file).flatMap { Double($0.trimmed) }.map { $0 / 1_048_576 }
  }

  var memoryMB: Double? {
    let file = version == .v2 ? "memory.current" : "memory.usage_in_bytes"
    return read("memory", file).flatMap { Double($0.trimmed) }.map { $0 / 1_048_576 }
  }

  /// Processes that the kernel refused to make.
  var refusedProcesses: Int { value("max", in: read("pids", "pids.events")) ?? 0 }

  var cpuSeconds: Double? {
    version == .v2
      ? value("usage_usec", in: read("cpu", "cpu.stat")).map { Double($0) / 1e6 }
      : read("cpuacct", "cpuacct.usage").flatMap { Double($0.trimmed) }.map { $0 / 1e9 }
  }

  /// Kills what is left in it and removes it.
  func remove() {
    for _ in 0..<100 {
      let left = folders.values.filter { rmdir($0) != 0 && errno != ENOENT }
      if left.isEmpty { return }
      if version == .v2 { Paths.write("1", to: "\(folders.values.first ?? "")/cgroup.kill") }
      processes.forEach { kill($0, SIGKILL) }
      usleep(5000)
    }
  }

  /// Removes groups whose proctor is gone.
  static func sweep() {
    for parent in v2Parents() + v1Controllers.map({ "\(mountPoint)/\($0)" }) {
      for name in (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []
      where name.hasPrefix(prefix) {
        let owner = name.dropFirst(prefix.count).prefix { $0 != "-" }
        guard let pid = pid_t(owner), kill(pid, 0) != 0, errno == ESRCH else { continue }
        ControlGroup(version: .v1, folders: ["": "\(parent)/\(name)"]).remove()
      }
    }
  }

  // MARK: version 2

  private static func makeV2(_ name: String, _ limits: ResourceLimits) -> ControlGroup? {
    for parent in v2Parents() {
      let folder = "\(parent)/\(name)"
      guard mkdir(folder, 0o755) == 0 else { continue }
      let group = ControlGroup(version: .v2, folders: ["": folder])
      var held = true
      if let memory = limits.memoryMB {
        held = held && Paths.write(String(memory << 20), to: "\(folder)/memory.max")
        // Without swap accounting there is no swap to limit.
        Paths.write("0", to: "\(folder)/memory.swap.max")
      }
      if let processes = limits.processes {
        held = held && Paths.write(String(processes), to: "\(folder)/pids.max")
      }
      if held && access("\(folder)/cgroup.procs", W_OK) == 0 { return group }
      group.remove()
    }
    return nil
  }

  /// A group may not hold processes and hand controllers down at once, so a sibling of proctor's own
  /// group comes after a child of it.
  private static func v2Parents() -> [String] {
    guard
      let own = Paths.read("/proc/self/cgroup")?.split(separator: "\n")
        .first(where: { $0.hasPrefix("0::") })?.dropFirst(3)
    else { return [] }
    let folder = mountPoint + (own == "/" ? "" : String(own))
    let parent = String(folder.split(separator: "/").dropLast().map { "/\($0)" }.joined())
    return [folder, parent].filter { place in
      place.hasPrefix(mountPoint)
        && Paths.read("\(place)/cgroup.subtree_control")?.contains("memory") == true
    }
  }

  // MARK: version 1

  private static let v1Controllers = ["memory", "pids", "cpuacct"]

  private static func makeV1(_ name: String, _ limits: ResourceLimits) -> ControlGroup? {
    var folders: [String: String] = [:]
    var held = true
    for controller in v1Controllers {
      let folder = "\(mountPoint)/\(controller)/\(name)"
      guard mkdir(folder, 0o755) == 0 else {
        held = false
        break
      }
      folders[controller] = folder
    }
    let group = ControlGroup(version: .v1, folders: folders)
    if held, let memory = limits.memoryMB, let folder = folders["memory"] {
      let bytes = String(memory << 20)
      held = Paths.write(bytes, to: "\(folder)/memory.limit_in_bytes")
      Paths.write(bytes, to: "\(folder)/memory.memsw.limit_in_bytes")
    }
    if held, let processes = limits.processes, let folder = folders["pids"] {
      held = Paths.write(String(processes), to: "\(folder)/pids.max")
    }
    if held { return group }
    group.remove()
    return nil
  }

  // MARK: reading

  private func read(_ controller: String, _ file: String) -> String? {
    (folders[controller] ?? folders[""]).flatMap { Paths.read("\($0)/\(file)") }
  }

  private func value(_ key: String, in text: String?) -> Int? {
    text?.split(separator: "\n").first { $0.hasPrefix(key + " ") }
      .flatMap { Int($0.dropFirst(key.count + 1)) }
  }
}

extension String {
  fileprivate var trimmed: String { filter { !$0.isWhitespace } }
}

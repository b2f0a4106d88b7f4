import FoundationEssentials
import Glibc

/// Finds processes by what the kernel tells about them.
enum ProcessTree {
  /// The processes below `root` that have no children: what a tree is really doing. `root` itself when
  /// it is alone.
  static func leaves(of root: pid_t) -> [pid_t] {
    let children = children()
    return members(of: root, children).filter { children[$0] == nil }
  }

  /// Seconds of processor time of the processes below `root` that are alive, and of those they waited for.
  static func cpuSeconds(of root: pid_t) -> Double {
    let ticks = members(of: root, children()).compactMap(fields).reduce(0.0) { sum, fields in
      sum + (11...14).reduce(0.0) { $0 + (Double(fields[$1]) ?? 0) }
    }
    return ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
  }

  /// Megabytes that the processes below `root` hold, shared pages counted for each.
  static func memoryMB(of root: pid_t) -> Double {
    let pages = members(of: root, children()).compactMap(fields).reduce(0.0) {
      $0 + (Double($1[21]) ?? 0)
    }
    return pages * Double(sysconf(Int32(_SC_PAGESIZE))) / 1_048_576
  }

  /// The same, shared pages counted in parts: slow.
  static func fairMemoryMB(of root: pid_t) -> Double {
    members(of: root, children()).reduce(0) { sum, pid in
      let line = Paths.read("/proc/\(pid)/smaps_rollup")?.split(separator: "\n")
        .first { $0.hasPrefix("Pss:") }
      return sum + (line?.split(separator: " ").compactMap { Double($0) }.first ?? 0) / 1024
    }
  }

  private static func children() -> [pid_t: [pid_t]] {
    var result: [pid_t: [pid_t]] = [:]
    for pid in all() { if let parent = parent(of: pid) { result[parent, default: []].append(pid) } }
    return result
  }

  /// `root` and all below it.
  private static func members(of root: pid_t, _ children: [pid_t: [pid_t]]) -> [pid_t] {
    var result: [pid_t] = []
    var pending = [root]
    while let next = pending.popLast() {
      result.append(next)
      pending += children[next] ?? []
    }
    return result
  }

  /// Processes whose environment at their start held `NAME=value`.
  static func carrying(_ variable: String) -> [pid_t] {
    let wanted = Data(variable.utf8)
    return all().filter { pid in
      guard let environment = try? Data(contentsOf: URL(filePath: "/proc/\(pid)/environ")) else {
        return false
      }
      return environment.split(separator: 0).contains { $0 == wanted }
    }
  }

  private static func all() -> [pid_t] {
    ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { pid_t($0) }
  }

  private static func parent(of pid: pid_t) -> pid_t? { fields(of: pid).flatMap { pid_t($0[1]) } }

  /// What the kernel says of a process, from its state on: the third field of proc(5).
  private static func fields(of pid: pid_t) -> [Substring]? {
    // The command's name, in parentheses, may hold anything.
    guard let text = Paths.read("/proc/\(pid)/stat"), let end = text.lastIndex(of: ")") else {
      return nil
    }
    let fields = text[text.index(after: end)...].split(separator: " ")
    return fields.count > 22 ? fields : nil
  }
}

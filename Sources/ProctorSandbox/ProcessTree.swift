import FoundationEssentials
import Glibc

/// Finds processes by what the kernel tells about them.
enum ProcessTree {
  /// The processes below `root` that have no children: what a tree is really doing. `root` itself when
  /// it is alone.
  static func leaves(of root: pid_t) -> [pid_t] {
    var children: [pid_t: [pid_t]] = [:]
    for pid in all() {
      if let parent = parent(of: pid) { children[parent, default: []].append(pid) }
    }
    var result: [pid_t] = []
    var pending = [root]
    while let next = pending.popLast() {
      if let found = children[next] { pending += found } else { result.append(next) }
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

  private static func parent(of pid: pid_t) -> pid_t? {
    // The command's name, in parentheses, may hold anything; the parent stands behind the last one.
    guard let text = Paths.read("/proc/\(pid)/stat"), let end = text.lastIndex(of: ")") else {
      return nil
    }
    let fields = text[text.index(after: end)...].split(separator: " ")
    return fields.count > 1 ? pid_t(fields[1]) : nil
  }
}

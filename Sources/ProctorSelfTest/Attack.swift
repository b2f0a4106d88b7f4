import CAttacks
import Glibc
import ProctorModel
import ProctorSandbox

/// One attack: what it is run with, and how its success is told.
struct Attack {
  /// How it is known from outside whether an attack succeeded.
  enum Sign {
    /// It says so itself.
    case itself
    /// A file is there that was not.
    case appeared(String)
    /// The workspace's file has another content, or is gone.
    case changed
    /// A process of its is still alive when it ended.
    case survivor
    /// Its end was not noticed for so many milliseconds.
    case delay(Double)
  }

  let name: String
  let category: String
  /// Its place in the table of the C code.
  let index: Int

  /// All of them, in the table's order.
  static let all: [Attack] = (0..<Int(attack_count)).compactMap { index in
    attack_at(Int32(index)).map { entry in
      Attack(
        name: String(cString: entry.pointee.name),
        category: String(cString: entry.pointee.category), index: index)
    }
  }

  var sign: Sign {
    switch name {
    case "write_outside": .appeared("outside/written")
    case "plant_git_hook": .appeared("workspace/.git/hooks/pre-commit")
    case "plant_conftest": .appeared("workspace/conftest.py")
    case "change_workspace", "remove_file": .changed
    case "stay_behind": .survivor
    case "hold_output": .delay(2500)
    default: .itself
    }
  }

  /// The limit that is under attack; nil for the common ones.
  var limit: ResourceLimits.Name? {
    switch name {
    case "much_time", "much_time_together": .cpuSeconds
    case "large_file", "sparse_file": .fileSizeMB
    case "many_descriptors": .openFiles
    case "endless_output": .outputMB
    case "many_file_operations", "read_beyond_count": .fileOperations
    case "many_connections", "many_datagrams": .networkRequests
    case "much_memory", "much_memory_together": .memoryMB
    case "many_processes", "many_threads": .processes
    case "full_area", "full_workspace", "much_memory_in_files": .scratchMB
    case "many_files": .scratchFiles
    default: nil
    }
  }

  var limits: ResourceLimits {
    var limits = ResourceLimits(
      wallSeconds: name == "long_sleep" ? 1 : 20, memoryMB: 256, processes: 128)
    switch limit {
    case .cpuSeconds: limits.cpuSeconds = 1
    case .fileSizeMB: limits.fileSizeMB = 16
    case .openFiles: limits.openFiles = 100
    case .outputMB: limits.outputMB = 8
    case .fileOperations: limits.fileOperations = name == "read_beyond_count" ? 0 : 5
    case .networkRequests: limits.networkRequests = 3
    case .scratchMB: limits.scratchMB = 32
    case .scratchFiles: limits.scratchFiles = 2000
    default: break
    }
    return limits
  }
}

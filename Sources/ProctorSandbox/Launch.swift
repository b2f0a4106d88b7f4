import CSandbox
import Glibc
import ProctorModel

/// A complete description of a child process, ready for the C helper.
struct Launch {
  struct Overlay {
    /// Topmost first.
    var lowers: [String]
    /// nil: read-only.
    var upper: String?
    var work: String?
    var target: String
  }

  var path: String
  var argv: [String]
  var environment: [String: String]
  var directory: String?
  var stdout: Int32
  var stderr: Int32
  var keep: [Int32] = []
  var cgroups: [String] = []
  var overlays: [Overlay] = []
  var tmpfs: String?
  var folders: [String] = []
  var userNamespace = false
  var limits: [(resource: Int32, value: UInt64)] = []

  /// A start that did not come about.
  struct Failure: Error {
    let step: csb_step
    let error: Int32
    /// What bubblewrap said, when it was started and failed itself.
    var words: String?

    var text: String { String(cString: strerror(error)) }

    var isAboutOverlays: Bool {
      [CSB_USER_NAMESPACE, CSB_MOUNT_NAMESPACE, CSB_TMPFS, CSB_OVERLAY].contains(step)
    }

    var stepName: String {
      switch step {
      case CSB_FORK: "fork"
      case CSB_CGROUP: "joining the control group"
      case CSB_LIMIT: "setting limits"
      case CSB_USER_NAMESPACE: "user namespace"
      case CSB_MOUNT_NAMESPACE: "mount namespace"
      case CSB_TMPFS: "mounting memory"
      case CSB_OVERLAY: "mounting the overlay"
      case CSB_DIRECTORY: "entering the folder"
      case CSB_DESCRIPTORS: "opening descriptors"
      default: "starting the program"
      }
    }
  }

  /// Starts the child; it dies with the calling thread.
  func start() throws(Failure) -> pid_t {
    let memory = Arena()
    let overlays = overlays.map { overlay in
      csb_overlay(
        lowers: memory.strings(overlay.lowers), lower_count: Int32(overlay.lowers.count),
        upper: overlay.upper.map(memory.string), work: overlay.work.map(memory.string),
        target: memory.string(overlay.target))
    }
    let limits = limits.map { csb_limit(resource: $0.resource, value: $0.value) }
    let variables = environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    var failure = csb_failure()
    let pid = overlays.withUnsafeBufferPointer { overlays in
      limits.withUnsafeBufferPointer { limits in
        keep.withUnsafeBufferPointer { keep in
          var spec = csb_spec(
            path: memory.string(path), argv: memory.mutableStrings(argv),
            envp: memory.mutableStrings(variables), directory: directory.map(memory.string),
            stdout_fd: stdout, stderr_fd: stderr, keep: keep.baseAddress,
            keep_count: Int32(keep.count), cgroups: memory.strings(cgroups),
            cgroup_count: Int32(cgroups.count), overlays: overlays.baseAddress,
            overlay_count: Int32(overlays.count), tmpfs: tmpfs.map(memory.string),
            folders: memory.strings(folders), folder_count: Int32(folders.count),
            user_namespace: userNamespace ? 1 : 0, limits: limits.baseAddress,
            limit_count: Int32(limits.count))
          return csb_spawn(&spec, &failure)
        }
      }
    }
    guard pid > 0 else { throw Failure(step: csb_step(UInt32(failure.step)), error: failure.error) }
    return pid
  }
}

/// C strings that live as long as the arena.
private final class Arena {
  private var allocations: [UnsafeMutableRawPointer] = []

  func string(_ text: String) -> UnsafePointer<CChar> { UnsafePointer(copy(text)) }

  func strings(_ texts: [String]) -> UnsafePointer<UnsafePointer<CChar>?> {
    let list = UnsafeMutablePointer<UnsafePointer<CChar>?>.allocate(capacity: texts.count + 1)
    for (index, text) in texts.enumerated() { list[index] = UnsafePointer(copy(text)) }
    list[texts.count] = nil
    allocations.append(UnsafeMutableRawPointer(list))
    return UnsafePointer(list)
  }

  func mutableStrings(_ texts: [String]) -> UnsafePointer<UnsafeMutablePointer<CChar>?> {
    let list = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(
      capacity: texts.count + 1)
    for (index, text) in texts.enumerated() { list[index] = copy(text) }
    list[texts.count] = nil
    allocations.append(UnsafeMutableRawPointer(list))
    return UnsafePointer(list)
  }

  private func copy(_ text: String) -> UnsafeMutablePointer<CChar> {
    let bytes = Array(text.utf8CString)
    let pointer = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
    pointer.initialize(from: bytes, count: bytes.count)
    allocations.append(UnsafeMutableRawPointer(pointer))
    return pointer
  }

  deinit { allocations.forEach { $0.deallocate() } }
}

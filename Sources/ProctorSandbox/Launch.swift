import CSandbox
import Glibc
import ProctorModel

/// A complete description of a child process, ready for the C helper.
struct Launch {
  /// One step of building a file system; targets are paths inside the new root.
  enum Step: Equatable {
    case folder(String, mode: UInt32)
    case link(String, to: String)
    case file(String, bytes: [UInt8], mode: UInt32)
    case tmpfs(String, options: String)
    case bind(String, at: String, BindOptions)
    case bindInside(String, at: String, BindOptions)
    case overlay(Overlay)
    case processes(String)
    case terminals(String)
    case seal(String)
    case write(String, text: String)
    /// Room for this much more in a memory file system; nil for any.
    case room(String, megabytes: Int?, files: Int?)

    /// What it is about, for the report of a failure.
    var target: String {
      switch self {
      case .folder(let target, _), .link(let target, _), .file(let target, _, _),
        .tmpfs(let target, _), .bind(_, let target, _), .bindInside(_, let target, _),
        .processes(let target), .terminals(let target), .seal(let target),
        .room(let target, _, _),
        .write(let target, _):
        target
      case .overlay(let overlay): overlay.target
      }
    }
  }

  struct BindOptions: OptionSet, Hashable {
    let rawValue: Int32
    static let readOnly = BindOptions(rawValue: Int32(CSB_READ_ONLY))
    static let devices = BindOptions(rawValue: Int32(CSB_DEVICES))
    static let optional = BindOptions(rawValue: Int32(CSB_OPTIONAL))
  }

  struct Overlay: Equatable {
    /// Topmost first.
    var lowers: [String]
    /// nil: read-only.
    var upper: String?
    var work: String?
    var target: String
    /// Whether its upper layer is thrown away, so that nothing must be written through to the disk.
    var isVolatile = false
    /// Whether files of which only the owner changes share their contents with the lower layer.
    var sharesContents = false
  }

  struct Namespaces: OptionSet {
    let rawValue: UInt64
    static let mount = Namespaces(rawValue: UInt64(CSB_NEW_MOUNT))
    static let user = Namespaces(rawValue: UInt64(CSB_NEW_USER))
    static let process = Namespaces(rawValue: UInt64(CSB_NEW_PROCESS))
    static let ipc = Namespaces(rawValue: UInt64(CSB_NEW_IPC))
    static let uts = Namespaces(rawValue: UInt64(CSB_NEW_UTS))
    static let network = Namespaces(rawValue: UInt64(CSB_NEW_NETWORK))
    static let cgroup = Namespaces(rawValue: UInt64(CSB_NEW_CGROUP))
  }

  struct Landlock {
    var handled: UInt64
    var scopes: UInt64
    var rules: [FileRule]
  }

  /// Where the program may be, tried in turn.
  var paths: [String]
  var argv: [String]
  var environment: [String: String]
  var directory: String?
  /// Negative for an empty one.
  var stdin: Int32 = -1
  var stdout: Int32
  var stderr: Int32
  var keep: [Int32] = []
  var cgroups: [String] = []
  var namespaces: Namespaces = []
  /// Without a process namespace: whether it runs below an init all the same.
  var reaps = false
  /// A new root: an empty folder of the host to mount a memory file system on.
  var root: String?
  var steps: [Step] = []
  var raisesLoopback = false
  var limits: [(resource: Int32, value: UInt64)] = []
  var dropsPrivileges = false
  var landlock: Landlock?
  /// Seccomp programs.
  var filter: [UInt8]?
  var notifier: [UInt8]?
  /// Where the notifier's listener is sent.
  var notify: Int32 = -1
  /// Where an init reports the end.
  var ending: Int32 = -1
  /// A folder inside whose free space is part of that report.
  var scratch: String?

  /// A start that did not come about.
  struct Failure: Error {
    let stage: csb_stage
    let error: Int32
    /// The path that the failing step was about.
    var target: String?
    /// Whether that step was to mount an overlay.
    var isAboutOverlays = false
    /// What bubblewrap said, when it was started and failed itself.
    var words: String?

    var text: String { String(cString: strerror(error)) }

    /// The host does not let us make namespaces, or does not give us power in them.
    var isAboutNamespaces: Bool {
      switch stage {
      case CSB_NAMESPACES, CSB_USER_NAMESPACE, CSB_ROOT, CSB_LOOPBACK, CSB_PRIVILEGES: true
      case CSB_STEP: error == EPERM || error == ENOSYS
      default: false
      }
    }

    var what: String {
      switch stage {
      case CSB_FORK: "fork"
      case CSB_CGROUP: "joining the control group"
      case CSB_LIMIT: "setting limits"
      case CSB_NAMESPACES: "making namespaces"
      case CSB_USER_NAMESPACE: "mapping ids in the user namespace"
      case CSB_ROOT: "changing the root"
      case CSB_STEP: "preparing \(target ?? "the file system")"
      case CSB_LOOPBACK: "raising the loopback interface"
      case CSB_PRIVILEGES: "dropping privileges"
      case CSB_LANDLOCK: "Landlock"
      case CSB_SECCOMP: "seccomp"
      case CSB_DIRECTORY: "entering the folder"
      case CSB_DESCRIPTORS: "opening descriptors"
      default: "starting the program"
      }
    }
  }

  /// Starts the child; it dies with the calling thread.
  func start() throws(Failure) -> pid_t {
    let memory = Arena()
    let steps = steps.map { Self.raw($0, memory) }
    let limits = limits.map { csb_limit(resource: $0.resource, value: $0.value) }
    let rules = (landlock?.rules ?? []).map {
      csb_rule(path: memory.string($0.path), rights: $0.rights.rawValue)
    }
    let variables = environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    var failure = csb_failure()
    var spec = csb_spec()
    spec.paths = memory.strings(paths)
    spec.argv = memory.mutableStrings(argv)
    spec.envp = memory.mutableStrings(variables)
    spec.directory = directory.map(memory.string)
    spec.stdin_fd = stdin
    spec.stdout_fd = stdout
    spec.stderr_fd = stderr
    spec.cgroups = memory.strings(cgroups)
    spec.cgroup_count = Int32(cgroups.count)
    spec.namespaces = namespaces.rawValue
    spec.reaps = reaps ? 1 : 0
    spec.root = root.map(memory.string)
    spec.loopback = raisesLoopback ? 1 : 0
    spec.drop_privileges = dropsPrivileges ? 1 : 0
    spec.landlock_files = landlock?.handled ?? 0
    spec.landlock_scopes = landlock?.scopes ?? 0
    if let filter { (spec.filter, spec.filter_length) = (memory.bytes(filter), filter.count) }
    if let notifier {
      (spec.notifier, spec.notifier_length) = (memory.bytes(notifier), notifier.count)
    }
    spec.notify_fd = notify
    spec.ending_fd = ending
    spec.scratch = scratch.map(memory.string)
    let pid = steps.withUnsafeBufferPointer { steps in
      limits.withUnsafeBufferPointer { limits in
        rules.withUnsafeBufferPointer { rules in
          keep.withUnsafeBufferPointer { keep in
            (spec.steps, spec.step_count) = (steps.baseAddress, Int32(steps.count))
            (spec.limits, spec.limit_count) = (limits.baseAddress, Int32(limits.count))
            (spec.rules, spec.rule_count) = (rules.baseAddress, Int32(rules.count))
            (spec.keep, spec.keep_count) = (keep.baseAddress, Int32(keep.count))
            return csb_spawn(&spec, &failure)
          }
        }
      }
    }
    guard pid > 0 else { throw self.failure(failure) }
    return pid
  }

  private func failure(_ raw: csb_failure) -> Failure {
    var failure = Failure(stage: csb_stage(UInt32(raw.stage)), error: raw.error)
    guard failure.stage == CSB_STEP, steps.indices.contains(Int(raw.step)) else { return failure }
    let step = steps[Int(raw.step)]
    failure.target = step.target
    if case .overlay = step { failure.isAboutOverlays = true }
    return failure
  }

  private static func raw(_ step: Step, _ memory: Arena) -> csb_step {
    var raw = csb_step()
    raw.target = memory.string(step.target)
    switch step {
    case .folder(_, let mode): (raw.kind, raw.mode) = (kind(CSB_FOLDER), mode)
    case .link(_, let text): (raw.kind, raw.source) = (kind(CSB_LINK), memory.string(text))
    case .file(_, let bytes, let mode):
      (raw.kind, raw.mode) = (kind(CSB_FILE), mode)
      (raw.bytes, raw.length) = (memory.bytes(bytes), bytes.count)
    case .tmpfs(_, let options):
      (raw.kind, raw.source) = (kind(CSB_TMPFS), memory.string(options))
    case .bind(let source, _, let options):
      (raw.kind, raw.source) = (kind(CSB_BIND), memory.string(source))
      raw.flags = options.rawValue
    case .bindInside(let source, _, let options):
      (raw.kind, raw.source) = (kind(CSB_BIND_INSIDE), memory.string(source))
      raw.flags = options.rawValue
    case .overlay(let overlay):
      raw.kind = kind(CSB_OVERLAY)
      raw.lowers = memory.strings(overlay.lowers)
      raw.lower_count = Int32(overlay.lowers.count)
      raw.upper = overlay.upper.map(memory.string)
      raw.work = overlay.work.map(memory.string)
      raw.flags =
        (overlay.isVolatile ? Int32(CSB_VOLATILE) : 0)
        | (overlay.sharesContents ? Int32(CSB_SHARED) : 0)
    case .processes: raw.kind = kind(CSB_PROC)
    case .terminals: raw.kind = kind(CSB_PTS)
    case .seal: raw.kind = kind(CSB_SEAL)
    case .room(_, let megabytes, let files):
      raw.kind = kind(CSB_ROOM)
      (raw.length, raw.mode) = ((megabytes ?? 0) << 20, UInt32(clamping: files ?? 0))
    case .write(_, let text):
      let bytes = Array(text.utf8)
      raw.kind = kind(CSB_WRITE)
      (raw.bytes, raw.length) = (memory.bytes(bytes), bytes.count)
    }
    return raw
  }

  private static func kind(_ kind: csb_step_kind) -> Int32 { Int32(kind.rawValue) }
}

/// C values that live as long as the arena.
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

  func bytes(_ bytes: [UInt8]) -> UnsafeRawPointer {
    let pointer = UnsafeMutableRawPointer.allocate(byteCount: max(1, bytes.count), alignment: 8)
    bytes.withUnsafeBytes {
      pointer.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(pointer), byteCount: $0.count)
    }
    allocations.append(pointer)
    return UnsafeRawPointer(pointer)
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

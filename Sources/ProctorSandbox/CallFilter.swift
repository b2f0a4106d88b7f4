import CSandbox
import Glibc
import Synchronization

/// The seccomp programs, built once for each kind.
enum CallFilter {
  struct Wish: Hashable {
    /// Connections are shown to the supervisor.
    var connections = false
    /// Everything that is sent is shown to it.
    var requests = false
    /// Everything that opens or changes files is shown to it.
    var files = false

    var isEmpty: Bool { !connections && !requests && !files }
  }

  private struct Built {
    var walls: [UInt8]?
    var notifiers: [Wish: [UInt8]] = [:]
  }

  private static let built = Mutex(Built())

  /// The program that refuses.
  static func walls() throws(Launch.Failure) -> [UInt8] {
    if let found = built.withLock({ $0.walls }) { return found }
    let bytes = try make(csb_build_filter)
    built.withLock { $0.walls = bytes }
    return bytes
  }

  /// The program that asks.
  static func notifier(_ wish: Wish) throws(Launch.Failure) -> [UInt8] {
    if let found = built.withLock({ $0.notifiers[wish] }) { return found }
    let bytes = try make { bytes, length in
      var raw = csb_filter_wish(
        watch_connections: wish.connections ? 1 : 0, count_requests: wish.requests ? 1 : 0,
        count_files: wish.files ? 1 : 0)
      return csb_build_notifier(&raw, bytes, length)
    }
    built.withLock { $0.notifiers[wish] = bytes }
    return bytes
  }

  private static func make(
    _ build: (UnsafeMutablePointer<UnsafeMutableRawPointer?>?, UnsafeMutablePointer<Int>?) -> Int32
  ) throws(Launch.Failure) -> [UInt8] {
    var bytes: UnsafeMutableRawPointer?
    var length = 0
    let error = build(&bytes, &length)
    guard error == 0, let bytes else { throw Launch.Failure(stage: CSB_SECCOMP, error: error) }
    defer { free(bytes) }
    return Array(UnsafeRawBufferPointer(start: bytes, count: length))
  }

  /// `openat`, for reports.
  static func name(of call: Int32) -> String {
    guard let name = csb_call_name(call) else { return "system call \(call)" }
    defer { free(name) }
    return String(cString: name)
  }
}

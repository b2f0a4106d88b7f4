import CSandbox
import Glibc

/// Passes on to a command's stdin what comes over another descriptor, which the command itself never gets: it
/// could open it anew, by its name in /proc, with more rights.
struct InputPump {
  private static let chunk = 64 * 1024

  private let source: Int32
  /// Negative once nothing more is passed on.
  private var sink: Int32
  private var rest: ArraySlice<UInt8> = []

  /// - Parameter sink: the write end of the command's pipe, not blocking; copied.
  init(from source: Int32, to sink: Int32) throws(Launch.Failure) {
    self.source = source
    self.sink = fcntl(sink, F_DUPFD_CLOEXEC, 3)
    if self.sink < 0 { throw Launch.Failure(stage: CSB_DESCRIPTORS, error: errno) }
  }

  /// What to wait for; nil when there is nothing.
  var waiting: pollfd? {
    guard sink >= 0 else { return nil }
    return rest.isEmpty
      ? pollfd(fd: source, events: Int16(POLLIN), revents: 0)
      : pollfd(fd: sink, events: Int16(POLLOUT), revents: 0)
  }

  /// Called when what was waited for is there, or is broken.
  mutating func ready() {
    if rest.isEmpty {
      var buffer = [UInt8](repeating: 0, count: Self.chunk)
      let count = read(source, &buffer, buffer.count)
      if count < 0 && (errno == EINTR || errno == EAGAIN) { return }
      guard count > 0 else { return end() }
      rest = buffer[..<count]
    }
    let count = rest.withUnsafeBytes { write(sink, $0.baseAddress, $0.count) }
    if count < 0 && (errno == EINTR || errno == EAGAIN) { return }
    // Whoever was to read it has gone.
    guard count > 0 else { return end() }
    rest = rest.dropFirst(count)
  }

  /// The command sees the end of its input.
  mutating func end() {
    if sink >= 0 { close(sink) }
    sink = -1
  }
}

import CSandbox
import Glibc

/// The pipes between a command and its supervisor; read ends do not block.
struct Pipes {
  typealias Ends = (read: Int32, write: Int32)
  let stdout: Ends
  let stderr: Ends
  let status: Ends
  /// A socket for the notifier's listener.
  let notify: Ends

  init(withStatus: Bool, withNotify: Bool = false) throws(Launch.Failure) {
    stdout = try Self.make()
    stderr = try Self.make()
    status = withStatus ? try Self.make() : (-1, -1)
    notify = withNotify ? try Self.makeSocket() : (-1, -1)
  }

  /// The command has its own copies: only so is its end seen.
  func closeWriteEnds() {
    for end in [stdout.write, stderr.write, status.write, notify.write] where end >= 0 {
      Glibc.close(end)
    }
  }

  /// After `closeWriteEnds`.
  func close() {
    for end in [stdout.read, stderr.read, status.read, notify.read] where end >= 0 {
      Glibc.close(end)
    }
  }

  private static func make() throws(Launch.Failure) -> Ends {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw Launch.Failure(stage: CSB_DESCRIPTORS, error: errno) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
    return (ends[0], ends[1])
  }

  private static func makeSocket() throws(Launch.Failure) -> Ends {
    var ends: [Int32] = [-1, -1]
    let kind = Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue)
    guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else {
      throw Launch.Failure(stage: CSB_DESCRIPTORS, error: errno)
    }
    return (ends[0], ends[1])
  }
}

import CSandbox
import Glibc

/// The pipes between a command and its supervisor, whose ends do not block.
struct Pipes {
  typealias Ends = (read: Int32, write: Int32)
  /// None for a command without input.
  let stdin: Ends
  let stdout: Ends
  let stderr: Ends
  let status: Ends
  /// A socket for the notifier's listener.
  let notify: Ends

  init(
    withStatus: Bool, withNotify: Bool = false, withInput: Bool = false
  ) throws(Launch.Failure) {
    stdin = withInput ? try Self.make(ours: 1) : (-1, -1)
    stdout = try Self.make(ours: 0)
    stderr = try Self.make(ours: 0)
    status = withStatus ? try Self.make(ours: 0) : (-1, -1)
    notify = withNotify ? try Self.makeSocket() : (-1, -1)
  }

  /// The command has its own copies, and the supervisor one of the input: only so are ends seen.
  func closeCommandEnds() {
    for end in [stdin.read, stdin.write, stdout.write, stderr.write, status.write, notify.write]
    where end >= 0 {
      Glibc.close(end)
    }
  }

  /// After `closeCommandEnds`.
  func close() {
    for end in [stdout.read, stderr.read, status.read, notify.read] where end >= 0 {
      Glibc.close(end)
    }
  }

  /// - Parameter ours: 0 when the supervisor reads, 1 when it writes.
  private static func make(ours: Int) throws(Launch.Failure) -> Ends {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw Launch.Failure(stage: CSB_DESCRIPTORS, error: errno) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    _ = fcntl(ends[ours], F_SETFL, O_NONBLOCK)
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

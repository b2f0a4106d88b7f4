import CSandbox
import Glibc

/// The pipes between a command and its supervisor, whose ends do not block. Used by the supervising thread only.
final class Pipes {
  typealias Ends = (read: Int32, write: Int32)
  /// None for a command without input.
  let stdin: Ends
  let stdout: Ends
  let stderr: Ends
  let status: Ends
  /// A socket for the notifier's listener.
  let notify: Ends
  private var isClosedForCommand = false

  init(
    withStatus: Bool, withNotify: Bool = false, withInput: Bool = false
  ) throws(Launch.Failure) {
    var opened: [Int32] = []
    do {
      stdin = withInput ? try Self.make(ours: 1, &opened) : (-1, -1)
      stdout = try Self.make(ours: 0, &opened)
      stderr = try Self.make(ours: 0, &opened)
      status = withStatus ? try Self.make(ours: 0, &opened) : (-1, -1)
      notify = withNotify ? try Self.makeSocket(&opened) : (-1, -1)
    } catch {
      opened.forEach { Glibc.close($0) }
      throw error
    }
  }

  /// The command has its own copies, and the supervisor one of the input: only so are ends seen.
  func closeCommandEnds() {
    guard !isClosedForCommand else { return }
    isClosedForCommand = true
    for end in [stdin.read, stdin.write, stdout.write, stderr.write, status.write, notify.write]
    where end >= 0 {
      Glibc.close(end)
    }
  }

  /// Once, in the end.
  func close() {
    closeCommandEnds()
    for end in [stdout.read, stderr.read, status.read, notify.read] where end >= 0 {
      Glibc.close(end)
    }
  }

  /// - Parameter ours: 0 when the supervisor reads, 1 when it writes.
  private static func make(
    ours: Int, _ opened: inout [Int32]
  ) throws(Launch.Failure) -> Ends {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw Launch.Failure(stage: CSB_DESCRIPTORS, error: errno) }
    opened += ends
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    _ = fcntl(ends[ours], F_SETFL, O_NONBLOCK)
    return (ends[0], ends[1])
  }

  private static func makeSocket(_ opened: inout [Int32]) throws(Launch.Failure) -> Ends {
    var ends: [Int32] = [-1, -1]
    let kind = Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue)
    guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else {
      throw Launch.Failure(stage: CSB_DESCRIPTORS, error: errno)
    }
    opened += ends
    return (ends[0], ends[1])
  }
}

import CSandbox
import Glibc

/// The pipes between a command and its supervisor; read ends do not block.
struct Pipes {
  typealias Ends = (read: Int32, write: Int32)
  let stdout: Ends
  let stderr: Ends
  let status: Ends

  init(withStatus: Bool) throws(Launch.Failure) {
    stdout = try Self.make()
    stderr = try Self.make()
    status = withStatus ? try Self.make() : (-1, -1)
  }

  /// The command has its own copies: only so is its end seen.
  func closeWriteEnds() {
    for end in [stdout.write, stderr.write, status.write] where end >= 0 { Glibc.close(end) }
  }

  /// After `closeWriteEnds`.
  func close() {
    for end in [stdout.read, stderr.read, status.read] where end >= 0 { Glibc.close(end) }
  }

  private static func make() throws(Launch.Failure) -> Ends {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw Launch.Failure(step: CSB_DESCRIPTORS, error: errno) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
    return (ends[0], ends[1])
  }
}

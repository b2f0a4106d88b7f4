import CSandbox
import FoundationEssentials
import Glibc

/// A tool of this machine that runs outside the sandbox, to its end, within limits.
public struct HostCommand: Sendable {
  /// The program, absolute, then its arguments.
  public var argv: [String]
  public var environment: [String: String]
  public var directory: String
  /// Killed after so many seconds.
  public var seconds: Double
  /// Killed when stdout or stderr gets longer, in bytes.
  public var outputLimit: Int

  public struct Answer: Sendable {
    /// Whether it ended by itself, with exit status 0.
    public let isSuccess: Bool
    public let stdout: String
    public let stderr: String
  }

  public init(
    _ argv: [String], environment: [String: String], directory: String = "/", seconds: Double,
    outputLimit: Int = 1 << 20
  ) {
    self.argv = argv
    self.environment = environment
    self.directory = directory
    self.seconds = seconds
    self.outputLimit = outputLimit
  }

  /// Blocks until it is over. What could not be started is no success, with the reason as stderr.
  public func run() -> Answer {
    guard let pipes = try? Pipes(withStatus: false) else {
      return Answer(isSuccess: false, stdout: "", stderr: "no more files can be opened")
    }
    defer { pipes.close() }
    let program = argv.first ?? ""
    let launch = Launch(
      paths: [program], argv: argv, environment: environment, directory: directory,
      stdout: pipes.stdout.write, stderr: pipes.stderr.write)
    let pid: pid_t
    do {
      pid = try launch.start()
      pipes.closeCommandEnds()
    } catch {
      return Answer(isSuccess: false, stdout: "", stderr: "\(program): \(error.text)")
    }
    let deadline = ContinuousClock().now + .seconds(seconds)
    let outputs = read(pipes, from: pid, until: deadline)
    let descriptor = csb_pidfd(pid)
    defer { if descriptor >= 0 { close(descriptor) } }
    // Who closes its output may go on all the same.
    var poller = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    let left = max(0, (deadline - ContinuousClock().now).components.seconds)
    if descriptor >= 0, poll(&poller, 1, Int32(left * 1000 + 500)) == 0 { kill(pid) }
    var status: Int32 = -1
    _ = csb_wait(pid, &status, nil)
    return Answer(
      isSuccess: status == 0, stdout: String(decoding: outputs[0], as: UTF8.self),
      stderr: String(decoding: outputs[1], as: UTF8.self))
  }

  /// A session of its own: the whole of it.
  private func kill(_ pid: pid_t) {
    Glibc.kill(-pid, SIGKILL)
    Glibc.kill(pid, SIGKILL)
  }

  /// Reads until both ends are closed; what its children hold open after it was killed is left.
  private func read(
    _ pipes: Pipes, from pid: pid_t, until deadline: ContinuousClock.Instant
  ) -> [Data] {
    var outputs = [Data(), Data()]
    var open = [pipes.stdout.read, pipes.stderr.read]
    var buffer = [UInt8](repeating: 0, count: 65536)
    let clock = ContinuousClock()
    while open.contains(where: { $0 >= 0 }) {
      let left = (deadline - clock.now).components.seconds
      guard left >= 0, outputs.allSatisfy({ $0.count <= outputLimit }) else {
        kill(pid)
        break
      }
      var polls = open.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
      _ = poll(&polls, 2, Int32(min(left, 1) * 1000 + 100))
      for index in 0..<2 where polls[index].revents != 0 {
        let count = Glibc.read(open[index], &buffer, buffer.count)
        if count > 0 {
          outputs[index].append(contentsOf: buffer[..<count])
        } else {
          open[index] = -1
        }
      }
    }
    return outputs
  }
}

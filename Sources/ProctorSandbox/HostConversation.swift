import CSandbox
public import FoundationEssentials
import Glibc

/// A tool of this machine that runs outside the sandbox and answers what it is told, until its input ends.
///
/// Any thread may speak with it, one at a time: unlike a command in the sandbox it is not tied to the thread
/// that started it, and ends with its input.
public final class HostConversation {
  private let pipes: Pipes
  private let pid: pid_t
  /// Ours alone: the pipes close their own end together with the tool's.
  private var input: Int32
  private var words = Data()
  private static let mostWords = 1 << 16

  /// - Parameter argv: the program, absolute, then its arguments.
  /// - Returns: nil when it could not be started.
  public init?(_ argv: [String], environment: [String: String]) {
    guard let pipes = try? Pipes(withStatus: false, withInput: true) else { return nil }
    var actions = posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    for (number, end) in [pipes.stdin.read, pipes.stdout.write, pipes.stderr.write].enumerated() {
      posix_spawn_file_actions_adddup2(&actions, end, Int32(number))
    }
    var (none, all) = (sigset_t(), sigset_t())
    sigemptyset(&none)
    sigfillset(&all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    let variables = environment.map { "\($0.key)=\($0.value)" }
    let (arguments, values) = (
      argv.map { strdup($0) } + [nil], variables.map { strdup($0) } + [nil]
    )
    defer { (arguments + values).forEach { free($0) } }
    var pid: pid_t = 0
    let failed = posix_spawn(&pid, argv.first ?? "", &actions, &attributes, arguments, values)
    guard failed == 0 else {
      pipes.closeCommandEnds()
      pipes.close()
      return nil
    }
    self.pipes = pipes
    self.pid = pid
    input = fcntl(pipes.stdin.write, F_DUPFD_CLOEXEC, 3)
    pipes.closeCommandEnds()
  }

  /// Tells it something and waits for what it says then.
  /// - Parameter isWhole: whether what came is all of the answer.
  /// - Returns: nil when it ended, or did not answer in time and was told to end.
  public func ask(
    _ text: Data, until deadline: ContinuousClock.Instant, isWhole: (Data) -> Bool
  ) -> Data? {
    var (rest, answer) = (text, Data())
    var buffer = [UInt8](repeating: 0, count: 65536)
    while !isWhole(answer) {
      var polls = [
        pollfd(fd: pipes.stdout.read, events: Int16(POLLIN), revents: 0),
        pollfd(fd: pipes.stderr.read, events: Int16(POLLIN), revents: 0),
        pollfd(fd: rest.isEmpty ? -1 : input, events: Int16(POLLOUT), revents: 0),
      ]
      let left = (deadline - .now).inMilliseconds
      guard left > 0, poll(&polls, 3, Int32(left.rounded(.up))) != 0 else {
        // Whoever does not answer now would answer the next question.
        kill(pid, SIGTERM)
        return nil
      }
      if polls[2].revents != 0 {
        let count = rest.withUnsafeBytes { write(input, $0.baseAddress, $0.count) }
        if count < 0, errno != EAGAIN, errno != EINTR { return nil }
        rest = rest.dropFirst(max(0, count))
      }
      if polls[1].revents != 0 { hear(&buffer) }
      guard polls[0].revents != 0 else { continue }
      let count = read(pipes.stdout.read, &buffer, buffer.count)
      if count == 0 { return nil }
      answer.append(contentsOf: buffer[..<max(0, count)])
    }
    return answer
  }

  /// - Returns: false when it has closed its stderr.
  @discardableResult
  private func hear(_ buffer: inout [UInt8]) -> Bool {
    let count = read(pipes.stderr.read, &buffer, buffer.count)
    if words.count < Self.mostWords { words.append(contentsOf: buffer[..<max(0, count)]) }
    return count > 0
  }

  /// Ends its input, waits for its end, and gives what it said on stderr.
  @discardableResult
  public func end() -> String {
    if input >= 0 {
      close(input)
      input = -1
      _ = csb_wait(pid, nil, nil)
      var buffer = [UInt8](repeating: 0, count: 65536)
      while hear(&buffer) {}
      pipes.close()
    }
    return String(decoding: words, as: UTF8.self)
  }

  deinit { end() }
}

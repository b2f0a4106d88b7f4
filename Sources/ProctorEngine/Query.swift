import FoundationEssentials
import Glibc

/// Runs a small tool of the machine and reads its stdout, within a time limit.
enum Query {
  private static let secondsAllowed = 10.0
  private static let outputLimit = 1 << 20

  static func run(_ argv: [String], directory: String?, environment: [String: String]) -> String? {
    var pipe: [Int32] = [-1, -1]
    guard Glibc.pipe(&pipe) == 0 else { return nil }
    pipe.forEach { _ = fcntl($0, F_SETFD, FD_CLOEXEC) }
    defer { close(pipe[0]) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, pipe[1], 1)
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    // posix_spawn's own chdir is not visible to Swift; the shell does it.
    let command =
      directory.map { ["/bin/sh", "-c", "cd \"$0\" && exec \"$@\"", $0] + argv } ?? argv
    var arguments = command.map { strdup($0) } + [nil]
    var variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { (arguments + variables).forEach { free($0) } }
    var child: pid_t = 0
    let failed = posix_spawn(&child, command[0], &actions, nil, &arguments, &variables)
    close(pipe[1])
    guard failed == 0 else { return nil }
    let output = readAll(pipe[0], from: child)
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0 && errno == EINTR {}
    guard status == 0, let output else { return nil }
    return String(decoding: output, as: UTF8.self)
  }

  private static func readAll(_ descriptor: Int32, from child: pid_t) -> Data? {
    let clock = ContinuousClock()
    let deadline = clock.now + .seconds(secondsAllowed)
    var output = Data()
    var buffer = [UInt8](repeating: 0, count: 65536)
    while output.count < outputLimit {
      var poller = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      let left = (deadline - clock.now).components.seconds
      guard left >= 0, poll(&poller, 1, Int32(left * 1000 + 500)) > 0 else { break }
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      if count <= 0 { return output }
      output.append(contentsOf: buffer[..<count])
    }
    kill(child, SIGKILL)
    return nil
  }
}

import CSandbox
import FoundationEssentials
import Glibc
import ProctorModel
import Synchronization

/// Starts one command and stays with it to its end, on one thread of its own: the kernel ties the
/// parent-death signal to the thread that forked.
struct Supervisor {
  private static let chunk = 64 * 1024
  /// Between SIGABRT, on which runtimes print where they hang, and SIGKILL.
  private static let lastWordsMS = 1500.0

  struct Ended {
    var status: ExitStatus
    var ending: SandboxResult.Ending
    var durationMS: Double
    var usage: rusage
    /// What bubblewrap reported on its status descriptor.
    var statusReport: String
    /// The beginning of stderr, where a failed start explains itself.
    var firstWords: String
  }

  let wallSeconds: Double?
  /// An eventfd that is readable once the run is cancelled.
  let cancellation: Int32
  let channel: Int32?
  /// Kills every process of the command, whatever it did to hide.
  let killAll: (pid_t) -> Void
  /// Processes of the command that may print where they hang.
  let innerProcesses: (String) -> [pid_t]
  /// The moment at which the command is to be killed before its limit.
  let overdue: () -> ContinuousClock.Instant?
  let events: @Sendable (SandboxEvent) -> Void

  /// - Parameters:
  ///   - launch: makes the launch from the write ends of stdout and stderr.
  ///   - status: the read end of bubblewrap's status pipe, nil when bare.
  func run(
    stdout: Int32, stderr: Int32, status: Int32?, start: () throws(Launch.Failure) -> pid_t
  ) throws(Launch.Failure) -> Ended {
    let clock = ContinuousClock()
    let begin = clock.now
    let pid = try start()
    let pidfd = csb_pidfd(pid)
    defer { if pidfd >= 0 { close(pidfd) } }
    var state = State(sources: [(stdout, .stdout), (stderr, .stderr)])
    if let channel { state.sources.append((channel, .channel)) }
    if let status { state.sources.append((status, .status)) }
    var ending = SandboxResult.Ending.exited
    var deadline = wallSeconds.map { begin + .seconds($0) }
    while true {
      let early = ending == .exited ? overdue() : nil
      let ready = wait(
        &state, pidfd: pidfd, until: [deadline, early].compactMap(\.self).min(), clock)
      if ready.exited { break }
      if ready.cancelled && ending != .cancelled {
        ending = .cancelled
        killAll(pid)
        deadline = nil
      } else if let limit = [deadline, ending == .exited ? overdue() : nil].compactMap(\.self)
        .min(),
        clock.now >= limit
      {
        if ending == .exited {
          ending = deadline.map { clock.now >= $0 } == true ? .wallTime : .overdue
          events(.stopping)
          let inner = innerProcesses(state.statusReport)
          inner.forEach { kill($0, SIGABRT) }
          deadline = clock.now + .milliseconds(inner.isEmpty ? 0 : Self.lastWordsMS)
        } else {
          killAll(pid)
          deadline = nil
        }
      }
    }
    var code: Int32 = 0
    var usage = rusage()
    _ = csb_wait(pid, &code, &usage)
    let duration = (clock.now - begin)
    killAll(pid)
    state.drain(events)
    return Ended(
      status: ExitStatus(waitStatus: code), ending: ending,
      durationMS: Double(duration.components.seconds) * 1000
        + Double(duration.components.attoseconds) / 1e15,
      usage: usage, statusReport: state.statusReport, firstWords: state.firstWords)
  }

  private func wait(
    _ state: inout State, pidfd: Int32, until deadline: ContinuousClock.Instant?,
    _ clock: ContinuousClock
  ) -> (exited: Bool, cancelled: Bool) {
    var polls = [
      pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0),
      pollfd(fd: cancellation, events: Int16(POLLIN), revents: 0),
    ]
    polls += state.sources.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
    let left = deadline.map { max(0, min(Double(Int32.max), ($0 - clock.now) / .milliseconds(1))) }
    let count = poll(&polls, nfds_t(polls.count), left.map { Int32($0.rounded(.up)) } ?? -1)
    guard count > 0 else { return (false, false) }
    let descriptors = state.sources.map(\.descriptor)
    for (index, descriptor) in descriptors.enumerated() where polls[index + 2].revents != 0 {
      state.read(descriptor, once: true, events)
    }
    return (polls[0].revents != 0, polls[1].revents != 0)
  }

  private enum Source { case stdout, stderr, channel, status }

  private struct State {
    var sources: [(descriptor: Int32, kind: Source)]
    var statusReport = ""
    var firstWords = ""
    private var buffer = [UInt8](repeating: 0, count: Supervisor.chunk)

    init(sources: [(Int32, Source)]) {
      self.sources = sources.map { (descriptor: $0.0, kind: $0.1) }
    }

    /// Reads what is there; a source at its end is dropped.
    mutating func read(
      _ descriptor: Int32, once: Bool, _ events: (SandboxEvent) -> Void
    ) {
      guard let kind = sources.first(where: { $0.descriptor == descriptor })?.kind else { return }
      repeat {
        let count = Glibc.read(descriptor, &buffer, buffer.count)
        if count < 0 && errno == EINTR { continue }
        if count < 0 && errno == EAGAIN { return }
        guard count > 0 else {
          sources.removeAll { $0.descriptor == descriptor }
          return
        }
        deliver(Data(buffer[..<count]), kind, events)
      } while !once
    }

    /// What is still in the pipes; a process that keeps one open is not waited for.
    mutating func drain(_ events: (SandboxEvent) -> Void) {
      for source in sources { read(source.descriptor, once: false, events) }
    }

    private mutating func deliver(_ bytes: Data, _ kind: Source, _ events: (SandboxEvent) -> Void) {
      switch kind {
      case .stdout: events(.stdout(bytes))
      case .stderr:
        if firstWords.utf8.count < 2048 {
          firstWords += String(decoding: bytes.prefix(2048), as: UTF8.self)
        }
        events(.stderr(bytes))
      case .channel: events(.channel(bytes))
      case .status: statusReport += String(decoding: bytes, as: UTF8.self)
      }
    }
  }
}

extension ExitStatus {
  /// From wait(2)'s encoding.
  init(waitStatus status: Int32) {
    let number = status & 0x7f
    self = number == 0 ? .exited((status >> 8) & 0xff) : .signaled(number)
  }
}

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
  private static let sampleMS = 100.0

  struct Ended {
    var ending: SandboxResult.Ending
    var durationMS: Double
    /// As wait(2) gives it, of the process that was started.
    var waitStatus: Int32
    /// nil while it is still being taken down.
    var usage: rusage?
    /// What came over the status pipe.
    var statusReport: [UInt8]
    /// The beginning of stderr, where a failed start explains itself.
    var firstWords: String
    /// Limits that were seen to be met while it ran.
    var reached: [ReachedLimit]
  }

  let limits: ResourceLimits
  /// An eventfd that is readable once the run is cancelled.
  let cancellation: Int32
  let channel: Int32?
  let watch: CallWatch?
  /// nil when the command has no input.
  let input: InputPump?
  let meter: UsageMeter
  /// Kills every process of the command, whatever it did to hide.
  let killAll: (pid_t) -> Void
  /// Processes of the command that may print where they hang.
  let innerProcesses: (pid_t, [UInt8]) -> [pid_t]
  /// The moment at which the command is to be killed before its limit.
  let overdue: () -> ContinuousClock.Instant?
  let events: @Sendable (SandboxEvent) -> Void
  /// Whether what the command said is all that it was started for.
  let isOver: () -> Bool
  /// Called once when an init told how the command ended, or it is over; what is left of it is then taken down.
  let settled: ((Ended) -> Void)?

  private enum Wake { case exited, cancelled, other }

  /// - Parameters:
  ///   - start: makes the command.
  ///   - status: the read end of the status pipe; negative for none.
  func run(
    _ pipes: Pipes, start: () throws(Launch.Failure) -> pid_t
  ) throws(Launch.Failure) -> Ended {
    let clock = ContinuousClock()
    let begin = clock.now
    var input = input
    defer { input?.end() }
    let pid = try start()
    let pidfd = csb_pidfd(pid)
    defer { if pidfd >= 0 { close(pidfd) } }
    var state = State(pipes, channel: channel, watch: watch, limits: limits)
    var meter = meter.started(pid)
    var ending = SandboxResult.Ending.exited
    var reached: [ReachedLimit] = []
    var deadline = limits.wallSeconds.map { begin + .seconds($0) }
    var nextSample = begin + .milliseconds(Self.sampleMS)
    var settled = settled
    func stop(_ why: SandboxResult.Ending) {
      ending = why
      killAll(pid)
      deadline = nil
    }
    loop: while true {
      let early = ending == .exited ? overdue() : nil
      let until = [deadline, early, nextSample].compactMap(\.self).min()
      switch wait(&state, &input, pidfd: pidfd, until: until, clock) {
      case .exited: break loop
      case .cancelled where ending != .cancelled: stop(.cancelled)
      case .cancelled, .other: break
      }
      let now = clock.now
      if ending == .exited, let limit = state.outputExceeded {
        reached.append(limit)
        stop(.output)
      }
      if ending == .exited, let tell = settled, InitReport(state.statusReport) != nil || isOver() {
        settled = nil
        // What it wrote, it wrote before its end was told.
        state.drain(events)
        tell(
          Ended(
            ending: ending, durationMS: (clock.now - begin).inMilliseconds, waitStatus: 0,
            usage: nil, statusReport: state.statusReport, firstWords: state.firstWords,
            reached: reached))
        killAll(pid)
      }
      if now >= nextSample {
        nextSample = now + .milliseconds(Self.sampleMS)
        let sample = meter.sample((now - begin).inMilliseconds)
        events(.usage(sample))
        if ending == .exited, let (limit, why) = meter.exceeded() {
          reached.append(limit)
          stop(why)
        }
      }
      guard let limit = [deadline, ending == .exited ? overdue() : nil].compactMap(\.self).min(),
        now >= limit
      else { continue }
      if ending == .exited {
        ending = deadline.map { now >= $0 } == true ? .wallTime : .overdue
        events(.stopping)
        let inner = innerProcesses(pid, state.statusReport)
        inner.forEach { kill($0, SIGABRT) }
        deadline = now + .milliseconds(inner.isEmpty ? 0 : Self.lastWordsMS)
      } else {
        killAll(pid)
        deadline = nil
      }
    }
    var code: Int32 = 0
    var usage = rusage()
    _ = csb_wait(pid, &code, &usage)
    let duration = clock.now - begin
    killAll(pid)
    state.drain(events)
    return Ended(
      ending: ending, durationMS: duration.inMilliseconds, waitStatus: code, usage: usage,
      statusReport: state.statusReport, firstWords: state.firstWords, reached: reached)
  }

  private func wait(
    _ state: inout State, _ input: inout InputPump?, pidfd: Int32,
    until deadline: ContinuousClock.Instant?, _ clock: ContinuousClock
  ) -> Wake {
    var polls = [
      pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0),
      pollfd(fd: cancellation, events: Int16(POLLIN), revents: 0),
    ]
    polls += state.sources.map {
      pollfd(fd: state.descriptor(of: $0), events: Int16(POLLIN), revents: 0)
    }
    if let waiting = input?.waiting { polls.append(waiting) }
    let left = deadline.map { max(0, min(Double(Int32.max), ($0 - clock.now) / .milliseconds(1))) }
    let count = poll(&polls, nfds_t(polls.count), left.map { Int32($0.rounded(.up)) } ?? -1)
    guard count > 0 else { return .other }
    let sources = state.sources
    for (index, source) in sources.enumerated() {
      let seen = Int32(polls[index + 2].revents)
      if seen & POLLIN != 0 {
        state.read(source, once: true, events)
      } else if seen != 0 {
        state.end(source)
      }
    }
    if polls.count > sources.count + 2, polls[sources.count + 2].revents != 0 { input?.ready() }
    if polls[0].revents != 0 { return .exited }
    return polls[1].revents != 0 ? .cancelled : .other
  }

  private enum Kind { case stdout, stderr, channel, status, calls }

  private struct Source: Equatable {
    let descriptor: Int32
    let kind: Kind
  }

  private struct State {
    var sources: [Source]
    var statusReport: [UInt8] = []
    var firstWords = ""
    private let watch: CallWatch?
    private let outputLimit: Int?
    private var output = 0
    private var buffer = [UInt8](repeating: 0, count: Supervisor.chunk)

    init(_ pipes: Pipes, channel: Int32?, watch: CallWatch?, limits: ResourceLimits) {
      sources = [
        Source(descriptor: pipes.stdout.read, kind: .stdout),
        Source(descriptor: pipes.stderr.read, kind: .stderr),
      ]
      if let channel { sources.append(Source(descriptor: channel, kind: .channel)) }
      if pipes.status.read >= 0 {
        sources.append(Source(descriptor: pipes.status.read, kind: .status))
      }
      if let watch { sources.append(Source(descriptor: watch.descriptor, kind: .calls)) }
      self.watch = watch
      outputLimit = limits.outputMB
    }

    /// The watched calls come over another descriptor once the listener is there.
    func descriptor(of source: Source) -> Int32 {
      source.kind == .calls ? watch?.descriptor ?? -1 : source.descriptor
    }

    var outputExceeded: ReachedLimit? {
      guard let outputLimit, output > outputLimit << 20 else { return nil }
      return ReachedLimit(
        .outputMB, evidence: "more than \(outputLimit) MB were written to stdout and stderr",
        isFatal: true)
    }

    /// Reads what is there; a source at its end is dropped.
    mutating func read(_ source: Source, once: Bool, _ events: (SandboxEvent) -> Void) {
      if source.kind == .calls {
        if watch?.ready() != true { end(source) }
        return
      }
      repeat {
        let count = Glibc.read(source.descriptor, &buffer, buffer.count)
        if count < 0 && errno == EINTR { continue }
        if count < 0 && errno == EAGAIN { return }
        guard count > 0 else { return end(source) }
        deliver(Data(buffer[..<count]), source.kind, events)
      } while !once
    }

    /// Nothing more will come.
    mutating func end(_ source: Source) { sources.removeAll { $0 == source } }

    /// What is still in the pipes; a process that keeps one open is not waited for.
    mutating func drain(_ events: (SandboxEvent) -> Void) {
      for source in sources where source.kind != .calls { read(source, once: false, events) }
    }

    private mutating func deliver(_ bytes: Data, _ kind: Kind, _ events: (SandboxEvent) -> Void) {
      switch kind {
      case .stdout:
        output += bytes.count
        guard outputExceeded == nil else { return }
        events(.stdout(bytes))
      case .stderr:
        output += bytes.count
        guard outputExceeded == nil else { return }
        if firstWords.utf8.count < 2048 {
          firstWords += String(decoding: bytes.prefix(2048), as: UTF8.self)
        }
        events(.stderr(bytes))
      case .channel: events(.channel(bytes))
      case .status: statusReport += bytes
      case .calls: break
      }
    }
  }
}

extension Duration {
  var inMilliseconds: Double {
    Double(components.seconds) * 1000 + Double(components.attoseconds) / 1e15
  }
}

extension ExitStatus {
  /// From wait(2)'s encoding.
  init(waitStatus status: Int32) {
    let number = status & 0x7f
    self = number == 0 ? .exited((status >> 8) & 0xff) : .signaled(number)
  }
}

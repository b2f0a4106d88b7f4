import FoundationEssentials
import ProctorModel
import ProctorSandbox
import Synchronization

/// Receives what a sandboxed command produces. Called from the supervising thread only, read after it.
final class Recorder: Sendable {
  private struct State {
    var ledger: Ledger
    var decoder: (any EventDecoder)?
    var frames: ChannelReader
    var line = Data()
    var stdout: BoundedCapture
    var stderr: BoundedCapture
    var usage = UsageSeries()
    /// When each running test started.
    var starts: [TestID: ContinuousClock.Instant] = [:]
    /// When a time limit was reached. Signals may wake what hangs: what it reports then does not count.
    var stopped: ContinuousClock.Instant?
  }

  /// A foreign tool's record longer than this is not a record.
  private static let lineLimit = 64 << 20

  private let project: Project
  private let channel: Invocation.Channel
  private let testSeconds: Double?
  /// Of the run.
  private let begin: ContinuousClock.Instant
  private let started = ContinuousClock.now
  private let progress: @Sendable (Progress) -> Void
  private let state: Mutex<State>

  init(
    project: Project, channel: Invocation.Channel, nonce: String, ledger: Ledger,
    decoder: (any EventDecoder)?,
    outputLimit: Int, testSeconds: Double?, begin: ContinuousClock.Instant,
    progress: @escaping @Sendable (Progress) -> Void
  ) {
    self.project = project
    self.channel = channel
    self.testSeconds = testSeconds
    self.begin = begin
    self.progress = progress
    state = Mutex(
      State(
        ledger: ledger, decoder: decoder, frames: ChannelReader(nonce: nonce),
        stdout: BoundedCapture(limit: outputLimit), stderr: BoundedCapture(limit: outputLimit)))
  }

  func receive(_ event: SandboxEvent) {
    state.withLock { state in
      switch event {
      case .stdout(let bytes):
        state.stdout.append(bytes)
        decode(.stdout(bytes), &state)
      case .stderr(let bytes):
        state.stderr.append(bytes)
        decode(.stderr(bytes), &state)
      case .stopping: state.stopped = ContinuousClock().now
      case .usage(let sample):
        state.usage.append(sample)
        progress(.usage(project, sample))
      case .channel(let bytes):
        guard state.stopped == nil else { return }
        for record in records(bytes, &state) { decode(.record(record), &state) }
      }
    }
  }

  /// When the first of the running tests will have used up its time.
  var overdue: ContinuousClock.Instant? {
    guard let testSeconds else { return nil }
    return state.withLock { $0.starts.values.min() }.map { $0 + .seconds(testSeconds) }
  }

  func finish(
    _ result: SandboxResult, of invocation: Invocation, adapter: any Adapter,
    context: AdapterContext
  ) -> InvocationRunner.Finished {
    state.withLock { state in
      state.frames.finish()
      apply(state.decoder?.finish(result.status) ?? [], &state)
      let isCut = state.frames.isCut || !state.line.isEmpty
      // A process that was lost may well have been cut short in the middle of a record.
      if isCut && state.ledger.ended {
        state.ledger.contradict("the report ends in the middle of a record")
      }
      let results = state.ledger.results
      // What only proctor found wrong, the runner's exit status need not show, but may.
      let failed =
        results.values.contains { $0.outcome.countsAsFailed }
        || !state.ledger.errors.isEmpty
      let failedByRunner =
        results.values.contains { $0.isFailedByRunner }
        || state.ledger.errors.contains { $0.finding == nil }
      let blamed = invocation.purpose == .run ? guilty(result, state) : []
      let blame = Blame(
        result: result, invocation: invocation, adapter: adapter, context: context,
        testSeconds: testSeconds, stdout: state.stdout, stderr: state.stderr)
      for id in blamed {
        guard let test = state.ledger.test(id) else { continue }
        apply([.finished(id, blame.attempt(of: test))], &state)
      }
      let agrees =
        invocation.purpose != .run
        || Set([failed, failedByRunner]).contains {
          adapter.exitAgrees(
            result.status, failed: $0, ran: !results.isEmpty, of: invocation)
        }
      return InvocationRunner.Finished(
        result: result, ledger: state.ledger,
        evidence: InvocationEvidence(
          project: context.project, title: invocation.title, purpose: invocation.purpose,
          status: result.status, ending: result.ending, ended: state.ledger.ended,
          exitAgrees: agrees, violations: state.frames.violations,
          lastWords: state.stderr.lastLines(3)),
        invocation: FinishedInvocation(
          invocation: invocation, status: result.status, stdout: state.stdout.data,
          stderr: state.stderr.data),
        stderr: CapturedText(text: state.stderr.withoutStacks), stdout: state.stdout.text,
        command: AdapterReport.Command(
          purpose: invocation.purpose, argv: invocation.argv, status: result.status,
          durationMS: result.durationMS, peakMemoryMB: result.peakMemoryMB,
          cpuMS: result.cpuSeconds.map { $0 * 1000 },
          startedMS: (started - begin).milliseconds, samples: state.usage.samples),
        blamed: blamed)
    }
  }

  /// The running tests that the end of the process is held against.
  private func guilty(_ result: SandboxResult, _ state: State) -> [TestID] {
    let running = state.ledger.running.filter { state.ledger.test($0) != nil }
    guard result.ending == .overdue, let testSeconds else {
      return result.ending == .cancelled ? [] : running
    }
    let now = state.stopped ?? ContinuousClock().now
    let late = running.filter { id in
      state.starts[id].map { now - $0 >= .seconds(testSeconds) } ?? false
    }
    return late.isEmpty ? running : late
  }

  private func records(_ bytes: Data, _ state: inout State) -> [Data] {
    guard case .lines = channel else { return state.frames.receive(bytes) }
    state.line.append(bytes)
    var records: [Data] = []
    var start = state.line.startIndex
    while let end = state.line[start...].firstIndex(of: UInt8(ascii: "\n")) {
      if end > start { records.append(Data(state.line[start..<end])) }
      start = state.line.index(after: end)
    }
    state.line = Data(state.line[start...])
    if state.line.count > Self.lineLimit {
      state.ledger.contradict(
        "a record on the report channel is longer than \(Self.lineLimit) bytes")
      state.line = Data()
    }
    return records
  }

  private func decode(_ chunk: OutputChunk, _ state: inout State) {
    apply(state.decoder?.receive(chunk) ?? [], &state)
  }

  private func apply(_ events: [TestEvent], _ state: inout State) {
    for event in events {
      state.ledger.apply(timed(event, state))
      switch event {
      case .listed(let test): progress(.listed(test))
      case .started(let id):
        state.starts[id] = ContinuousClock.now
        progress(.started(id))
      case .finished(let id, _):
        state.starts[id] = nil
        announce(id, state.ledger)
      case .error(let error): progress(.error(error))
      case .deselected, .leftOut, .ended, .corrupt: break
      }
    }
  }

  /// A result with the moment at which its test was seen to start.
  private func timed(_ event: TestEvent, _ state: State) -> TestEvent {
    guard case .finished(let id, var attempt) = event, attempt.startedMS == nil,
      let start = state.starts[id]
    else { return event }
    attempt.startedMS = (start - begin).milliseconds
    return .finished(id, attempt)
  }

  private func announce(_ id: TestID, _ ledger: Ledger) {
    guard let test = ledger.test(id), let attempt = ledger.results[id] else { return }
    progress(.finished(TestResult(test: test, first: attempt)))
  }
}

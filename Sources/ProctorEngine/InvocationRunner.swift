import FoundationEssentials
import Glibc
import ProctorModel
import ProctorSandbox
import Synchronization

/// Puts one project's invocations into the sandbox, one after the other, and decodes what they say.
struct InvocationRunner: Sendable {
  let adapter: any Adapter
  let context: AdapterContext
  let host: [String: String]
  let backend: SandboxPolicy.Backend
  let limits: ResourceLimits
  let mustLimitProcesses: Bool
  /// This project's part of the run folder.
  let scratch: String
  let progress: @Sendable (Progress) -> Void

  /// Bytes kept of stdout and stderr of one invocation that only explains itself with them.
  private static let outputLimit = 1 << 20
  /// Bytes kept of a build's stdout, which is its report.
  private static let buildOutputLimit = 256 << 20
  static let home = "/tmp/home"

  struct Finished: Sendable {
    let result: SandboxResult
    let ledger: Ledger
    let evidence: InvocationEvidence
    let invocation: FinishedInvocation
    let stderr: CapturedText
    let stdout: CapturedText
    let command: AdapterReport.Command
  }

  /// Runs to the end; a failing command is a result.
  func run(
    _ invocation: Invocation, ledger: Ledger, decoder: (any EventDecoder)?
  ) async throws(EngineError) -> Finished {
    progress(.began(context.project, title: invocation.title))
    let nonce = RunFolder.nonce()
    let place = try prepare(invocation, nonce: nonce)
    defer { FileSystem.removeTree(place.folder) }
    let recorder = Recorder(
      channel: invocation.channel, nonce: nonce, ledger: ledger, decoder: decoder,
      outputLimit: invocation.purpose == .build ? Self.buildOutputLimit : Self.outputLimit,
      progress: progress)
    let result: SandboxResult
    do {
      result = try await Sandbox().run(
        command(invocation, place, nonce: nonce), policy: policy(invocation),
        events: { recorder.receive($0) })
    } catch {
      throw EngineError(
        error.code == .storage ? .storage : .sandbox, error.message, resolution: error.resolution)
    }
    return recorder.finish(result, of: invocation, adapter: adapter, project: context.project)
  }

  // MARK: from an invocation to a command

  private struct Place {
    let folder: String
    var files: String { "\(folder)/files" }
    let channel: String
  }

  private func prepare(_ invocation: Invocation, nonce: String) throws(EngineError) -> Place {
    let folder = "\(scratch)/\(nonce.prefix(8))"
    let place = Place(folder: folder, channel: "\(folder)/\(RunFolder.nonce())")
    try FileSystem.makeFolder(place.files)
    for (name, data) in invocation.files {
      let text = String(validating: data, as: UTF8.self)
      let filled = text.map { Data(fill($0, place, nonce: nonce).utf8) } ?? data
      let path = "\(place.files)/\(name)"
      let parent = path.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" }
      if name.contains("/") { try FileSystem.makeFolder(parent) }
      try FileSystem.write(filled, to: path)
    }
    if case .none = invocation.channel { return place }
    guard mkfifo(place.channel, 0o600) == 0 else {
      throw FileSystem.storage(
        "cannot create the report channel in \(folder): \(String(cString: strerror(errno)))")
    }
    return place
  }

  private func fill(_ text: String, _ place: Place, nonce: String) -> String {
    guard text.contains("{{") else { return text }
    return text.replacing(Invocation.channelPlaceholder, with: place.channel)
      .replacing(Invocation.noncePlaceholder, with: nonce)
      .replacing(Invocation.filesPlaceholder, with: place.files)
  }

  private func command(_ invocation: Invocation, _ place: Place, nonce: String) -> SandboxCommand {
    let environment = GuestEnvironment(host: host, backend: backend, home: Self.home)
      .variables(adapter: adapter, context: context, invocation: invocation)
    var channel: String? = place.channel
    if case .none = invocation.channel { channel = nil }
    return SandboxCommand(
      argv: invocation.argv.map { fill($0, place, nonce: nonce) },
      environment: environment.mapValues { fill($0, place, nonce: nonce) },
      directory: invocation.directory, channel: channel, visible: [place.folder])
  }

  private func policy(_ invocation: Invocation) -> SandboxPolicy {
    SandboxPolicy(
      backend: backend, workspace: context.workspace,
      access: invocation.writesWorkspace ? .writable : .protected,
      network: invocation.purpose == .fetch ? .host : .none,
      mounts: context.toolchain.reads.map { .readOnly($0) } + invocation.mounts, limits: limits,
      mustLimitProcesses: mustLimitProcesses,
      home: Self.home, scratch: scratch)
  }
}

/// Receives what a sandboxed command produces. Called from the supervising thread only, read after it.
private final class Recorder: Sendable {
  private struct State {
    var ledger: Ledger
    var decoder: (any EventDecoder)?
    var frames: ChannelReader
    var line = Data()
    var stdout: BoundedCapture
    var stderr: BoundedCapture
  }

  /// A foreign tool's record longer than this is not a record.
  private static let lineLimit = 64 << 20

  private let channel: Invocation.Channel
  private let progress: @Sendable (Progress) -> Void
  private let state: Mutex<State>

  init(
    channel: Invocation.Channel, nonce: String, ledger: Ledger, decoder: (any EventDecoder)?,
    outputLimit: Int, progress: @escaping @Sendable (Progress) -> Void
  ) {
    self.channel = channel
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
      case .channel(let bytes):
        for record in records(bytes, &state) { decode(.record(record), &state) }
      }
    }
  }

  func finish(
    _ result: SandboxResult, of invocation: Invocation, adapter: any Adapter, project: Project
  ) -> InvocationRunner.Finished {
    state.withLock { state in
      state.frames.finish()
      let events = state.decoder?.finish(result.status) ?? []
      apply(events, &state)
      if case .lines = channel, !state.line.isEmpty {
        state.ledger.contradict("the report ends in the middle of a record")
      }
      let results = state.ledger.results
      let failed = results.values.contains { $0.outcome.countsAsFailed }
      if invocation.purpose == .run { blame(result, &state) }
      let agrees =
        invocation.purpose != .run
        || adapter.exitAgrees(
          result.status, failed: failed || !state.ledger.errors.isEmpty, ran: !results.isEmpty,
          of: invocation)
      return InvocationRunner.Finished(
        result: result, ledger: state.ledger,
        evidence: InvocationEvidence(
          project: project, title: invocation.title, purpose: invocation.purpose,
          status: result.status, ending: result.ending, ended: state.ledger.ended,
          exitAgrees: agrees, violations: state.frames.violations,
          lastWords: state.stderr.lastLines(3)),
        invocation: FinishedInvocation(
          invocation: invocation, status: result.status, stdout: state.stdout.data,
          stderr: state.stderr.data),
        stderr: state.stderr.text, stdout: state.stdout.text,
        command: AdapterReport.Command(
          purpose: invocation.purpose, argv: invocation.argv, status: result.status,
          durationMS: result.durationMS, peakMemoryMB: result.peakMemoryMB))
    }
  }

  /// A process that ended while tests were running takes them with it.
  private func blame(_ result: SandboxResult, _ state: inout State) {
    guard result.ending != .cancelled else { return }
    let words = state.stderr.lastLines(5)
    for id in state.ledger.running {
      let attempt =
        switch result.ending {
        case .wallTime:
          Attempt(
            outcome: .timedOut, rawStatus: "timed_out",
            failures: [Failure(message: "still running when the time limit was reached")])
        case .outOfMemory:
          Attempt(
            outcome: .crashed, rawStatus: "out_of_memory",
            failures: [Failure(message: "the process was killed at its memory limit")])
        case .exited, .cancelled:
          Attempt(
            outcome: .crashed, rawStatus: "crashed",
            failures: [
              Failure(
                message: "the process ended (\(result.status.text)) while this test was running"
                  + (words.isEmpty ? "" : ": \(words)"))
            ])
        }
      apply([.finished(id, attempt)], &state)
    }
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
      state.ledger.apply(event)
      switch event {
      case .listed(let test): progress(.listed(test))
      case .started(let id): progress(.started(id))
      case .finished(let id, _): announce(id, state.ledger)
      case .error(let error): progress(.error(error))
      case .deselected, .ended, .corrupt: break
      }
    }
  }

  private func announce(_ id: TestID, _ ledger: Ledger) {
    guard let test = ledger.test(id), let attempt = ledger.results[id] else { return }
    progress(.finished(TestResult(test: test, first: attempt)))
  }
}

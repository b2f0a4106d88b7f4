import FoundationEssentials
import ProctorEngine
import ProctorFormats
import ProctorModel
import Synchronization

/// The runs of a session or a service: they go on while nobody waits for them, and are kept to be asked about.
final class RunStore: Sendable {
  private typealias Job = @Sendable () async -> Void

  /// Runs that are kept after their end; the oldest makes room.
  private static let most = 20
  /// Bytes of output and messages that are kept of all of them.
  private static let mostBytes = 256 << 20

  private struct State {
    var runs: [Run] = []
    var next = 1
    /// What the last whole run of each selection found, the one of longest ago first.
    var found: [(selection: String, outcomes: [TestID: Outcome])] = []
  }

  private let state = Mutex(State())
  private let jobs: AsyncStream<Job>
  private let queue: AsyncStream<Job>.Continuation

  init() { (jobs, queue) = AsyncStream.makeStream(of: Job.self) }

  /// Has runs go on until this task is cancelled; then they are, and have ended when it returns.
  func serve() async {
    await withDiscardingTaskGroup { group in
      for await job in jobs { group.addTask { await job() } }
      group.cancelAll()
    }
  }

  /// All that are kept, the oldest first.
  var all: [Run] { state.withLock { $0.runs } }

  subscript(_ id: String) -> Run? { all.first { $0.id == id } }

  /// - Parameters:
  ///   - selection: the same for runs of the same tests.
  ///   - isOfWorkspace: later runs are compared with it; otherwise a patch stood in the workspace's place.
  ///   - ticket: of the place it takes, which is given back at its end.
  ///   - keep: is given the report once nobody waits for it any more, and tells the name by which it is kept.
  func start(
    _ kind: Run.Kind, of selection: String, isOfWorkspace: Bool, _ ticket: WorkQueue.Ticket,
    keep: @escaping @Sendable (Report, _ named: (String?) -> Void) async -> Void,
    body:
      @escaping @Sendable (@escaping @Sendable (Progress) -> Void) async throws(EngineError) ->
      Report
  ) -> Run {
    let run = state.withLock { state in
      Self.makeRoom(&state.runs)
      let run = Run(id: "run-\(state.next)", kind: kind)
      state.next += 1
      state.runs.append(run)
      return run
    }
    let taken = queue.yield {
      let result = await run.stopped.cancelling {
        await ticket.begin()
        defer { ticket.end() }
        return await Self.result { () async throws(EngineError) in
          try await body(run.progress.apply)
        }
      }
      run.finish(result.map { self.compared($0, selection, isOfWorkspace) })
      if case .success(let report) = result {
        await keep(report) { run.kept($0) }
      } else {
        run.kept(nil)
      }
    }
    if case .terminated = taken {
      // The session ended while this was on its way: nobody does it any more.
      ticket.end()
      run.finish(
        .failure(
          EngineError(
            .interrupted, "the session ended before the run began", resolution: "Call it again.")))
      run.kept(nil)
    }
    return run
  }

  private static func result(
    _ body: () async throws(EngineError) -> Report
  ) async -> Result<Report, EngineError> {
    do {
      return .success(try await body())
    } catch {
      return .failure(error)
    }
  }

  private static func makeRoom(_ runs: inout [Run]) {
    func isFull() -> Bool {
      runs.count { $0.outcome != nil } >= most || runs.reduce(0) { $0 + $1.bytes } > mostBytes
    }
    while isFull(), let oldest = runs.firstIndex(where: { $0.outcome != nil }) {
      runs.remove(at: oldest)
    }
  }

  /// Compares with the last run of the same tests that said something of all of them.
  private func compared(
    _ report: Report, _ selection: String, _ isOfWorkspace: Bool
  ) -> (report: Report, since: RunDifference?) {
    guard report.verdict.status != .error, report.errors.isEmpty, report.missing.isEmpty else {
      return (report, nil)
    }
    return state.withLock { state in
      let index = state.found.firstIndex { $0.selection == selection }
      let since = index.map { RunDifference(from: state.found[$0].outcomes, to: report) }
      guard isOfWorkspace else { return (report, since) }
      if let index { state.found.remove(at: index) }
      let outcomes = Dictionary(
        report.tests.map { ($0.test.id, $0.outcome) }, uniquingKeysWith: { $1 })
      state.found.append((selection, outcomes))
      if state.found.count > Self.most { state.found.removeFirst() }
      return (report, since)
    }
  }
}

/// One run of tests that a session started.
final class Run: Sendable {
  enum Kind: String, Sendable {
    case all = "run_all_tests"
    case some = "run_test"
  }

  typealias Outcome = Result<(report: Report, since: RunDifference?), EngineError>

  /// `run-1`: the same in every session that makes the same calls.
  let id: String
  let kind: Kind
  let progress = RunProgress()
  /// Opened to have it stopped.
  let stopped = Latch()
  private let ended = Latch()
  let startedAt = Date.now
  private let begun = ContinuousClock.now
  private let result = Mutex<Outcome?>(nil)
  private let name = Mutex<String?>(nil)
  private let settled = Latch()

  init(id: String, kind: Kind) {
    self.id = id
    self.kind = kind
  }

  /// nil while it goes on.
  var outcome: Outcome? { result.withLock { $0 } }

  /// Milliseconds since it was started.
  var ageMS: Double { begun.duration(to: .now) / .milliseconds(1) }

  /// Roughly what it takes to keep it.
  var bytes: Int { (try? outcome?.get().report.bytes) ?? 0 }

  func finish(_ outcome: Outcome) {
    result.withLock { $0 = outcome }
    ended.open()
  }

  /// By which it is kept after the session; nil while it is not.
  var keptName: String? { name.withLock { $0 } }

  func kept(_ name: String?) {
    self.name.withLock { $0 = name }
    settled.open()
  }

  /// Waits until it is over and kept, if it is.
  func waitToBeKept() async { await settled.wait() }

  /// nil when it goes on for longer than that.
  func wait(seconds: Double) async -> Outcome? {
    if outcome == nil { await ended.wait(atMost: .seconds(seconds)) }
    return outcome
  }
}

extension Report {
  fileprivate var bytes: Int {
    tests.reduce(0) { $0 + $1.bytes } + errors.reduce(0) { $0 + 200 + $1.message.utf8.count }
  }
}

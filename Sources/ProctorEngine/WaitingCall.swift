import CSandbox
import FoundationEssentials
import Glibc
import ProctorModel
import ProctorSandbox
import Synchronization

/// One sandbox that was started ahead: its program waits for a request, gets one, and ends.
final class WaitingCall: Sendable {
  /// What its records on the channel carry.
  let nonce: String

  /// What it said before anybody listened, and when it must have ended.
  private struct Ear {
    var heard: [SandboxEvent] = []
    var listener: (@Sendable (SandboxEvent) -> Void)?
    var isOver: @Sendable () -> Bool = { false }
    var deadline: ContinuousClock.Instant?
    var hasEnded = false
  }

  private final class Hearing: Sendable {
    private static let mostHeard = 64

    let ear = Mutex(Ear())

    func receive(_ event: SandboxEvent) {
      ear.withLock { ear in
        if let listener = ear.listener { return listener(event) }
        // What it uses while it waits is nobody's.
        if case .usage = event { return }
        // A program that does not wait quietly is none that waits.
        if ear.heard.count < Self.mostHeard { ear.heard.append(event) } else { ear.hasEnded = true }
      }
    }

    func listen(
      until deadline: ContinuousClock.Instant?,
      _ listener: @escaping @Sendable (SandboxEvent) -> Void,
      isOver: @escaping @Sendable () -> Bool
    ) {
      ear.withLock { ear in
        ear.heard.forEach(listener)
        ear.heard = []
        (ear.listener, ear.isOver, ear.deadline) = (listener, isOver, deadline)
      }
    }
  }

  /// Its result, which is there before all of it is gone.
  private final class Outcome: Sendable {
    private struct State {
      var result: SandboxResult?
      var isKnown = false
      var waiter: CheckedContinuation<SandboxResult?, Never>?
    }

    private let state = Mutex(State())

    /// The first one counts.
    func settle(_ result: SandboxResult?) {
      let waiter = state.withLock { state -> CheckedContinuation<SandboxResult?, Never>? in
        guard !state.isKnown else { return nil }
        (state.result, state.isKnown) = (result, true)
        defer { state.waiter = nil }
        return state.waiter
      }
      waiter?.resume(returning: result)
    }

    /// For one caller.
    func result() async -> SandboxResult? {
      await withCheckedContinuation { continuation in
        let known = state.withLock { state -> SandboxResult?? in
          guard !state.isKnown else { return .some(state.result) }
          state.waiter = continuation
          return nil
        }
        if let known { continuation.resume(returning: known) }
      }
    }
  }

  /// Closes what it holds when nobody needs it any more.
  private final class Holding: Sendable {
    let folder: RunFolder
    init(_ folder: consuming RunFolder) { self.folder = folder }
  }

  private let hearing = Hearing()
  private let place: InvocationRunner.Place
  /// The pipe on which the program waits until somebody writes to it.
  private let request: String
  private let outcome = Outcome()
  private let task: Task<Void, Never>

  /// - Parameter ahead: added to the environment: what it is told of the calls that it will get.
  init(
    _ invocation: Invocation, _ ahead: [String: String], _ runner: InvocationRunner,
    _ folder: consuming RunFolder
  ) throws(EngineError) {
    let nonce = RunFolder.nonce()
    let folder = Holding(folder)
    var runner = runner
    runner.scratch = folder.folder.path
    let place = try runner.prepare(invocation, nonce: nonce, isAhead: true)
    var policy = runner.policy(invocation, place)
    // It is nobody's time yet.
    policy.limits.wallSeconds = nil
    let command = runner.command(invocation, place, nonce: nonce, adding: ahead)
    self.nonce = nonce
    self.place = place
    request = "\(place.files)/\(invocation.ahead?.request ?? "")"
    task = Task { [hearing, outcome, policy] in
      let result = try? await Sandbox().run(
        command, policy: policy, overdue: { hearing.ear.withLock { $0.deadline } },
        events: { hearing.receive($0) },
        isOver: { hearing.ear.withLock { $0.isOver }() }, settled: { outcome.settle($0) })
      hearing.ear.withLock { $0.hasEnded = true }
      outcome.settle(result)
      withExtendedLifetime(folder) {}
    }
  }

  /// Asks what it was started for.
  /// - Parameter isOver: whether what was told by then is the answer; the program is not waited for then.
  /// - Returns: nil when the request does not reach it.
  func run(
    _ invocation: Invocation, _ runner: InvocationRunner,
    events: @escaping @Sendable (SandboxEvent) -> Void,
    isOver: @escaping @Sendable () -> Bool
  ) async -> SandboxResult? {
    let seconds = runner.limits.wallSeconds
    let begin = ContinuousClock.now
    hearing.listen(until: seconds.map { begin + .seconds($0) }, events, isOver: isOver)
    guard let ahead = invocation.ahead, let data = invocation.files[ahead.request],
      await send(runner.fill(String(decoding: data, as: UTF8.self), place, nonce: nonce))
    else {
      cancel()
      return nil
    }
    var result = await withTaskCancellationHandler {
      await outcome.result()
    } onCancel: {
      task.cancel()
    }
    result?.durationMS = (ContinuousClock.now - begin).milliseconds
    result?.receipt.limits.wallSeconds = seconds
    return result
  }

  func cancel() { task.cancel() }

  /// Waits until nothing of it is left.
  func ended() async { _ = await task.value }

  /// What the pipe does not take at once is not for this way.
  private func send(_ text: String) async -> Bool {
    guard let pipe = await opened() else { return false }
    defer { close(pipe) }
    csb_widen_pipe(pipe)
    var text = text
    return text.withUTF8 { write(pipe, $0.baseAddress, $0.count) == $0.count }
  }

  /// The pipe, once the program has opened its end: what is written before is lost.
  private func opened() async -> Int32? {
    while true {
      let isLate = hearing.ear.withLock { ear in
        ear.hasEnded || ear.deadline.map { $0 < .now } == true
      }
      if isLate || Task.isCancelled { return nil }
      let pipe = open(request, O_WRONLY | O_NONBLOCK | O_CLOEXEC)
      if pipe >= 0 { return pipe }
      guard errno == ENXIO || errno == EINTR else { return nil }
      try? await Task.sleep(for: .milliseconds(1))
    }
  }
}

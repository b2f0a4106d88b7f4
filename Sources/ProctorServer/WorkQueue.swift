import ProctorEngine
import Synchronization

/// How much work goes on at the same time, and how much may wait for that, first come first served.
final class WorkQueue: Sendable {
  /// A piece of work that goes on or waits.
  struct Ticket: Sendable {
    fileprivate let turn = Latch()
    fileprivate let queue: WorkQueue

    /// Waits for its turn, or for the task to be cancelled.
    func begin() async { await turn.wait() }

    /// Must be called once, also by work that never began.
    func end() { queue.leave(self) }

    /// Lets others work meanwhile: nothing is done but waiting for the user.
    func pausing<Result: Sendable>(_ wait: () async -> Result) async -> Result {
      let stands = queue.pause(self)
      let result = await wait()
      if stands { await queue.goOn(self) }
      return result
    }
  }

  fileprivate struct State {
    var running: [ObjectIdentifier] = []
    var waiting: [Ticket] = []
    /// Seconds that work has taken lately, on average.
    var usual = 1.0
    var began: [ObjectIdentifier: ContinuousClock.Instant] = [:]
  }

  private let most: Int
  private let mostWaiting: Int
  private let state = Mutex(State())

  /// - Parameters:
  ///   - running: pieces of work at the same time, at least 1.
  ///   - waiting: pieces of work that wait.
  init(running: Int, waiting: Int) {
    (most, mostWaiting) = (running, waiting)
  }

  var counts: (running: Int, waiting: Int) {
    state.withLock { ($0.running.count, $0.waiting.count) }
  }

  /// Seconds after which there is likely to be room, at least 1.
  var retryAfter: Int {
    state.withLock { state in
      let rounds = Double(state.waiting.count + 1) / Double(most)
      return Int(min(60, max(1, (rounds * state.usual).rounded(.up))))
    }
  }

  /// - Throws: `EngineError` with code `busy` when nothing more may wait.
  func ticket() throws(EngineError) -> Ticket {
    let ticket = Ticket(queue: self)
    let isTaken = state.withLock { state in
      if state.running.count < most {
        state.start(ticket)
      } else if state.waiting.count < mostWaiting {
        state.waiting.append(ticket)
      } else {
        return false
      }
      return true
    }
    guard isTaken else {
      throw EngineError(
        .busy, "\(most) calls are being worked on and \(mostWaiting) wait already",
        resolution: "Try again in a moment.")
    }
    return ticket
  }

  fileprivate func leave(_ ticket: Ticket) {
    state.withLock { state in
      state.waiting.removeAll { $0.turn === ticket.turn }
      state.stop(ticket, most: most)
    }
  }

  /// - Returns: whether it was its turn.
  fileprivate func pause(_ ticket: Ticket) -> Bool {
    state.withLock { $0.stop(ticket, most: most) }
  }

  /// It was here before, so that there is always room to wait again, before all others.
  fileprivate func goOn(_ ticket: Ticket) async {
    let next = Ticket(queue: self)
    let starts = state.withLock { state in
      guard state.running.count >= most else {
        state.start(ticket)
        return true
      }
      state.waiting.insert(next, at: 0)
      return false
    }
    guard !starts else { return }
    await next.begin()
    state.withLock { state in
      state.waiting.removeAll { $0.turn === next.turn }
      state.running.removeAll { $0 == ObjectIdentifier(next.turn) }
      state.began[ObjectIdentifier(next.turn)] = nil
      state.start(ticket)
    }
  }
}

extension WorkQueue.State {
  fileprivate mutating func start(_ ticket: WorkQueue.Ticket) {
    let id = ObjectIdentifier(ticket.turn)
    running.append(id)
    began[id] = .now
    ticket.turn.open()
  }

  /// - Returns: whether it was its turn.
  @discardableResult
  fileprivate mutating func stop(_ ticket: WorkQueue.Ticket, most: Int) -> Bool {
    let id = ObjectIdentifier(ticket.turn)
    guard let index = running.firstIndex(of: id) else { return false }
    running.remove(at: index)
    if let began = began.removeValue(forKey: id) {
      usual += (began.duration(to: .now) / .seconds(1) - usual) / 8
    }
    if running.count < most, !waiting.isEmpty { start(waiting.removeFirst()) }
    return true
  }
}

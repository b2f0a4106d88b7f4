import Synchronization

/// Opens once; whoever waits for it goes on then, or when its own task is cancelled.
final class Latch: Sendable {
  private struct State {
    var isOpen = false
    var next = 0
    var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
    /// Those that were cancelled before they waited.
    var left: Set<Int> = []
  }

  private let state = Mutex(State())

  var isOpen: Bool { state.withLock { $0.isOpen } }

  func open() {
    let waiting = state.withLock { state in
      state.isOpen = true
      defer { state.waiting = [:] }
      return Array(state.waiting.values)
    }
    waiting.forEach { $0.resume() }
  }

  func wait() async {
    let number = state.withLock { state in
      state.next += 1
      return state.next
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let goesOn = state.withLock { state in
          guard !state.isOpen, state.left.remove(number) == nil else { return true }
          state.waiting[number] = continuation
          return false
        }
        if goesOn { continuation.resume() }
      }
    } onCancel: {
      leave(number)
    }
  }

  private func leave(_ number: Int) {
    let waiting = state.withLock { state in
      let waiting = state.waiting.removeValue(forKey: number)
      if waiting == nil { state.left.insert(number) }
      return waiting
    }
    waiting?.resume()
  }

  /// Waits no longer than that.
  func wait(atMost time: Duration) async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await self.wait() }
      group.addTask { try? await Task.sleep(for: time) }
      await group.next()
      group.cancelAll()
    }
  }

  /// Does the work; it is cancelled when the latch opens, and its result still awaited.
  func cancelling<Result: Sendable>(
    _ work: @escaping @Sendable () async -> Result
  ) async -> Result {
    await withTaskGroup(of: Result?.self) { group in
      group.addTask { await work() }
      group.addTask {
        await self.wait()
        return nil
      }
      var result: Result?
      while let next = await group.next() {
        result = result ?? next
        group.cancelAll()
      }
      guard let result else { preconditionFailure("the work ends with a result") }
      return result
    }
  }
}

import Dispatch
import Glibc

/// SIGINT and SIGTERM as a cancellation.
enum Interruption {
  private enum Event<Result: Sendable>: Sendable {
    case signal
    case done(Result)
    case watchEnded
  }

  /// Runs the work; the first signal cancels it and its (partial) result is still awaited, the
  /// second one ends the process at once.
  static func cancelling<Result: Sendable>(
    _ work: @escaping @Sendable () async -> Result
  ) async -> Result {
    let (signals, continuation) = AsyncStream.makeStream(of: Void.self)
    let sources = [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number)
      source.setEventHandler { continuation.yield() }
      source.resume()
      return source
    }
    defer { sources.forEach { $0.cancel() } }
    return await withTaskGroup(of: Event<Result>.self) { group in
      group.addTask { .done(await work()) }
      group.addTask {
        for await _ in signals { return .signal }
        return .watchEnded
      }
      var result: Result?
      while result == nil, let event = await group.next() {
        switch event {
        case .done(let value): result = value
        case .signal:
          group.cancelAll()
          exitOnNextSignal()
        case .watchEnded: break
        }
      }
      group.cancelAll()
      guard let result else { preconditionFailure("the work ends with a result") }
      return result
    }
  }

  private static func exitOnNextSignal() {
    for number in [SIGINT, SIGTERM] { signal(number) { _ in _exit(130) } }
  }
}

import Dispatch
import FoundationEssentials
import Glibc
import Synchronization

/// What comes over a caller's socket: one line, and then only that the caller has gone. No thread is blocked in reading it.
final class CallerLine: Sendable {
  private struct State {
    var data = Data()
    var isWhole = false
    var isGone = false
    var action: (@Sendable () -> Void)?
  }

  private static let queue = DispatchQueue(label: "callers")

  private let state = Mutex(State())
  // Sources of Dispatch may be used from any thread; it does not say so.
  private nonisolated(unsafe) let source: any DispatchSourceRead
  private let lines: AsyncStream<Data?>
  private let closed: AsyncStream<Void>

  /// - Parameters:
  ///   - socket: stays open until `end` came back.
  ///   - limit: bytes of the line.
  init(_ socket: Int32, limit: Int) {
    let (lines, line) = AsyncStream.makeStream(of: Data?.self)
    let (closed, closing) = AsyncStream.makeStream(of: Void.self)
    (self.lines, self.closed) = (lines, closed)
    source = DispatchSource.makeReadSource(fileDescriptor: socket, queue: Self.queue)
    source.setCancelHandler { closing.finish() }
    source.setEventHandler { [weak self] in
      guard let self, !self.receive(from: socket, limit: limit, line) else { return }
      line.finish()
      self.leave()
      self.source.cancel()
    }
    // Most callers have asked when they are let in.
    if !receive(from: socket, limit: limit, line) { line.finish() }
    source.resume()
  }

  /// The line without its end; nil when none comes.
  func first() async -> Data? {
    for await line in lines { return line }
    return nil
  }

  /// Called at once when the caller has gone already.
  func whenGone(_ action: @escaping @Sendable () -> Void) {
    let isGone = state.withLock { state in
      state.action = action
      return state.isGone
    }
    if isGone { action() }
  }

  /// Nothing looks at the socket any more.
  func end() async {
    source.cancel()
    for await _ in closed {}
  }

  /// - Returns: false when nothing more will come.
  private func receive(
    from socket: Int32, limit: Int, _ line: AsyncStream<Data?>.Continuation
  ) -> Bool {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    let count = recv(socket, &buffer, buffer.count, Int32(MSG_DONTWAIT))
    if count < 0 { return errno == EAGAIN || errno == EINTR }
    guard count > 0 else { return false }
    return state.withLock { state in
      guard !state.isWhole else { return true }
      state.data.append(contentsOf: buffer[..<count])
      guard state.data.last == UInt8(ascii: "\n") else { return state.data.count < limit }
      state.isWhole = true
      line.yield(state.data.dropLast())
      state.data = Data()
      return true
    }
  }

  private func leave() {
    let action = state.withLock { state in
      state.isGone = true
      return state.action
    }
    action?()
  }
}

import Dispatch
public import FoundationEssentials
import Glibc
import Synchronization

/// Messages as lines over the process's own stdin and stdout.
public final class StandardStreams: Sendable {
  /// Microseconds until it is looked again whether there is room.
  private static let moment: UInt32 = 10_000
  /// How long the last words may take at the end.
  private static let patience = DispatchTimeInterval.seconds(1)

  /// What comes, to the end of the input; it also ends when nobody reads what goes.
  public let lines: AsyncStream<InputLine>
  private let ending: AsyncStream<InputLine>.Continuation
  private let output = DispatchQueue(label: "output")
  /// Bytes that wait to be written.
  private let waiting = Mutex(0)
  /// Of those; while there are more nothing is read: who does not read does not get to ask.
  private static let mostWaiting = 64 << 20

  public init() { (lines, ending) = AsyncStream.makeStream(of: InputLine.self) }

  /// Reads from now on, on a thread of its own.
  public func start() {
    DispatchQueue(label: "input").async { [self] in
      var cutter = LineCutter()
      var buffer = [UInt8](repeating: 0, count: 1 << 16)
      while true {
        while waiting.withLock({ $0 > Self.mostWaiting }) { usleep(Self.moment) }
        let count = read(STDIN_FILENO, &buffer, buffer.count)
        if count < 0, Self.mayGoOn(STDIN_FILENO, POLLIN) { continue }
        guard count > 0 else { break }
        cutter.take(Data(buffer[..<count])).forEach { ending.yield($0) }
      }
      ending.finish()
    }
  }

  /// Sends a line, after those before it; does not wait for the reader.
  public func send(_ message: Data) {
    waiting.withLock { $0 += message.count }
    output.async { [self] in
      if !Self.write(message + Data([UInt8(ascii: "\n")])) { ending.finish() }
      waiting.withLock { $0 -= message.count }
    }
  }

  /// Waits a moment for what is still to be written.
  public func flush() {
    let written = DispatchSemaphore(value: 0)
    output.async { written.signal() }
    _ = written.wait(timeout: .now() + Self.patience)
  }

  /// Whether to try again after a failure, once it can go on: whoever shares the stream may have made it non-blocking.
  private static func mayGoOn(_ descriptor: Int32, _ event: Int32) -> Bool {
    if errno == EAGAIN {
      var waiting = pollfd(fd: descriptor, events: Int16(event), revents: 0)
      return poll(&waiting, 1, -1) >= 0 || errno == EINTR
    }
    return errno == EINTR
  }

  private static func write(_ data: Data) -> Bool {
    var rest = data[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
      if count < 0, mayGoOn(STDOUT_FILENO, POLLOUT) { continue }
      guard count > 0 else { return false }
      rest = rest.dropFirst(count)
    }
    return true
  }
}

import ArgumentParser
import CSandbox
import Dispatch
import FoundationEssentials
import Glibc
import ProctorEngine
import ProctorModel
import Synchronization

/// A process of the user's own that keeps sandboxes ready for the next calls, and ends when there are none for a while.
struct WarmHelper: AsyncParsableCommand {
  static let commandName = "warm-helper"
  static let configuration = CommandConfiguration(
    commandName: commandName,
    abstract: "Keep calls of functions warm; started by proctor exec.",
    shouldDisplay: false)

  private static let mostBytes = 256 << 20

  @Argument(help: "Where callers are met.")
  var folder: String

  @Argument(help: "The name of the socket.")
  var name: String

  @Option(help: ArgumentHelp("How long it waits for the next call.", valueName: "seconds"))
  var idle = 300.0

  func run() async throws {
    let meeting = WarmMeeting(folder: folder, name: name)
    guard let (socket, lock) = meeting.listen() else { return }
    defer {
      close(socket)
      close(lock)
    }
    let warmCalls = WarmCalls()
    let bell = csb_event()
    defer { close(bell) }
    let house = House(mostIdle: .seconds(idle), bell: bell)
    await Interruption.cancelling {
      await withTaskCancellationHandler {
        await withCheckedContinuation { continuation in
          DispatchQueue(label: "callers").async {
            Self.receive(at: socket, house, warmCalls)
            continuation.resume()
          }
        }
      } onCancel: {
        house.close()
      }
    }
    meeting.forget()
    await house.empty()
    await warmCalls.close()
  }

  /// Who is being served.
  private final class House: Sendable {
    private struct State {
      var tasks: [Int: Task<Void, Never>] = [:]
      var next = 0
      var idleSince = ContinuousClock.now
      var isClosed = false
    }

    private let mostIdle: Duration
    /// Readable once nobody is let in any more.
    let bell: Int32
    private let state = Mutex(State())

    init(mostIdle: Duration, bell: Int32) { (self.mostIdle, self.bell) = (mostIdle, bell) }

    /// Whether to wait on for callers.
    var isOpen: Bool {
      state.withLock { state in
        !state.isClosed
          && (!state.tasks.isEmpty || ContinuousClock.now - state.idleSince < mostIdle)
      }
    }

    func close() {
      state.withLock { state in
        state.isClosed = true
        state.tasks.values.forEach { $0.cancel() }
      }
      var one: UInt64 = 1
      _ = write(bell, &one, 8)
    }

    func serve(_ body: @escaping @Sendable () async -> Void) {
      state.withLock { state in
        let number = state.next
        state.next += 1
        state.tasks[number] = Task {
          await body()
          self.leave(number)
        }
      }
    }

    private func leave(_ number: Int) {
      state.withLock { state in
        state.tasks[number] = nil
        state.idleSince = .now
      }
    }

    func empty() async {
      for task in state.withLock({ Array($0.tasks.values) }) { await task.value }
    }
  }

  private static func receive(at socket: Int32, _ house: House, _ warmCalls: WarmCalls) {
    while house.isOpen {
      var polled = [socket, house.bell].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
      guard poll(&polled, 2, 500) > 0, polled[0].revents != 0 else { continue }
      let caller = accept(socket, nil, nil)
      guard caller >= 0 else { continue }
      _ = fcntl(caller, F_SETFD, FD_CLOEXEC)
      guard WarmMeeting.isOwn(caller) else {
        close(caller)
        continue
      }
      house.serve { await serve(caller, warmCalls) }
    }
  }

  private static func serve(_ caller: Int32, _ warmCalls: WarmCalls) async {
    let calls = AsyncStream.makeStream(of: WarmCall?.self)
    let gone = Gone()
    let ended = DispatchGroup()
    ended.enter()
    DispatchQueue.global().async {
      calls.continuation.yield(readCall(from: caller))
      // Nothing more comes: the end means that the caller has gone, or wants no answer.
      var byte: UInt8 = 0
      while read(caller, &byte, 1) < 0, errno == EINTR {}
      gone.notice()
      ended.leave()
    }
    var iterator = calls.stream.makeAsyncIterator()
    if let call = await iterator.next() ?? nil, send(.taken, to: caller) {
      let task = Task {
        await call.answer(warmCalls) { line in
          _ = send(.stderr(Data((line + "\n").utf8)), to: caller)
        }
      }
      gone.whenNoticed { task.cancel() }
      let printed = await withTaskCancellationHandler {
        await task.value
      } onCancel: {
        task.cancel()
      }
      let words = printed.stderr.isEmpty ? printed.stderr : printed.stderr + "\n"
      _ =
        send(.stderr(Data(words.utf8)), to: caller) && send(.stdout(printed.stdout), to: caller)
        && send(.status(printed.status), to: caller)
    }
    shutdown(caller, Int32(SHUT_RDWR))
    await withCheckedContinuation { continuation in
      ended.notify(queue: .global()) { continuation.resume() }
    }
    close(caller)
  }

  private static func readCall(from caller: Int32) -> WarmCall? {
    var line = Data()
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while line.count < mostBytes {
      let count = read(caller, &buffer, buffer.count)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return nil }
      line.append(contentsOf: buffer[..<count])
      guard buffer[count - 1] == UInt8(ascii: "\n") else { continue }
      return try? JSONDecoder().decode(WarmCall.self, from: line)
    }
    return nil
  }

  private static func send(_ part: WarmPart, to caller: Int32) -> Bool {
    Console.write(part.bytes, to: caller)
  }

  /// Whether the caller has gone, told once.
  private final class Gone: Sendable {
    private struct State {
      var isNoticed = false
      var action: (@Sendable () -> Void)?
    }
    private let state = Mutex(State())

    func notice() {
      let action = state.withLock { state in
        state.isNoticed = true
        return state.action
      }
      action?()
    }

    func whenNoticed(_ action: @escaping @Sendable () -> Void) {
      let isNoticed = state.withLock { state in
        state.action = action
        return state.isNoticed
      }
      if isNoticed { action() }
    }
  }
}

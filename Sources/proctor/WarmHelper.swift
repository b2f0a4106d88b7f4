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
    guard let place = meeting.listen() else { return }
    let bell = csb_event()
    defer { close(bell) }
    let warmCalls = WarmCalls()
    let house = House(mostIdle: .seconds(idle), bell: bell)
    await Interruption.cancelling {
      await withTaskCancellationHandler {
        await withCheckedContinuation { continuation in
          Self.keepDoor(meeting, place, house, warmCalls) { continuation.resume() }
        }
      } onCancel: {
        house.close()
      }
    }
    meeting.leave(place)
    await house.empty()
    await warmCalls.close()
  }

  /// Who is being served.
  private final class House: Sendable {
    /// More callers are better served by themselves.
    private static let most = 32

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

    /// Serves on the calling thread, unless there is no room.
    func serve(_ body: @escaping @Sendable (CallThread) async -> Void) {
      let thread = CallThread()
      let isIn = state.withLock { state in
        guard !state.isClosed, state.tasks.count < Self.most else { return false }
        let number = state.next
        state.next += 1
        state.tasks[number] = Task(executorPreference: thread) {
          await body(thread)
          self.leave(number)
          thread.end()
        }
        return true
      }
      if isIn { thread.run() }
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

  /// Lets callers in, on a thread that serves the first of them; the next one has the door then.
  /// - Parameter whenClosed: called once nobody is let in any more.
  private static func keepDoor(
    _ meeting: WarmMeeting, _ place: WarmMeeting.Place, _ house: House, _ warmCalls: WarmCalls,
    whenClosed: @escaping @Sendable () -> Void
  ) {
    DispatchQueue(label: "door").async {
      while house.isOpen, meeting.isFound(place) {
        guard let caller = receive(place, house) else { continue }
        keepDoor(meeting, place, house, warmCalls, whenClosed: whenClosed)
        house.serve { await serve(caller, warmCalls, on: $0) }
        close(caller)
        return
      }
      whenClosed()
    }
  }

  /// Waits for a caller, for half a second.
  private static func receive(_ place: WarmMeeting.Place, _ house: House) -> Int32? {
    var polled = [place.socket, house.bell].map {
      pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
    }
    guard poll(&polled, 2, 500) > 0, polled[0].revents != 0 else { return nil }
    let caller = accept(place.socket, nil, nil)
    guard caller >= 0 else {
      // Perhaps no more files can be opened.
      usleep(20_000)
      return nil
    }
    _ = fcntl(caller, F_SETFD, FD_CLOEXEC)
    var patience = timeval(tv_sec: 30, tv_usec: 0)
    setsockopt(
      caller, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    return caller
  }

  private static func serve(
    _ caller: Int32, _ warmCalls: WarmCalls, on thread: CallThread
  ) async {
    guard WarmMeeting.isEqual(caller) else { return }
    let line = CallerLine(caller, limit: mostBytes)
    if let data = await line.first(),
      let call = try? JSONDecoder().decode(WarmCall.self, from: data), send(.taken, to: caller)
    {
      let task = Task(executorPreference: thread) {
        await call.answer(warmCalls) { _ = send(.stderr(Data($0.utf8)), to: caller) }
      }
      line.whenGone { task.cancel() }
      let printed = await withTaskCancellationHandler {
        await task.value
      } onCancel: {
        task.cancel()
      }
      let isTold = printed.stderr.isEmpty || send(.stderr(Data(printed.stderr.utf8)), to: caller)
      _ =
        isTold && send(.stdout(printed.stdout), to: caller)
        && printed.outcome.map { send(.outcome($0), to: caller) } ?? true
        && send(.status(printed.status), to: caller)
    }
    // It need not wait until nothing looks at the socket any more.
    shutdown(caller, Int32(SHUT_WR))
    await line.end()
  }

  /// - Returns: false when the caller does not take it.
  private static func send(_ part: WarmPart, to caller: Int32) -> Bool {
    var rest = part.bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(caller, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return false }
      rest = rest.dropFirst(count)
    }
    return true
  }
}

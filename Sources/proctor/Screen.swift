import FoundationEssentials
import Glibc
import ProctorFormats
import ProctorModel
import Synchronization

/// Shows a run while it goes on: a redrawn block on a terminal, sparse lines on stderr otherwise.
final class Screen: Sendable {
  private static let frameInterval = Duration.milliseconds(100)

  private struct State {
    var view = LiveView()
    var drawnLines = 0
    var announced: Set<String> = []
  }

  private let format: OutputFormat
  private let say: @Sendable (String) -> Void
  private let state = Mutex(State())

  /// - Parameter say: shows a line to who does not watch a terminal.
  init(_ format: OutputFormat, say: @escaping @Sendable (String) -> Void = Console.error) {
    self.format = format
    self.say = say
  }

  /// Takes what happens; any thread.
  var progress: @Sendable (Progress) -> Void {
    { [self] event in
      switch format {
      case .live: state.withLock { $0.view.apply(event, at: .now) }
      case .text: announce(event)
      case .json: break
      }
    }
  }

  /// Draws until the work is done, then leaves a clean screen.
  func whileDrawing<Result: Sendable>(
    _ work: @escaping @Sendable () async -> Result
  ) async -> Result {
    guard format == .live else { return await work() }
    Console.write(Data("\u{1b}[?25l".utf8))
    defer {
      erase()
      Console.write(Data("\u{1b}[?25h".utf8))
    }
    async let drawing: Void = draw()
    let result = await work()
    state.withLock { $0.view.finish() }
    _ = await drawing
    return result
  }

  private func draw() async {
    while !state.withLock({ $0.view.isFinished }) {
      let size = Console.size
      let text = state.withLock { state in
        let lines = state.view.lines(
          width: size.columns, height: size.rows - 1, at: .now,
          style: Console.wantsColour(STDOUT_FILENO) ? .ansi : .plain)
        let back = state.drawnLines > 0 ? "\u{1b}[\(state.drawnLines)A\r\u{1b}[J" : ""
        state.drawnLines = lines.count
        return back + lines.map { $0 + "\n" }.joined()
      }
      Console.write(Data(text.utf8))
      // Cancellation is the work's business; the drawing ends with it.
      try? await Task.sleep(for: Self.frameInterval)
    }
  }

  private func erase() {
    let lines = state.withLock { $0.drawnLines }
    if lines > 0 { Console.write(Data("\u{1b}[\(lines)A\r\u{1b}[J".utf8)) }
  }

  private func announce(_ event: Progress) {
    guard case .began(let project, let title) = event else { return }
    let line = "\(project.title): \(title)"
    if state.withLock({ $0.announced.insert(line).inserted }) { say(line) }
  }
}

import ProctorModel
import ProctorSandbox

/// What is said of a test that was running when its process came to its end.
struct Blame {
  let result: SandboxResult
  let invocation: Invocation
  let adapter: any Adapter
  let context: AdapterContext
  let testSeconds: Double?
  let stdout: BoundedCapture
  let stderr: BoundedCapture

  func attempt(of test: TestCase) -> Attempt {
    // Alone in its process, everything that was printed is its own.
    let isAlone = invocation.cases?.count == 1
    let frames = adapter.frames(in: String(decoding: stderr.data, as: UTF8.self), of: test, context)
    let place = frames.first { context.isUserCode($0.file) }
    return Attempt(
      outcome: outcome, rawStatus: word,
      failures: [
        Failure(
          message: message, location: place.map { SourceLocation(file: $0.file, line: $0.line) },
          frames: frames.filter { context.isUserCode($0.file) })
      ],
      stdout: isAlone ? CapturedText(bytes: stdout.data).nonEmpty : nil,
      stderr: isAlone ? CapturedText(text: stderr.withoutStacks).nonEmpty : nil)
  }

  private var outcome: Outcome {
    switch result.ending {
    case .wallTime, .overdue: .timedOut
    case .outOfMemory, .cpuTime, .scratchSpace, .output, .exited, .cancelled: .crashed
    }
  }

  private var word: String {
    switch result.ending {
    case .wallTime, .overdue: "timed_out"
    case .outOfMemory: "out_of_memory"
    case .cpuTime: "cpu_limit"
    case .scratchSpace: "scratch_limit"
    case .output: "output_limit"
    case .exited, .cancelled: "crashed"
    }
  }

  private var message: String {
    switch result.ending {
    case .wallTime: "still running when the time limit was reached"
    case .overdue:
      "still running after \(testSeconds.map { "\($0.formatted) s" } ?? "its time"), "
        + "the limit for one test"
    case .outOfMemory: "the process was killed at its memory limit"
    case .cpuTime: "the process was killed at its limit of processor time"
    case .scratchSpace: "the process was killed because it filled the disk"
    case .output: "the process was killed because it printed too much"
    case .exited, .cancelled:
      "the process ended (\(result.status.text)) while this test was running"
        + (stderr.lastLines(5).isEmpty ? "" : ": \(stderr.lastLines(5))")
    }
  }
}

extension Double {
  /// Without decimals when there are none.
  fileprivate var formatted: String { self == rounded() ? "\(Int(self))" : "\(self)" }
}

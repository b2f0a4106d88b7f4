import FoundationEssentials
import ProctorModel
import ProctorSandbox
import Synchronization

/// Receives what a command of a check produces. Called from the supervising thread only, read after it.
final class CheckRecorder: Sendable {
  struct Seen {
    var records: [Data] = []
    var stdout: BoundedCapture
    var stderr: BoundedCapture
    fileprivate var frames: ChannelReader
    /// What was wrong with the channel; nil when nothing was.
    var violation: String? { frames.violations.first }
  }

  private let project: Project
  private let progress: @Sendable (Progress) -> Void
  private let state: Mutex<Seen>

  /// - Parameter outputLimit: bytes kept of each stream.
  init(
    project: Project, nonce: String, outputLimit: Int,
    progress: @escaping @Sendable (Progress) -> Void
  ) {
    self.project = project
    self.progress = progress
    state = Mutex(
      Seen(
        stdout: BoundedCapture(limit: outputLimit), stderr: BoundedCapture(limit: outputLimit),
        frames: ChannelReader(nonce: nonce)))
  }

  func receive(_ event: SandboxEvent) {
    state.withLock { state in
      switch event {
      case .stdout(let bytes): state.stdout.append(bytes)
      case .stderr(let bytes): state.stderr.append(bytes)
      case .usage(let sample): progress(.usage(project, sample))
      case .stopping: break
      case .channel(let bytes): state.records += state.frames.receive(bytes)
      }
    }
  }

  var seen: Seen { state.withLock { $0 } }
}

import FoundationEssentials
import ProctorModel
import ProctorSandbox
import Synchronization

/// What the guest code says of a call; see `FunctionAdapter`.
struct FunctionRecord: Decodable {
  enum Event: String, Decodable {
    case started, progress, measured, returned, raised, exited, unserializable, refused
    case notFound = "not_found"
    case badArguments = "bad_arguments"
    case tooLarge = "too_large"
    case memoryLimit = "memory_limit"
    /// The runtime asked for does not work.
    case unavailable
    /// It was started ahead, and what it has loaded is not what is there now.
    case outdated
  }

  var event: Event
  var nanoseconds: Double?
  var form: String?
  var truncated: Bool?
  var kind: String?
  var message: String?
  var file: String?
  var line: Int?
  var column: Int?
  var phase: String?
  var near: [FunctionFailure.Neighbour]?
  var argument: String?
  var expected: String?
  var text: String?
  var code: Int?
  /// Of a benchmark: the call in which it ended, or after `progress` the next one, from 1.
  var iteration: Int?
  /// Whether it may have been a later one of the same batch.
  var inexact: Bool?
  var measurement: Measurement?

  /// Of what was raised: its kind and its message.
  func words(otherwise: String = "") -> String {
    [kind, message ?? otherwise].compactMap(\.self).filter { !$0.isEmpty }.joined(separator: ": ")
  }
}

/// Receives what a called function produces. Called from the supervising thread only, read after it.
final class FunctionRecorder: Sendable {
  struct Seen {
    var records: [(record: FunctionRecord, value: Data?)] = []
    /// The last word of a benchmark that goes on.
    var reached: Int?
    var stdout = BoundedCapture(limit: outputLimit)
    var stderr = BoundedCapture(limit: outputLimit)
    fileprivate var frames: ChannelReader
    fileprivate var isStopped = false
    fileprivate var isBroken = false

    /// What was wrong with the channel; nil when nothing was.
    var violation: String? {
      if let violation = frames.violations.first { return violation }
      if isBroken { return "a record cannot be read" }
      let starts = records.count { $0.record.event == .started }
      return starts > 1 || records.count - starts > 1 ? "there is more than one" : nil
    }

    /// More than `started` and two others: nothing that follows can be believed, nor need it be kept.
    fileprivate var isFull: Bool { records.count > 2 }

    var hasStarted: Bool { records.contains { $0.record.event == .started } }

    /// Whether it was started ahead and would load something else now: it has not looked at the call then.
    var isOutdated: Bool { final?.record.event == .outdated }

    /// The one record that says how it ended.
    var final: (record: FunctionRecord, value: Data?)? {
      records.first { $0.record.event != .started }
    }
  }

  /// Bytes kept of each stream.
  private static let outputLimit = 1 << 20

  private let project: Project
  private let progress: @Sendable (Progress) -> Void
  private let state: Mutex<Seen>

  init(project: Project, nonce: String, progress: @escaping @Sendable (Progress) -> Void) {
    self.project = project
    self.progress = progress
    state = Mutex(Seen(frames: ChannelReader(nonce: nonce)))
  }

  func receive(_ event: SandboxEvent) {
    state.withLock { state in
      switch event {
      case .stdout(let bytes): state.stdout.append(bytes)
      case .stderr(let bytes): state.stderr.append(bytes)
      case .usage(let sample): progress(.usage(project, sample))
      case .stopping: state.isStopped = true
      case .channel(let bytes):
        guard !state.isStopped else { return }
        for bytes in state.frames.receive(bytes) where !state.isFull {
          let bytes = JSONText.repaired(bytes)
          if let text = try? JSONText(bytes),
            let record = try? JSONDecoder().decode(FunctionRecord.self, from: bytes)
          {
            guard record.event != .progress else {
              state.reached = record.iteration
              continue
            }
            state.records.append((record, text.member("value")))
          } else {
            state.isBroken = true
          }
        }
      }
    }
  }

  /// Whether the whole record of a result is there.
  var hasReturned: Bool { state.withLock { $0.final?.record.event == .returned } }

  /// What it was, once the process is gone. A record that was cut short is none.
  var seen: Seen { state.withLock { $0 } }
}

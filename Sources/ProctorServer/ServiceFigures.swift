import FoundationEssentials
import ProctorEngine
import Synchronization

/// What a service has done so far, for whoever watches it.
final class ServiceFigures: Sendable {
  /// Upper bounds of the durations that are told apart, in seconds.
  private static let bounds = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300]

  private struct Durations {
    var counts = [Int](repeating: 0, count: bounds.count)
    var sum = 0.0
    var count = 0
  }

  private struct State {
    var operations: [[String]: Int] = [:]
    var durations: [String: Durations] = [:]
    var requests: [[String]: Int] = [:]
  }

  private let state = Mutex(State())

  func count(_ operation: Operation, _ outcome: OperationOutcome, _ duration: Duration) {
    let seconds = duration / .seconds(1)
    state.withLock { state in
      state.operations[[operation.name, outcome.word], default: 0] += 1
      var durations = state.durations[operation.name] ?? Durations()
      durations.sum += seconds
      durations.count += 1
      for (index, bound) in Self.bounds.enumerated() where seconds <= bound {
        durations.counts[index] += 1
      }
      state.durations[operation.name] = durations
    }
  }

  /// - Parameter endpoint: its name; what is no endpoint has one in common.
  func count(request endpoint: String, status: Int) {
    state.withLock { $0.requests[[endpoint, "\(status)"], default: 0] += 1 }
  }

  /// In the text format of Prometheus, version 0.0.4.
  func text(queue: (running: Int, waiting: Int), runs: Int) -> String {
    let state = state.withLock { $0 }
    var lines = PrometheusText()
    lines.begin("proctor_operations_total", "counter", "Calls of operations by how they ended.")
    for (labels, count) in state.operations.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) })
    {
      lines.add(["operation": labels[0], "status": labels[1]], count)
    }
    lines.begin("proctor_operation_duration_seconds", "histogram", "How long calls took.")
    for (name, durations) in state.durations.sorted(by: { $0.key < $1.key }) {
      for (bound, count) in zip(Self.bounds, durations.counts) {
        lines.add(["operation": name, "le": "\(bound)"], count, suffix: "_bucket")
      }
      lines.add(["operation": name, "le": "+Inf"], durations.count, suffix: "_bucket")
      lines.add(["operation": name], durations.sum, suffix: "_sum")
      lines.add(["operation": name], durations.count, suffix: "_count")
    }
    lines.begin("proctor_http_requests_total", "counter", "Answered requests.")
    for (labels, count) in state.requests.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
      lines.add(["endpoint": labels[0], "code": labels[1]], count)
    }
    lines.begin("proctor_queue_running", "gauge", "Calls that are worked on.")
    lines.add([:], queue.running)
    lines.begin("proctor_queue_waiting", "gauge", "Calls that wait for their turn.")
    lines.add([:], queue.waiting)
    lines.begin("proctor_runs_going_on", "gauge", "Runs of tests that go on or wait.")
    lines.add([:], runs)
    return lines.text
  }
}

/// Lines of figures; names and labels are proctor's own and need no escaping.
private struct PrometheusText {
  private(set) var text = ""
  private var name = ""

  mutating func begin(_ name: String, _ type: String, _ help: String) {
    self.name = name
    text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
  }

  mutating func add(
    _ labels: KeyValuePairs<String, String>, _ value: some CustomStringConvertible,
    suffix: String = ""
  ) {
    let labels = labels.map { "\($0)=\"\($1)\"" }.joined(separator: ",")
    text += "\(name)\(suffix)\(labels.isEmpty ? "" : "{\(labels)}") \(value)\n"
  }
}

extension OperationOutcome {
  /// `passed`, `busy`, `refused`: in one word.
  fileprivate var word: String {
    switch self {
    case .mustAsk: "asked"
    case .done(let answer):
      if let error = answer.error {
        error.code.rawValue
      } else if answer.isRefused {
        "refused"
      } else {
        answer.json.flatMap { JSONFields($0)?.string("status") } ?? "answered"
      }
    }
  }
}

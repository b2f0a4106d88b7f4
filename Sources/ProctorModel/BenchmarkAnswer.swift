/// What was timed: two benchmarks of the same subject can be compared.
public struct BenchmarkSubject: Hashable, Sendable {
  /// Relative to the workspace.
  public let path: String
  public let function: String
  /// JSON text; nil when it is not kept.
  public let arguments: String?
  public let argumentsFingerprint: String
  public let language: String
  /// Of the language's tools; nil when unknown.
  public let languageVersion: String?
  public let runtime: FunctionRuntime
  /// `release` for compiled languages.
  public let build: String?

  public init(
    path: String, function: String, arguments: String?, argumentsFingerprint: String,
    language: String, languageVersion: String?, runtime: FunctionRuntime, build: String?
  ) {
    self.path = path
    self.function = function
    self.arguments = arguments
    self.argumentsFingerprint = argumentsFingerprint
    self.language = language
    self.languageVersion = languageVersion
    self.runtime = runtime
    self.build = build
  }
}

/// Where it was timed.
public struct MachineFacts: Hashable, Sendable {
  /// nil when the system does not tell.
  public let processor: String?
  public let processors: Int
  public let architecture: String
  /// Processes that wanted to run in the minute before; nil when the system does not tell.
  public let load: Double?

  public init(processor: String?, processors: Int, architecture: String, load: Double?) {
    self.processor = processor
    self.processors = processors
    self.architecture = architecture
    self.load = load
  }
}

/// What became of timing one function.
public struct BenchmarkAnswer: Sendable {
  /// nil when nothing was run.
  public let subject: BenchmarkSubject?
  public let machine: MachineFacts?
  /// Calls that were asked for; nil for the default.
  public let requested: Int?
  /// What became of each process; never empty. Results are not kept.
  public let calls: [FunctionAnswer]
  public var comparison: BenchmarkComparison?

  public init(
    subject: BenchmarkSubject?, machine: MachineFacts?, requested: Int?, calls: [FunctionAnswer],
    comparison: BenchmarkComparison? = nil
  ) {
    self.subject = subject
    self.machine = machine
    self.requested = requested
    self.calls = calls
    self.comparison = comparison
  }

  /// Nothing was run.
  public init(_ failure: FunctionFailure) {
    self.init(subject: nil, machine: nil, requested: nil, calls: [FunctionAnswer(failure)])
  }

  /// The process that ended the benchmark.
  public var call: FunctionAnswer { calls[calls.count - 1] }
  public var failure: FunctionFailure? { call.failure }

  /// One for each process; empty when it failed.
  public var measurements: [Measurement] {
    failure == nil ? calls.compactMap(\.measurement) : []
  }

  /// Milliseconds of one call each, in the order they were taken.
  public var samples: [Double] { measurements.flatMap(\.samples) }

  public var iterations: Int { measurements.reduce(0) { $0 + $1.calls } }

  public var meanMS: Double {
    measurements.reduce(0) { $0 + $1.totalMS } / Double(max(1, iterations))
  }

  /// Calls of the largest batch.
  public var batchSize: Int { measurements.map(\.batchSize).max() ?? 1 }
  public var warmupIterations: Int { measurements.reduce(0) { $0 + $1.warmupCalls } }
  public var isWarm: Bool { measurements.allSatisfy(\.isWarm) }
  public var clockNanoseconds: Double { measurements.map(\.clockNanoseconds).max() ?? 0 }

  /// For comparing with others; nil when it failed.
  public var record: BenchmarkRecord? {
    guard let subject, let machine, !measurements.isEmpty else { return nil }
    return BenchmarkRecord(
      subject: subject, machine: machine, backend: call.sandbox?.backend, samples: samples)
  }

  /// What makes the figures less than they seem.
  public var warnings: [String] {
    guard !measurements.isEmpty else { return [] }
    var result: [String] = []
    let isCut =
      requested.map { iterations < $0 } ?? (samples.count < FunctionTiming.defaultSamples)
    if isCut {
      result.append(
        "the time was up before all calls were made: --timeout, and max_cpu_time_seconds under "
          + "[execution], allow more")
    }
    if !isWarm { result.append("the times had not become stable when the warm-up ended") }
    let isCoarse = measurements.contains { measurement in
      let batches = measurement.batches
      return batches[..<max(1, batches.count - 1)].contains {
        $0 < 20 * measurement.clockNanoseconds
      }
    }
    if isCoarse {
      result.append(
        "a sample is less than 20 times what the clock itself takes: give more --iterations")
    }
    if let machine, let load = machine.load, load > Double(machine.processors) {
      result.append("the machine was busy: \(load) processes for \(machine.processors) processors")
    }
    return result + (comparison?.warnings ?? [])
  }
}

public import FoundationEssentials
public import ProctorModel

/// The answer of `benchmark`, written and read again.
struct BenchmarkShape: Codable {
  struct Interval: Codable {
    var level = 0.95
    var of = "median"
    var method: String
    var lower_ms: Double
    var upper_ms: Double
  }

  struct Bin: Codable {
    var from_ms: Double
    var to_ms: Double
    var count: Int
  }

  struct Machine: Codable {
    var processor: String?
    var processors: Int
    var architecture: String
    var load_average: Double?
  }

  struct Comparison: Codable {
    struct Range: Codable {
      var level = 0.95
      var method = "bootstrap"
      var lower: Double
      var upper: Double
    }

    var verdict: BenchmarkComparison.Verdict
    var baseline: String
    var ratio: Double?
    var ratio_interval: Range?
    var probability_slower: Double
    var p_value: Double
    var threshold: Double
    var old_median_ms: Double
    var new_median_ms: Double
    var old_samples: Int
    var new_samples: Int
    var round_ratios: [Double]?
  }

  enum Status: String, Codable { case success, error }

  var status: Status
  var path: String?
  var function: String?
  /// Given only when short; the fingerprint tells whether two are the same.
  var arguments: String?
  var arguments_fingerprint: String?
  var language: String?
  var language_version: String?
  var runtime: String?
  var build: String?
  var iterations: Int?
  var iterations_requested: Int?
  var samples: Int?
  var batch_size: Int?
  var warmup_iterations: Int?
  var warmup_stable: Bool?
  var avg_time_ms: Double?
  var min_time_ms: Double?
  var max_time_ms: Double?
  var std_dev_ms: Double?
  var median_time_ms: Double?
  var p95_time_ms: Double?
  var p99_time_ms: Double?
  var outliers: Int?
  var outliers_severe: Int?
  var confidence_interval: Interval?
  var histogram: [Bin]?
  var samples_ms: [Double]?
  var samples_omitted: Int?
  var clock_resolution_ns: Double?
  var gc: String?
  var machine: Machine?
  var comparison: Comparison?
  var warnings: [String]?
  var error_type: FunctionFailure.Kind?
  var message: String?
  var file: String?
  var line: Int?
  var failed_iteration: Int?
  var failed_iteration_at_least: Bool?
  var suggestions: [FunctionFailure.Neighbour]?
  var peak_memory_mb: Double?
  var stdout: String?
  var stderr: String?
  var stdout_omitted: Int?
  var stderr_omitted: Int?
  var sandbox: SandboxReceipt?
}

extension BenchmarkShape {
  /// Samples in an answer; of more, evenly many are left out.
  private static let samplesShown = 10_000
  private static let argumentsShown = 1000

  init(_ answer: BenchmarkAnswer) {
    self.init(status: answer.failure == nil ? .success : .error)
    sandbox = answer.call.sandbox
    peak_memory_mb = answer.call.peakMemoryMB?.rounded3
    stdout = answer.call.stdout.text
    stderr = answer.call.stderr.text
    stdout_omitted = answer.call.stdout.omittedCount
    stderr_omitted = answer.call.stderr.omittedCount
    if let subject = answer.subject { describe(subject) }
    if let failure = answer.failure { describe(failure) }
    machine = answer.machine.map {
      Machine(
        processor: $0.processor, processors: $0.processors, architecture: $0.architecture,
        load_average: $0.load)
    }
    iterations_requested = answer.requested
    if answer.failure == nil { measured(answer) }
    comparison = answer.comparison.map(Comparison.init)
    warnings = answer.warnings.nonEmpty
  }

  private mutating func describe(_ subject: BenchmarkSubject) {
    path = subject.path
    function = subject.function
    arguments = subject.arguments.flatMap { $0.utf8.count <= Self.argumentsShown ? $0 : nil }
    arguments_fingerprint = subject.argumentsFingerprint
    language = subject.language
    language_version = subject.languageVersion
    runtime = subject.runtime.rawValue
    build = subject.build
  }

  private mutating func describe(_ failure: FunctionFailure) {
    error_type = failure.kind
    message = failure.message
    file = failure.location?.file
    line = failure.location?.line
    suggestions = failure.near.nonEmpty
    failed_iteration = failure.iteration?.number
    failed_iteration_at_least = failure.iteration?.isAtLeast == true ? true : nil
  }

  private mutating func measured(_ answer: BenchmarkAnswer) {
    let all = answer.samples
    guard let figures = SampleStatistics(all) else { return }
    iterations = answer.iterations
    samples = all.count
    batch_size = answer.batchSize
    warmup_iterations = answer.warmupIterations
    warmup_stable = answer.isWarm
    avg_time_ms = answer.meanMS.significant
    min_time_ms = figures.minimum.significant
    max_time_ms = figures.maximum.significant
    std_dev_ms = figures.standardDeviation?.significant
    median_time_ms = figures.median.significant
    p95_time_ms = figures.p95.significant
    p99_time_ms = figures.p99.significant
    outliers = figures.outliers
    outliers_severe = figures.severeOutliers
    confidence_interval = figures.medianInterval.map {
      Interval(
        method: "order statistics", lower_ms: $0.lower.significant, upper_ms: $0.upper.significant)
    }
    histogram = figures.histogram().map {
      Bin(from_ms: $0.lower.significant, to_ms: $0.upper.significant, count: $0.count)
    }
    let step = (all.count + Self.samplesShown - 1) / Self.samplesShown
    let shown = stride(from: 0, to: all.count, by: step).map { all[$0].significant }
    samples_ms = shown
    samples_omitted = shown.count < all.count ? all.count - shown.count : nil
    clock_resolution_ns = answer.clockNanoseconds.rounded3
    gc = answer.measurements.first?.collector
  }
}

extension BenchmarkShape.Comparison {
  init(_ comparison: BenchmarkComparison) {
    self.init(
      verdict: comparison.verdict, baseline: comparison.baseline,
      ratio: comparison.ratio?.significant,
      ratio_interval: comparison.interval.map {
        Range(lower: $0.lower.significant, upper: $0.upper.significant)
      },
      probability_slower: comparison.probabilitySlower.significant,
      p_value: comparison.pValue.significant, threshold: BenchmarkComparison.threshold,
      old_median_ms: comparison.oldMedianMS.significant,
      new_median_ms: comparison.newMedianMS.significant, old_samples: comparison.oldSamples,
      new_samples: comparison.newSamples,
      round_ratios: comparison.rounds.map(\.significant).nonEmpty)
  }
}

extension Double {
  /// Six significant digits: more says nothing about a time.
  var significant: Double {
    guard self != 0, isFinite else { return self }
    var power = 1.0
    while (magnitude * power) < 1e5, power < 1e15 { power *= 10 }
    return (self * power).rounded() / power
  }
}

extension ContractJSON {
  /// The answer of `benchmark`.
  public static func benchmark(_ answer: BenchmarkAnswer) -> Data {
    encode(BenchmarkShape(answer))
  }

  /// The answer of `benchmark`, its samples left out and of what was printed only so much.
  /// - Parameter output: bytes of each stream.
  public static func benchmark(_ answer: BenchmarkAnswer, output: Int) -> Data {
    var shape = BenchmarkShape(answer)
    shape.samples_ms = nil
    shape.samples_omitted = shape.samples
    shape.stdout = shape.stdout?.cut(output)
    shape.stderr = shape.stderr?.cut(output)
    return encode(shape)
  }

  /// Why a file is no earlier answer of `benchmark`, in words.
  public struct NoBenchmark: Error, Hashable, Sendable {
    public let why: String
  }

  /// Reads an answer of `benchmark` that was kept.
  public static func readBenchmark(_ data: Data) throws(NoBenchmark) -> BenchmarkRecord {
    guard (try? JSONText(data))?.shape == .object else {
      throw NoBenchmark(why: "it is not a JSON object")
    }
    guard let shape = try? JSONDecoder().decode(BenchmarkShape.self, from: data) else {
      throw NoBenchmark(why: "it is no answer of proctor bench")
    }
    if shape.status == .error, let kind = shape.error_type {
      throw NoBenchmark(why: "nothing was measured then: it ended with \(kind.rawValue)")
    }
    guard let path = shape.path, let function = shape.function, let language = shape.language,
      let runtime = shape.runtime.flatMap(FunctionRuntime.init), let machine = shape.machine,
      let fingerprint = shape.arguments_fingerprint, let samples = shape.samples_ms
    else { throw NoBenchmark(why: "it is no answer of proctor bench") }
    guard samples.allSatisfy({ $0 >= 0 && $0 < 1e12 }),
      let figures = SampleStatistics(samples), figures.median > 0
    else { throw NoBenchmark(why: "its samples_ms are no times") }
    return BenchmarkRecord(
      subject: BenchmarkSubject(
        path: path, function: function, arguments: shape.arguments,
        argumentsFingerprint: fingerprint, language: language,
        languageVersion: shape.language_version, runtime: runtime, build: shape.build),
      machine: MachineFacts(
        processor: machine.processor, processors: machine.processors,
        architecture: machine.architecture, load: machine.load_average),
      backend: shape.sandbox?.backend, samples: samples)
  }
}

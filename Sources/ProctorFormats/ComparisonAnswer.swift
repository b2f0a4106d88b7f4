import ProctorModel

struct ComparisonAnswer: Encodable {
  struct Run: Encodable {
    let status: Verdict.Status
    let reason: Verdict.Reason?
    let message: String?
    let total_tests: Int
    let passed: Int
    let failed: Int
    let skipped: Int
    let tests_ms: Double

    init(_ run: Comparison.Run) {
      status = run.verdict.status
      reason = run.verdict.reason
      message = run.verdict.message
      total_tests = run.counts.total
      passed = run.counts.passed
      failed = run.counts.failed
      skipped = run.counts.skipped
      tests_ms = run.testsMS.rounded3
    }
  }

  struct Difference: Encodable {
    let id: TestID
    let before: Outcome
    let after: Outcome?

    init(_ difference: Comparison.Difference) {
      id = difference.id
      before = difference.before
      after = difference.after
    }
  }

  struct Benchmark: Encodable {
    enum Status: String, Encodable {
      case measured, failed
      case notRun = "not_run"
    }

    let benchmark: String
    let status: Status
    var comparison: BenchmarkShape.Comparison?
    var warnings: [String]?
    var error_type: FunctionFailure.Kind?
    var message: String?
    var file: String?
    var line: Int?

    init(_ timed: Comparison.Benchmark) {
      benchmark = timed.name
      switch timed.outcome {
      case .compared(let comparison):
        status = .measured
        self.comparison = BenchmarkShape.Comparison(comparison)
        warnings = comparison.warnings.nonEmpty
      case .failed(let failure):
        status = .failed
        error_type = failure.kind
        message = failure.message
        file = failure.location?.file
        line = failure.location?.line
      case .notRun(let why):
        status = .notRun
        message = why
      }
    }
  }

  struct Row: Encodable {
    let rank: Int
    let candidate: String
    let acceptable: Bool
    let run: Run?
    let problem: String?
    let regressions: [Difference]
    let regressions_count: Int
    let fixes: [Difference]
    let fixes_count: Int
    let benchmarks: [Benchmark]?
    let speed_ratio: Double?
    let change: ChangeAnswer?

    init(_ row: Comparison.Row, rank: Int) {
      self.rank = rank
      candidate = row.name
      acceptable = row.isAcceptable
      run = row.run.map(Run.init)
      problem = row.problem
      regressions = row.regressions.prefix(Comparison.listed).map(Difference.init)
      regressions_count = row.regressions.count
      fixes = row.fixes.prefix(Comparison.listed).map(Difference.init)
      fixes_count = row.fixes.count
      benchmarks = row.benchmarks.map(Benchmark.init).nonEmpty
      speed_ratio = row.speedRatio?.significant
      change = row.change.map(ChangeAnswer.init)
    }
  }

  let base: Run
  let candidates: [Row]
  let best: String?
  let interrupted: Bool?
  let sandbox: SandboxReceipt?
  let execution_time_ms: Double

  init(_ comparison: Comparison) {
    base = Run(comparison.base)
    candidates = comparison.rows.enumerated().map { Row($0.element, rank: $0.offset + 1) }
    best = comparison.best?.name
    interrupted = comparison.isInterrupted ? true : nil
    sandbox = comparison.sandbox
    execution_time_ms = comparison.durationMS.rounded3
  }
}

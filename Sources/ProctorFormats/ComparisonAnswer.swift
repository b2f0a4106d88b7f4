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
      change = row.change.map(ChangeAnswer.init)
    }
  }

  let base: Run
  let candidates: [Row]
  let best: String?
  let sandbox: SandboxReceipt?
  let execution_time_ms: Double

  init(_ comparison: Comparison) {
    base = Run(comparison.base)
    candidates = comparison.rows.enumerated().map { Row($0.element, rank: $0.offset + 1) }
    best = comparison.best?.name
    sandbox = comparison.sandbox
    execution_time_ms = comparison.durationMS.rounded3
  }
}

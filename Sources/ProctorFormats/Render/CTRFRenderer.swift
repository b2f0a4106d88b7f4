import FoundationEssentials
public import ProctorModel

/// Common Test Report Format, which is JSON with a closed schema.
///
/// It has no place for errors outside tests: they stand in `extra`, make `environment.healthy` false, and are tests that
/// failed, marked `proctor:problem`, because readers count statuses.
public struct CTRFRenderer: Renderer {
  public let name = "ctrf"
  public let suffix = ".json"
  /// Of the schema that is written to.
  static let specVersion = "0.0.0"

  public init() {}

  public func render(
    _ report: Report, _ context: RenderContext
  ) throws(RenderError) -> Rendering {
    Rendering(ContractJSON.encode(CTRFDocument(report, context)))
  }
}

private struct CTRFDocument: Encodable {
  struct Results: Encodable {
    struct Tool: Encodable {
      let name = "proctor"
      let version: String
    }

    struct Environment: Encodable {
      let appName: String
      let commit: String?
      let healthy: Bool
    }

    let tool: Tool
    let summary: CTRFSummary
    let tests: [CTRFTest]
    let environment: Environment
    let extra: CTRFExtra
  }

  let reportFormat = "CTRF"
  let specVersion = CTRFRenderer.specVersion
  let reportId: String
  let timestamp: String
  let generatedBy: String
  let results: Results

  init(_ report: Report, _ context: RenderContext) {
    let start = context.start(of: report)
    let tests =
      report.problems.map(CTRFTest.init)
      + report.tests.map { CTRFTest($0, startMS: report.beginning.map { $0.date * 1000 }) }
    reportId = StableID.uuid("\(context.workspace)\n\(start)")
    timestamp = Timestamp.text(start)
    generatedBy = "proctor \(context.version)"
    results = Results(
      tool: Results.Tool(version: context.version),
      summary: CTRFSummary(tests, startMS: (start * 1000).wholeMS, report),
      tests: tests,
      environment: Results.Environment(
        appName: context.workspace, commit: context.commit,
        healthy: report.problems.isEmpty),
      extra: CTRFExtra(report))
  }
}

private struct CTRFSummary: Encodable {
  let tests: Int
  let passed: Int
  let failed: Int
  let skipped: Int
  let pending = 0
  let other = 0
  let flaky: Int
  let start: Int
  let stop: Int
  let duration: Int

  init(_ rows: [CTRFTest], startMS: Int, _ report: Report) {
    tests = rows.count
    passed = rows.count { $0.status == .passed }
    failed = rows.count { $0.status == .failed }
    skipped = rows.count { $0.status == .skipped }
    flaky = report.flakyPasses.count
    start = startMS
    duration = report.durationMS.wholeMS
    stop = startMS + duration
  }
}

/// What the format has no keys for.
private struct CTRFExtra: Encodable {
  let status: Verdict.Status
  let reason: Verdict.Reason?
  let message: String?
  let errors: [ErrorAnswer]?
  let missing: [String]?

  init(_ report: Report) {
    status = report.verdict.status
    reason = report.verdict.reason
    message = report.verdict.message
    errors = report.errors.map(ErrorAnswer.init).nonEmpty
    missing = report.missing.map(\.id.text).nonEmpty
  }
}

private enum CTRFStatus: String, Encodable {
  case passed, failed, skipped

  init(_ outcome: Outcome) {
    self =
      switch outcome {
      case .passed: .passed
      case .skipped: .skipped
      case .failed, .errored, .timedOut, .crashed: .failed
      }
  }
}

private struct CTRFTest: Encodable {
  struct Attempt: Encodable {
    let attempt: Int
    let status: CTRFStatus
    let duration: Int
    let message: String?
    let trace: String?
    let line: Int?
    let stdout: [String]?
    let stderr: [String]?

    init(_ attempt: ProctorModel.Attempt, number: Int) {
      self.attempt = number
      status = CTRFStatus(attempt.outcome)
      duration = (attempt.durationMS ?? 0).wholeMS
      message = attempt.outcome.countsAsFailed ? attempt.firstMessage : nil
      trace = attempt.failureText
      line = attempt.failures.first?.location?.line
      stdout = attempt.stdout?.visible?.trimmedEnd.unixLines
      stderr = attempt.stderr?.visible?.trimmedEnd.unixLines
    }
  }

  struct Extra: Encodable {
    let id: String
    let outcome: String
    let adapter: String?
    let failureFile: String?
    let failureLine: Int?
  }

  let id: String
  let name: String
  let status: CTRFStatus
  let duration: Int
  let start: Int?
  let stop: Int?
  let suite: [String]?
  let message: String?
  let trace: String?
  let line: Int?
  let rawStatus: String
  let tags: [String]?
  let filePath: String?
  let retries: Int?
  let retryAttempts: [Attempt]?
  let flaky: Bool?
  let stdout: [String]?
  let stderr: [String]?
  let threadId: String?
  let extra: Extra

  /// - Parameter startMS: of the run, since 1970; nil when unknown.
  init(_ result: TestResult, startMS: Double?) {
    let (test, last) = (result.test, result.last)
    let failure = last.failures.first
    let began = startMS.flatMap { run in last.startedMS.map { (run + $0.clampedMS).wholeMS } }
    id = StableID.uuid(test.id.text)
    name = test.name.isEmpty ? "unnamed" : test.name
    status = CTRFStatus(last.outcome)
    duration = (last.durationMS ?? 0).wholeMS
    start = began
    stop = began.map { [duration] in $0 + duration }
    suite = test.suite.isEmpty ? nil : [test.suite]
    message = last.outcome.countsAsFailed ? last.firstMessage : last.note
    trace = last.failureText
    line = test.definition?.line
    rawStatus = last.rawStatus
    tags = nil
    filePath = test.file
    let earlier = result.otherAttempts
    retries = earlier.isEmpty ? nil : earlier.count
    retryAttempts = earlier.enumerated().map { Attempt($1, number: $0 + 1) }.nonEmpty
    flaky = result.isFlaky && last.outcome == .passed ? true : nil
    stdout = last.stdout?.visible?.trimmedEnd.unixLines
    stderr = last.stderr?.visible?.trimmedEnd.unixLines
    threadId = last.worker
    extra = Extra(
      id: test.id.text, outcome: last.outcome.rawValue, adapter: test.project.adapter.rawValue,
      failureFile: failure?.location?.file, failureLine: failure?.location?.line)
  }

  init(_ problem: RunProblem) {
    id = StableID.uuid(problem.key)
    name = problem.title
    status = .failed
    duration = 0
    (start, stop) = (nil, nil)
    suite = problem.test.flatMap { $0.suite.isEmpty ? nil : [$0.suite] }
    message = problem.message
    trace = problem.location.map { "at \($0.text)" }
    line = problem.test?.definition?.line
    rawStatus = problem.kind.rawValue
    tags = ["proctor:problem"]
    filePath = problem.location?.file
    (retries, retryAttempts, flaky, stdout, stderr, threadId) = (nil, nil, nil, nil, nil, nil)
    extra = Extra(
      id: problem.test?.id.text ?? problem.title, outcome: problem.kind.rawValue,
      adapter: problem.test?.project.adapter.rawValue, failureFile: problem.location?.file,
      failureLine: problem.location?.line)
  }
}

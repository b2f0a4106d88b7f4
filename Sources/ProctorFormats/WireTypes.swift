import FoundationEssentials
import ProctorModel

// The answers' shapes, key by key as the contract fixes them; absent is absent.

struct RunAllAnswer: Encodable {
  let status: Verdict.Status
  let reason: Verdict.Reason?
  var message: String?
  let total_tests: Int
  let passed: Int
  let failed: Int
  let skipped: Int
  let execution_time_ms: Double
  /// nil in answers to models, as all that only a clock tells.
  var started_at: String?
  var code_state: String?
  var selection: String?
  var failures: [FailureAnswer]
  var errors: [ErrorAnswer]?
  var missing: [String]?
  let suggestions: [String]?
  var sandbox: SandboxReceipt?
  var writes: [WorkspaceWrite]?
  var writes_omitted: Int?
  var patch: ChangeAnswer?
  let shard: Shard?
  var adapters: [AdapterAnswer]
  var tests: [TestRow]?
  var tests_omitted: Int?
  var failures_omitted: Int?
  var reports: [ReportAnswer]?
  var reports_omitted: Int?
  var next_offset: Int?

  init(_ report: Report, details: Bool) {
    let counts = report.counts
    status = report.verdict.status
    reason = report.verdict.reason
    message = report.verdict.message
    total_tests = counts.total
    passed = counts.passed
    failed = counts.failed
    skipped = counts.skipped
    execution_time_ms = report.durationMS.rounded3
    started_at = report.beginning.map { Timestamp.text($0.date) }
    code_state = report.beginning?.codeState
    selection = report.selection
    failures = report.tests.filter { $0.outcome.countsAsFailed }.map(FailureAnswer.init)
    errors = report.errors.map(ErrorAnswer.init).nonEmpty
    missing = report.missing.map(\.id.text).nonEmpty
    suggestions = report.suggestions.nonEmpty
    sandbox = report.sandbox
    writes = Array(report.writes.prefix(Report.writesListed)).nonEmpty
    writes_omitted =
      report.writes.count > Report.writesListed
      ? report.writes.count - Report.writesListed : nil
    patch = report.change.map(ChangeAnswer.init)
    shard = report.shard
    adapters = report.adapters.map(AdapterAnswer.init)
    tests = details ? report.tests.map(TestRow.init) : nil
    if let reading = report.reading {
      reports = reading.files.map(ReportAnswer.init)
      failures_omitted = reading.failuresOmitted > 0 ? reading.failuresOmitted : nil
      tests_omitted = details ? ContractJSON.omitted(report.tests.count, of: counts.total) : nil
    }
  }
}

struct RunTestAnswer: Encodable {
  struct Detail: Encodable {
    let id: TestID
    let name: String
    let status: Outcome
    let raw_status: String
    let duration_ms: Double?
    var error: String?
    let file: String?
    let line: Int?

    init(_ result: TestResult) {
      let failure = result.last.failures.first
      id = result.test.id
      name = result.test.name
      status = result.outcome
      raw_status = result.last.rawStatus
      duration_ms = result.last.shownDuration
      error = result.outcome.countsAsFailed ? result.last.firstMessage : nil
      file = failure?.location?.file ?? result.test.file
      line = failure?.location?.line
    }
  }

  let status: Verdict.Status
  let reason: Verdict.Reason?
  var message: String?
  var error: String?
  let file: String?
  let line: Int?
  let column: Int?
  let tests_run: Int
  let tests_passed: Int
  let tests_failed: Int
  let tests_skipped: Int
  let execution_time_ms: Double
  var details: [Detail]
  var failures: [FailureAnswer]?
  var errors: [ErrorAnswer]?
  var missing: [String]?
  let suggestions: [String]?
  var sandbox: SandboxReceipt?
  var writes: [WorkspaceWrite]?
  var writes_omitted: Int?
  var patch: ChangeAnswer?

  init(_ report: Report) {
    let counts = report.counts
    let first = report.errors.first
    status = report.verdict.status
    reason = report.verdict.reason
    message = report.verdict.message
    error = first?.message
    file = first?.location?.file
    line = first?.location?.line
    column = first?.location?.column
    tests_run = counts.total
    tests_passed = counts.passed
    tests_failed = counts.failed
    tests_skipped = counts.skipped
    execution_time_ms = report.durationMS.rounded3
    details = report.tests.map(Detail.init)
    failures = report.tests.filter { $0.outcome.countsAsFailed }.map(FailureAnswer.init).nonEmpty
    errors = report.errors.map(ErrorAnswer.init).nonEmpty
    missing = report.missing.map(\.id.text).nonEmpty
    suggestions = report.suggestions.nonEmpty
    sandbox = report.sandbox
    writes = Array(report.writes.prefix(Report.writesListed)).nonEmpty
    writes_omitted =
      report.writes.count > Report.writesListed
      ? report.writes.count - Report.writesListed : nil
    patch = report.change.map(ChangeAnswer.init)
  }
}

struct ListAnswer: Encodable {
  struct Row: Encodable {
    let id: TestID
    let name: String
    let full_name: String
    let adapter: AdapterID
    let suite: String
    let file: String?
    let definition_line: Int?

    init(_ test: TestCase) {
      id = test.id
      name = test.name
      full_name = test.fullName
      adapter = test.project.adapter
      suite = test.suite
      file = test.file
      definition_line = test.definition?.line
    }
  }

  let status: Verdict.Status
  let reason: Verdict.Reason?
  var message: String?
  let total_tests: Int
  var tests: [Row]
  var errors: [ErrorAnswer]?
  var errors_omitted: Int?
  var tests_omitted: Int?
  var next_offset: Int?
  let projects: [Project]

  init(_ listing: Listing) {
    status = listing.verdict.status
    reason = listing.verdict.reason
    message = listing.verdict.message
    total_tests = listing.tests.count
    tests = listing.tests.map(Row.init)
    errors = listing.errors.map(ErrorAnswer.init).nonEmpty
    projects = listing.projects
  }
}

struct ErrorAnswer: Encodable {
  let stage: RunError.Stage
  let adapter: AdapterID?
  let suite: String?
  let file: String?
  let line: Int?
  let column: Int?
  let location_source: LocationOrigin.Source?
  let location_confidence: LocationOrigin.Confidence?
  let code: String?
  var message: String
  /// Other errors that say the same and are not listed.
  var similar_errors: Int?

  init(_ error: RunError) {
    stage = error.stage
    adapter = error.adapter
    suite = error.suite
    file = error.location?.file
    line = error.location?.line
    column = error.location?.column
    location_source = error.origin?.source
    location_confidence = error.origin?.confidence
    code = error.code
    message = error.message
  }
}

struct AdapterAnswer: Encodable {
  struct Command: Encodable {
    let purpose: String
    let argv: [String]
    let exit_code: Int32?
    let signal: Int32?
    let duration_ms: Double
    let peak_memory_mb: Double?
    let cpu_ms: Double?
    let started_ms: Double?
    let samples: [Sample]?

    init(_ command: AdapterReport.Command) {
      purpose = command.purpose.rawValue
      argv = command.argv
      exit_code = if case .exited(let code)? = command.status { code } else { nil }
      signal = if case .signaled(let number)? = command.status { number } else { nil }
      duration_ms = command.durationMS.rounded3
      peak_memory_mb = command.peakMemoryMB?.rounded3
      cpu_ms = command.cpuMS?.rounded3
      started_ms = command.startedMS?.rounded3
      samples = command.samples.map(Sample.init).nonEmpty
    }
  }

  struct Sample: Encodable {
    let elapsed_ms: Double
    let cpu_percent: Double?
    let memory_mb: Double?

    init(_ sample: UsageSample) {
      elapsed_ms = sample.elapsedMS.rounded()
      cpu_percent = sample.cpuPercent?.rounded()
      memory_mb = sample.memoryMB.map { ($0 * 10).rounded() / 10 }
    }
  }

  let adapter: AdapterID
  let root: String
  let evidence: String
  let version: String?
  let total_tests: Int
  let passed: Int
  let failed: Int
  let skipped: Int
  let execution_time_ms: Double
  /// nil in answers to models.
  var commands: [Command]?
  var output: String?

  init(_ report: AdapterReport) {
    adapter = report.project.adapter
    root = report.project.root
    evidence = report.project.evidence
    version = report.version
    total_tests = report.counts.total
    passed = report.counts.passed
    failed = report.counts.failed
    skipped = report.counts.skipped
    execution_time_ms = report.durationMS.rounded3
    commands = report.commands.map(Command.init)
    output = report.output?.nonEmpty?.text
  }
}

extension Double {
  /// Rounded to 3 decimals: whole microseconds of what is milliseconds.
  package var rounded3: Double { (self * 1000).rounded() / 1000 }
}

extension Attempt {
  /// nil for what no clock can have shown: guests and foreign reports may say anything.
  var shownDuration: Double? {
    durationMS.map(\.rounded3).flatMap { $0.isFinite && $0 >= 0 ? $0 : nil }
  }

  /// What to say when there is nothing to say but that it failed.
  var firstMessage: String {
    let message = failures.first?.message ?? ""
    return message.isEmpty ? rawStatus : message
  }
}

extension Array {
  /// nil when empty: absent is absent.
  var nonEmpty: [Element]? { isEmpty ? nil : self }
}

extension CapturedText {
  var omittedCount: Int? { omittedBytes > 0 ? omittedBytes : nil }
}

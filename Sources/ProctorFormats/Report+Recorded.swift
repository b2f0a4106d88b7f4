public import ProctorModel

extension Report {
  /// The model of a report that was written as JSON, with all that the contract carries.
  ///
  /// What it does not carry is absent: what runners call their tests, build products, times and places beyond the first
  /// of an attempt that was not the last one. Of writes and changed files, those that are listed. A report without
  /// `tests` (`--details`) has those that failed; how many others there were is in `unlisted`.
  public init(recorded: RecordedReport) {
    let reader = RecordedTests(recorded)
    self.init(
      verdict: Verdict(
        status: recorded.status, reason: recorded.reason, message: recorded.message),
      tests: reader.results, errors: (recorded.errors ?? []).map(RunError.init),
      missing: (recorded.missing ?? []).map(reader.missing),
      adapters: recorded.adapters.map(AdapterReport.init),
      sandbox: recorded.sandbox.map(SandboxReceipt.init), durationMS: recorded.execution_time_ms,
      suggestions: recorded.suggestions ?? [], writes: recorded.writes ?? [])
    beginning = recorded.startedAt.map { Beginning(date: $0, codeState: recorded.code_state) }
    selection = recorded.selection
    change = recorded.patch.map(CandidateChange.init)
    shard = recorded.shard
    notes = recorded.notes ?? []
    if !recorded.listsAllTests {
      unlisted = Counts(
        passed: recorded.passed, failed: max(0, recorded.failed - recorded.failures.count),
        skipped: recorded.skipped)
    }
  }
}

/// The tests of a recorded report, of which those that failed are told in two places.
private struct RecordedTests {
  private let report: RecordedReport
  private let projects: [Project]
  private let failures: [String: RecordedReport.Failure]

  init(_ report: RecordedReport) {
    self.report = report
    projects = report.adapters.map(Project.init)
    failures = Dictionary(report.failures.map { ($0.id, $0) }) { first, _ in first }
  }

  var results: [TestResult] {
    report.tests?.compactMap(result) ?? report.failures.compactMap(result)
  }

  /// Nothing but its id is known of it.
  func missing(_ id: String) -> TestCase {
    let name = TestID(text: id).parts?.fullName ?? id
    return TestCase(
      id: TestID(text: id), project: project(of: id, adapter: nil), suite: "", name: name,
      fullName: name, nativeID: name)
  }

  private func result(_ row: RecordedReport.Test) -> TestResult? {
    let test = TestCase(
      id: TestID(text: row.id), project: project(of: row.id, adapter: row.adapter),
      suite: row.suite, name: row.name, fullName: row.full_name,
      definition: definition(row.file, row.definition_line), file: row.file,
      nativeID: row.full_name)
    if row.outcome.countsAsFailed, let failure = failures[row.id] {
      return TestResult(
        test: test,
        attempts: earlier(failure.attempt_details)
          + [Attempt(failure, of: row.file, note: row.note)])
    }
    let last = row.attempt_details?.last
    return TestResult(
      test: test,
      attempts: earlier(row.attempt_details) + [
        Attempt(
          outcome: row.outcome, rawStatus: row.raw_status, durationMS: row.duration_ms,
          failures: last.map(\.failures) ?? [], note: row.note, startedMS: row.started_ms,
          worker: row.worker)
      ])
  }

  private func result(_ failure: RecordedReport.Failure) -> TestResult? {
    let test = TestCase(
      id: TestID(text: failure.id), project: project(of: failure.id, adapter: failure.adapter),
      suite: failure.suite, name: failure.test, fullName: failure.full_name,
      definition: definition(failure.file, failure.definition_line),
      file: failure.line == nil ? failure.file : nil, nativeID: failure.full_name)
    let last = Attempt(failure, of: test.file, note: nil)
    return TestResult(test: test, attempts: earlier(failure.attempt_details) + [last])
  }

  private func earlier(_ details: [RecordedReport.Attempt]?) -> [Attempt] {
    (details ?? []).dropLast().map(Attempt.init)
  }

  private func definition(_ file: String?, _ line: Int?) -> SourceLocation? {
    guard let file, let line else { return nil }
    return SourceLocation(file: file, line: line)
  }

  private func project(of id: String, adapter: String?) -> Project {
    let parts = TestID(text: id).parts
    let name = adapter.map(AdapterID.init(rawValue:)) ?? parts?.adapter
    let root = parts?.root ?? "."
    return projects.first { $0.adapter == name && $0.root == root }
      ?? Project(adapter: name ?? AdapterID(rawValue: "unknown"), root: root, evidence: "a report")
  }
}

extension Attempt {
  /// The last one of a test that failed.
  /// - Parameter file: that holds the test.
  fileprivate init(_ failure: RecordedReport.Failure, of file: String?, note: String?) {
    let first = Failure(
      message: failure.error,
      location: failure.file.flatMap { place in
        failure.line == nil && place == file
          ? nil : SourceLocation(file: place, line: failure.line, column: failure.column)
      }, frames: failure.frames ?? [])
    let more = (failure.more_failures ?? []).map { detail in
      Failure(
        message: detail.error,
        location: detail.file.map {
          SourceLocation(file: $0, line: detail.line, column: detail.column)
        })
    }
    self.init(
      outcome: failure.outcome, rawStatus: failure.raw_status, durationMS: failure.duration_ms,
      failures: [first] + more, note: note,
      stdout: Self.captured(failure.stdout, failure.stdout_omitted_bytes),
      stderr: Self.captured(failure.stderr, failure.stderr_omitted_bytes),
      startedMS: failure.started_ms, worker: failure.worker)
  }

  /// One that was not the last.
  fileprivate init(_ detail: RecordedReport.Attempt) {
    self.init(
      outcome: detail.outcome, rawStatus: detail.raw_status, durationMS: detail.duration_ms,
      failures: detail.failures, stdout: Self.captured(detail.stdout, nil),
      stderr: Self.captured(detail.stderr, nil), startedMS: detail.started_ms,
      worker: detail.worker)
  }

  private static func captured(_ text: String?, _ omitted: Int?) -> CapturedText? {
    text.map { CapturedText(text: $0, omittedBytes: omitted ?? 0) }
  }
}

extension RecordedReport.Attempt {
  fileprivate var failures: [Failure] {
    guard outcome.countsAsFailed || file != nil else { return [] }
    return [
      Failure(
        message: error ?? "", location: file.map { SourceLocation(file: $0, line: line) })
    ]
  }
}

extension Project {
  fileprivate init(_ adapter: RecordedReport.Adapter) {
    self.init(
      adapter: AdapterID(rawValue: adapter.adapter), root: adapter.root,
      evidence: adapter.evidence ?? "a report")
  }
}

extension RunError {
  fileprivate init(_ problem: RecordedReport.Problem) {
    self.init(
      stage: problem.stage, adapter: problem.adapter.map(AdapterID.init(rawValue:)),
      message: problem.message,
      location: problem.file.map {
        SourceLocation(file: $0, line: problem.line, column: problem.column)
      }, code: problem.code, suite: problem.suite,
      finding: problem.code.flatMap(Finding.init(rawValue:)))
  }
}

extension AdapterReport {
  fileprivate init(_ adapter: RecordedReport.Adapter) {
    self.init(
      project: Project(adapter), version: adapter.version,
      counts: Counts(passed: adapter.passed, failed: adapter.failed, skipped: adapter.skipped),
      commands: (adapter.commands ?? []).map(Command.init),
      durationMS: adapter.execution_time_ms,
      output: adapter.output.map { CapturedText(text: $0) })
  }
}

extension AdapterReport.Command {
  fileprivate init(_ command: RecordedReport.Command) {
    self.init(
      purpose: command.purpose, argv: command.argv,
      status: command.signal.map(ExitStatus.signaled) ?? command.exit_code.map(ExitStatus.exited),
      durationMS: command.duration_ms, peakMemoryMB: command.peak_memory_mb,
      cpuMS: command.cpu_ms, startedMS: command.started_ms,
      samples: (command.samples ?? []).map {
        UsageSample(elapsedMS: $0.elapsed_ms, cpuPercent: $0.cpu_percent, memoryMB: $0.memory_mb)
      })
  }
}

extension SandboxReceipt {
  fileprivate init(_ sandbox: RecordedReport.Sandbox) {
    self.init(
      backend: sandbox.backend, layers: sandbox.layers, workspace: sandbox.workspace,
      network: sandbox.network, limits: sandbox.limits ?? ResourceLimits(),
      limitsBy: sandbox.limits_by, missing: sandbox.missing ?? [], reached: sandbox.reached ?? [])
    denied = sandbox.denied ?? []
    deniedOmitted = sandbox.denied_omitted ?? 0
  }
}

extension CandidateChange {
  fileprivate init(_ change: RecordedReport.Change) {
    let tests = Set(change.touches_tests)
    self.init(
      files: change.files.map {
        File(
          path: $0.path, kind: $0.change, insertions: $0.insertions, deletions: $0.deletions,
          touchesTests: tests.contains($0.path))
      })
  }
}

import FoundationEssentials
import ProctorModel
import ProctorSandbox

/// Checks one project: tools, fetch, the adapter's commands, and whether what they say can be believed.
struct CheckRunner: Sendable {
  struct Outcome: Sendable {
    var part: CheckAnswer.Part
    var diagnostics: [Diagnostic] = []
    var receipts: [SandboxReceipt] = []
    /// Source files that were asked for, when the project as a whole was not; relative to the workspace.
    var asked: [String] = []
    var coverage = CheckFindings.Coverage.asked
  }

  /// Bytes kept of stdout, which is the report of compilers.
  private static let outputLimit = 256 << 20
  private static let linesShown = 8

  let adapter: any CheckAdapter
  let project: Project
  let session: RunSession

  /// - Parameter files: its source files that are asked for, relative to the workspace.
  func run(_ files: [String]) async throws(EngineError) -> Outcome {
    let clock = ContinuousClock()
    let start = clock.now
    var outcome = Outcome(part: CheckAnswer.Part(project))
    do {
      let toolchain = try adapter.checkToolchain(
        for: project, workspace: session.workspace,
        settings: session.configuration.settings(for: adapter.id), host: session.host)
      let context = try session.context(project, toolchain, adapter)
      outcome.part.version = toolchain.version
      try await check(files, context, &outcome)
    } catch let problem as ToolProblem {
      fail(&outcome, .toolMissing, "\(problem.message). \(problem.resolution)")
    } catch let error as EngineError {
      throw error
    } catch {
      throw EngineError(.workspace, "\(error)", resolution: "Report this as a bug of proctor.")
    }
    outcome.part.durationMS = (clock.now - start).milliseconds
    outcome.part.errors = outcome.diagnostics.count { $0.severity == .error }
    outcome.part.warnings = outcome.diagnostics.count { $0.severity == .warning }
    return outcome
  }

  private func check(
    _ files: [String], _ context: AdapterContext, _ outcome: inout Outcome
  ) async throws(EngineError) {
    let runner = try session.runner(adapter, context)
    if context.mayFetch {
      for invocation in adapter.fetch(context) {
        guard let done = try await perform(invocation, runner, &outcome) else { return }
        guard done.command.status.isSuccess else {
          return fail(
            &outcome, .dependencyMissing, "fetching dependencies failed: \(Self.lastLines(done))")
        }
      }
    }
    let commands = adapter.check(context, files: files)
    guard !commands.isEmpty else {
      return fail(&outcome, .toolMissing, "\(project.title) has no compiler that proctor could ask")
    }
    if session.copy == nil {
      try StaleBuild.discard(adapter, context, in: session.tree())
    }
    var finished: [FinishedCheck] = []
    for invocation in commands {
      guard let done = try await perform(invocation, runner, &outcome) else { break }
      finished.append(done)
    }
    guard outcome.part.reason == nil || !finished.isEmpty else { return }
    let findings = adapter.readCheck(context, files: files, finished)
    outcome.diagnostics = CheckVerdict.unique(findings.diagnostics)
    outcome.part.checked = findings.checked
    outcome.part.unit = findings.unit
    outcome.coverage = findings.coverage
    if outcome.part.reason == nil { judge(findings, finished, &outcome) }
  }

  /// An exit status that says otherwise than the diagnostics is no verdict.
  private func judge(
    _ findings: CheckFindings, _ finished: [FinishedCheck], _ outcome: inout Outcome
  ) {
    if let problem = findings.problem { return fail(&outcome, problem.reason, problem.message) }
    let hasErrors = findings.diagnostics.contains { $0.severity == .error }
    let failed = finished.last { !$0.command.status.isSuccess }
    if let failed, !hasErrors {
      fail(
        &outcome, .exitMismatch,
        "\(failed.command.invocation.title) ended with \(failed.command.status.text) and named no error: "
          + Self.lastLines(failed))
    } else if failed == nil, hasErrors {
      fail(&outcome, .exitMismatch, "\(project.title) named errors and ended with exit status 0")
    }
  }

  private func perform(
    _ invocation: Invocation, _ runner: InvocationRunner, _ outcome: inout Outcome
  ) async throws(EngineError) -> FinishedCheck? {
    session.progress(.began(project, title: invocation.title))
    let nonce = RunFolder.nonce()
    let recorder = CheckRecorder(
      project: project, nonce: nonce, outputLimit: Self.outputLimit, progress: session.progress)
    let result = try await runner.sandboxed(invocation, nonce: nonce) { recorder.receive($0) }
    let seen = recorder.seen
    outcome.part.commands.append(
      AdapterReport.Command(
        purpose: invocation.purpose, argv: invocation.argv, status: result.status,
        durationMS: result.durationMS, peakMemoryMB: result.peakMemoryMB,
        cpuMS: result.cpuSeconds.map { $0 * 1000 }))
    outcome.receipts.append(result.receipt)
    let done = FinishedCheck(
      command: FinishedInvocation(
        invocation: invocation, status: result.status, stdout: seen.stdout.data,
        stderr: seen.stderr.data), records: seen.records)
    if let violation = seen.violation { fail(&outcome, .reportCorrupt, violation) }
    guard let reason = Self.reason(result.ending) else { return done }
    let place = adapter.lastPlace(done, runner.context).map { " at \($0)" } ?? ""
    fail(&outcome, reason, "\(invocation.title) was stopped (\(reason.rawValue))\(place)")
    // What was found until then is told all the same.
    return reason == .interrupted ? nil : done
  }

  private static func reason(_ ending: SandboxResult.Ending) -> Verdict.Reason? {
    switch ending {
    case .exited: nil
    case .wallTime, .overdue: .timedOut
    case .outOfMemory: .outOfMemory
    case .cpuTime: .cpuLimit
    case .scratchSpace: .scratchLimit
    case .output: .outputLimit
    case .cancelled: .interrupted
    }
  }

  private func fail(_ outcome: inout Outcome, _ reason: Verdict.Reason, _ message: String) {
    guard outcome.part.reason == nil else { return }
    outcome.part.reason = reason
    outcome.part.message = message
  }

  private static func lastLines(_ done: FinishedCheck) -> String {
    let bytes = done.command.stderr.isEmpty ? done.command.stdout : done.command.stderr
    return String(decoding: bytes.suffix(4000), as: UTF8.self)
      .split(whereSeparator: \.isNewline).suffix(linesShown).joined(separator: "\n")
  }
}

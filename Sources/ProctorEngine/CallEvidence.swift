import ProctorModel
import ProctorSandbox

/// What the supervisor saw of a call, and what follows from it. Its word comes before the program's.
struct CallEvidence {
  let seen: FunctionRecorder.Seen
  let result: SandboxResult

  /// The limit at which it was killed; nil when it ended by itself.
  var stopped: FunctionFailure? {
    let limits = result.receipt.limits
    switch result.ending {
    case .exited: return nil
    case .wallTime, .overdue:
      return FunctionFailure(
        .timeout, "did not end within \(limits.wallSeconds.map { "\($0)" } ?? "?") seconds")
    case .cpuTime:
      return FunctionFailure(
        .cpuLimit, "used more than \(limits.cpuSeconds.map { "\($0)" } ?? "?") s of processor time")
    case .outOfMemory:
      return FunctionFailure(.memoryLimit, "used more than \(limits.memoryMB ?? 0) MB of memory")
    case .scratchSpace, .output:
      let evidence = result.receipt.reached.first?.evidence ?? "wrote more than is allowed"
      return FunctionFailure(.outputLimit, evidence)
    case .cancelled: return FunctionFailure(.interrupted, "stopped by the user")
    }
  }

  /// Why the report of it cannot be believed; nil when it can.
  var distrust: FunctionFailure? {
    seen.violation.map { FunctionFailure(.sandbox, "the answer cannot be trusted: \($0)") }
  }

  // MARK: causes

  /// What systems and languages say of something that was denied.
  private static let deniedWords = [
    "Permission denied", "PermissionError", "PermissionDenied", "EACCES", "EPERM",
    "Operation not permitted", "unreachable", "ENETUNREACH", "EAI_AGAIN", "ENOTFOUND",
    "name resolution", "Name or service not known", "getaddrinfo", "gaierror",
  ]
  private static let starvedWords = [
    "start new thread", "temporarily unavailable", "EAGAIN", "spawn thread", "BlockingIOError",
  ]

  /// The denial or the limit behind an error of the program's; the error itself when there is none.
  func cause(of told: FunctionFailure) -> FunctionFailure {
    if let denied = denial(behind: told) {
      let setting = denied.setting.map { "; [execution] \($0) would allow it" } ?? ""
      return FunctionFailure(
        .permissionDenied, "\(denied.target): \(denied.rule)\(setting) (\(told.message))",
        at: told.location)
    }
    if result.receipt.reached.contains(where: { $0.limit == .processes }),
      Self.starvedWords.contains(where: told.message.contains)
    {
      return FunctionFailure(
        .processLimit, "no more processes than \(result.receipt.limits.processes ?? 0) may run",
        at: told.location)
    }
    return told
  }

  /// A function may have been denied something, gone on and failed of itself.
  private func denial(behind failure: FunctionFailure) -> Denial? {
    let denied = result.receipt.denied
    if let named = denied.first(where: { failure.message.contains($0.target) }) { return named }
    guard Self.deniedWords.contains(where: failure.message.contains) else { return nil }
    return denied.first { $0.setting != nil }
  }

  /// Nothing was said of the end.
  func lost(insteadOf expected: String) -> FunctionFailure {
    let words = seen.stderr.lastLines(3)
    let more = words.isEmpty ? "" : ": \(words)"
    if result.receipt.reached.contains(where: { $0.limit == .processes }) {
      return FunctionFailure(.processLimit, "no more processes may run\(more)")
    }
    if !seen.hasStarted, !result.status.isSuccess {
      return FunctionFailure(.runtime, "ended before the call (\(result.status.text))\(more)")
    }
    if let signal = result.status.impliedSignal {
      return FunctionFailure(.crashed, "killed by \(ExitStatus.signalName(signal))\(more)")
    }
    return FunctionFailure(
      .runtime, "ended the process (\(result.status.text)) instead of \(expected)\(more)")
  }
}

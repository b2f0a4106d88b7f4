import CSandbox
import Dispatch
import FoundationEssentials
import Glibc
import ProctorAudit
import ProctorEngine
import ProctorModel

/// Passes a call on to this user's helper, or sees to it that there is one for the next.
struct WarmHelperClient: Sendable {
  private let meeting: WarmMeeting

  /// nil when nothing is to be kept warm.
  init?(_ call: WarmCall) {
    guard call.isWanted, let meeting = WarmMeeting(call.environment) else { return nil }
    self.meeting = meeting
  }

  /// - Returns: nil when no helper took it.
  func ask(_ call: WarmCall) async -> Answer.Value? {
    guard let socket = meeting.connect() else { return nil }
    defer { close(socket) }
    guard let request = try? JSONEncoder().encode(call),
      Console.write(request + Data("\n".utf8), to: socket)
    else { return nil }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        DispatchQueue.global().async { continuation.resume(returning: Self.answer(from: socket)) }
      }
    } onCancel: {
      // It stops then, and says so.
      shutdown(socket, Int32(SHUT_WR))
    }
  }

  private static func answer(from socket: Int32) -> Answer.Value? {
    var stdout = Data()
    var outcome: AuditOutcome?
    var isTaken = false
    while let part = WarmPart.read(from: socket) {
      switch part {
      case .taken: isTaken = true
      case .stdout(let data): stdout += data
      case .stderr(let data): Console.error(String(decoding: data, as: UTF8.self))
      case .outcome(let data): outcome = try? JSONDecoder().decode(AuditOutcome.self, from: data)
      case .status(let status):
        return .printed(stdout: stdout, status: status, outcome: outcome)
      }
    }
    guard isTaken else { return nil }
    return .function(
      FunctionAnswer(
        FunctionFailure(
          .sandbox,
          "the helper that keeps calls warm ended during this one; call again, or with PROCTOR_WARM=off"
        )))
  }

  /// Starts a helper that outlives this process and is tied to nothing of it.
  func startHelper() {
    let arguments = ["proctor", WarmHelper.commandName, meeting.folder, meeting.name]
    let argv = arguments.map { strdup($0) } + [nil]
    defer { argv.forEach { free($0) } }
    // It takes each call's environment from its caller.
    csb_start_detached("/proc/self/exe", argv, environ)
  }
}

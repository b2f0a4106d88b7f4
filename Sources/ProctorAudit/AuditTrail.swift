import FoundationEssentials
import ProctorStorage
import Synchronization

/// The user's audit trail, opened with the first call that is recorded and kept open.
public final class AuditTrail: Sendable {
  private struct State {
    var log: AuditLog?
    /// What was said last, so that it is said once.
    var said: String?
  }

  private let folder: String
  private let settings: AuditSettings
  private let mask: SecretMask
  fileprivate var file: DatabaseFile { AuditLog.file(at: folder) }

  /// Tells the user of this process what is wrong; any thread.
  public let say: @Sendable (String) -> Void
  private let state = Mutex(State())

  /// - Parameters:
  ///   - folder: of its own, outside of any workspace.
  ///   - environment: whose secrets are kept out of it.
  ///   - say: tells the user what is wrong with it; any thread.
  public init(
    folder: String, settings: AuditSettings, environment: [String: String],
    say: @escaping @Sendable (String) -> Void
  ) {
    self.folder = folder
    self.settings = settings
    self.say = say
    mask = SecretMask(environment: environment)
  }

  /// Records that a call begins; when this returns, whatever happens to this process, it is on record.
  /// - Parameter isRequired: whether the workspace wants the call refused when it cannot be recorded.
  /// - Throws: `AuditError` when it cannot, and the user or the workspace wants that refused.
  func begin(
    _ call: AuditCall, door: AuditDoorKind, caller: String, isRequired: () -> Bool
  ) throws(AuditError) -> AuditedCall {
    let problem: AuditError
    do {
      let beginning = try AuditLog.Beginning(
        call, door: door, caller: caller, MaskedJSON(mask: mask))
      let (log, number) = try state.withLock { state in
        try recorded(&state) { ($0, try $0.begin(beginning)) }
      }
      return AuditedCall(Recorded(trail: self, log: log, number: number))
    } catch {
      problem = AuditError(error, in: file)
    }
    guard !settings.isRequired, !isRequired() else {
      throw AuditError(
        "the call cannot be recorded in the audit trail, and is not made: \(problem.message)",
        resolution: problem.resolution)
    }
    complain(
      "this call is not recorded in the audit trail: \(problem.message)\n\(problem.resolution)")
    return AuditedCall(nil)
  }

  /// Does it with the open file; with a new one when that turns out to be corrupt, or is gone.
  private func recorded<Result>(
    _ state: inout State, _ body: (AuditLog) throws -> Result
  ) throws -> Result {
    if state.log?.isInPlace == false { state.log = nil }
    do {
      return try body(try open(&state))
    } catch let error where DatabaseFile.isCorrupt(error) {
      state.log = nil
      return try body(try open(&state, isSuspect: true))
    }
  }

  private func open(_ state: inout State, isSuspect: Bool = false) throws(AuditError) -> AuditLog {
    if let log = state.log { return log }
    let log = try AuditLog(folder: folder, mask: mask, isSuspect: isSuspect)
    if let name = log.setAside {
      say("the audit trail could not be read: it is \(name) now, and a new one was begun")
    }
    state.log = log
    return log
  }

  fileprivate func complain(_ message: String) {
    let isNew = state.withLock { state in
      defer { state.said = message }
      return state.said != message
    }
    if isNew { say(message) }
  }

  /// Where a call is recorded.
  struct Recorded: Sendable {
    let trail: AuditTrail
    let log: AuditLog
    let number: Int64

    func end(
      _ outcome: AuditOutcome, exitCode: Int?, confirmation: AuditConfirmation?, wallMS: Double
    ) {
      do {
        try log.end(
          number, outcome, exitCode: exitCode, confirmation: confirmation, wallMS: wallMS)
        try log.prune(trail.settings)
      } catch {
        let problem = AuditError(error, in: trail.file)
        trail.complain(
          "the end of this call is not recorded in the audit trail: \(problem.message)\n\(problem.resolution)"
        )
      }
    }
  }
}

/// A call that was begun; it ends once.
public final class AuditedCall: Sendable {
  private struct State {
    var confirmation: AuditConfirmation?
    var isEnded = false
  }

  /// nil when it is not recorded.
  private let recorded: AuditTrail.Recorded?
  private let begun = ContinuousClock.now
  private let state = Mutex(State())

  init(_ recorded: AuditTrail.Recorded?) { self.recorded = recorded }

  /// Notes whether and how the user was asked; the last word counts.
  public func confirmed(_ confirmation: AuditConfirmation) {
    state.withLock { $0.confirmation = confirmation }
  }

  /// Records how it ended, unless that was done.
  /// - Parameter exitCode: of a command; nil for other doors.
  public func end(_ outcome: AuditOutcome, exitCode: Int? = nil) {
    let (isFirst, confirmation) = state.withLock { state in
      defer { state.isEnded = true }
      return (!state.isEnded, state.confirmation)
    }
    guard isFirst else { return }
    recorded?.end(
      outcome, exitCode: exitCode, confirmation: confirmation,
      wallMS: begun.duration(to: .now) / .milliseconds(1))
  }
}

/// A door with its caller: what is recorded of each call besides the call itself.
public struct AuditDoor: Sendable {
  private let kind: AuditDoorKind
  private let caller: String
  private let trail: AuditTrail

  /// - Parameter caller: the user, the client with its version, or the address and the name of the token.
  public init(_ kind: AuditDoorKind, caller: String, trail: AuditTrail) {
    self.kind = kind
    self.caller = caller
    self.trail = trail
  }

  /// Records that a call begins, before anything else is done for it.
  /// - Parameter isRequired: looked at only when it cannot be recorded.
  public func begin(
    _ call: AuditCall, isRequired: () -> Bool
  ) throws(AuditError) -> AuditedCall {
    var call = call
    call.policy.settings_sha256 = call.workspace.flatMap(SettingsDigest.of)
    return try trail.begin(call, door: kind, caller: caller, isRequired: isRequired)
  }
}

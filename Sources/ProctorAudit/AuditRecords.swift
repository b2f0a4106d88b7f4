import FoundationEssentials
import ProctorModel

// The contents of entries, key by key; absent is absent.

/// The content of `begun`.
struct BegunRecord: Codable {
  let caller: String
  let pid: Int
  let reason: String?
  let asked: AuditPolicy
}

/// What a caller and the settings asked for, before it is known what this machine can give.
public struct AuditPolicy: Sendable, Hashable, Codable {
  /// By the call or the session; nil for what the settings say.
  public var isolation: String?
  public var timeout_seconds: Double?
  /// Of `proctor.toml`, when there is one.
  public var settings_sha256: String?

  public init(isolation: String?, timeoutSeconds: Double?) {
    self.isolation = isolation
    timeout_seconds = timeoutSeconds
  }
}

/// Whether and how the user was asked before code ran.
public struct AuditConfirmation: Sendable, Hashable, Codable {
  public enum Answer: String, Sendable, Codable {
    case allowed
    case refused
    /// Nobody was asked: whoever started proctor had said yes to everything.
    case allowedAhead = "allowed_ahead"
    /// The user had agreed before, for as long as code and settings stay as they are.
    case remembered
    /// The door asks by having the call made again.
    case askedLater = "asked_later"
  }

  public let answer: Answer
  /// What was asked; nil when nobody was.
  public var question: String?
  /// What the validator had against it.
  public var why: String?

  public init(_ answer: Answer, question: String? = nil, why: String? = nil) {
    self.answer = answer
    self.question = question
    self.why = why
  }
}

/// The content of `ended`.
struct EndedRecord: Codable {
  let verdict: AuditOutcome.Verdict
  let exit_code: Int?
  let confirmation: AuditConfirmation?
  let sandbox: AuditOutcome.Sandbox?
  let resources: AuditOutcome.Resources
  let wall_ms: Double
}

/// The content of `lost`.
struct LostRecord: Codable {
  let pid: Int
  let message: String
}

/// The content of `pruned`.
struct PrunedRecord: Codable {
  enum Cause: String, Codable {
    case age, size
  }
  let from: Int64
  let to: Int64
  /// Of the last one that was removed: the chain goes on from it.
  let hash: String
  let cause: Cause
}

/// The content of `founded`.
struct FoundedRecord: Codable {
  /// The name that an unreadable trail was given.
  let set_aside: String?
}

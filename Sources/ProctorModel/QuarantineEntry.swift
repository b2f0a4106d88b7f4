/// One entry of `proctor-quarantine.toml`: tests that may fail for a while without the run being red.
public struct QuarantineEntry: Hashable, Sendable {
  public enum Subject: Hashable, Sendable {
    case id(TestID)
    /// A regular expression, matched anywhere in full names.
    case pattern(String)
  }

  public let subject: Subject
  /// Who looks after it.
  public let owner: String
  /// Why, in the owner's words.
  public let reason: String
  /// The last day on which it counts, `2026-12-31`, UTC.
  public let expires: String

  public init(subject: Subject, owner: String, reason: String, expires: String) {
    self.subject = subject
    self.owner = owner
    self.reason = reason
    self.expires = expires
  }

  /// As the file has it.
  public var text: String {
    switch subject {
    case .id(let id): id.text
    case .pattern(let pattern): pattern
    }
  }
}

/// A failure that an entry of the quarantine file keeps out of the verdict.
public struct QuarantinedFailure: Hashable, Sendable {
  public let entry: QuarantineEntry
  /// What really happened.
  public let attempt: Attempt

  public init(entry: QuarantineEntry, attempt: Attempt) {
    self.entry = entry
    self.attempt = attempt
  }

  /// What stands in its place: the test counts as skipped, as one that is expected to fail does.
  public var standIn: Attempt {
    Attempt(
      outcome: .skipped, rawStatus: "quarantined", durationMS: attempt.durationMS,
      note:
        "it failed, and is quarantined until \(entry.expires): \(entry.reason) (\(entry.owner))",
      stdout: attempt.stdout, stderr: attempt.stderr, startedMS: attempt.startedMS,
      worker: attempt.worker)
  }
}

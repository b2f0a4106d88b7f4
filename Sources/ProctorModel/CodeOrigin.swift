/// Which code a run was of.
public struct CodeOrigin: Hashable, Sendable {
  /// What git has checked out, in hexadecimal digits; nil when that is not known.
  public var commit: String?
  /// nil when none is checked out, or it is not known.
  public var branch: String?
  /// Whether the workspace's files were those of the commit; nil when that is not known.
  public var isClean: Bool?
  /// Equal for runs on this machine between which no file of the workspace changed; nil when that was not looked at.
  public var state: String?
  /// Whether a patch was applied to a copy of it, which ran.
  public var isPatched: Bool

  public init(
    commit: String? = nil, branch: String? = nil, isClean: Bool? = nil, state: String? = nil,
    isPatched: Bool = false
  ) {
    self.commit = commit
    self.branch = branch
    self.isClean = isClean
    self.state = state
    self.isPatched = isPatched
  }

  /// The same for runs that are known to be of the same code, and only for those; nil when none could be.
  public var identity: String? {
    if isPatched { return nil }
    if let commit, isClean == true { return commit }
    return state.map { "state \($0)" }
  }
}

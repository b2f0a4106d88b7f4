extension CIEngine {
  /// The variables in which engines name the branch that a change is to be merged into.
  ///
  /// GitHub, GitLab, Buildkite, Azure (with `refs/heads/` or without), Jenkins, Bitbucket. CircleCI has none: its
  /// configuration must pass it on to `--base`.
  private static let targets = [
    "GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "BUILDKITE_PULL_REQUEST_BASE_BRANCH",
    "SYSTEM_PULLREQUEST_TARGETBRANCH", "CHANGE_TARGET", "BITBUCKET_PR_DESTINATION_BRANCH",
  ]
  /// The repository's main branch, where there is no such change: GitLab, Buildkite.
  private static let mains = ["CI_DEFAULT_BRANCH", "BUILDKITE_PIPELINE_DEFAULT_BRANCH"]

  /// The branch that what is built is to be merged into, without `refs/heads/`; nil when none is named.
  static func target(_ environment: [String: String]) -> String? {
    guard isRunning(environment) else { return nil }
    return named(targets, environment) ?? named(mains, environment)
  }

  private static func named(_ names: [String], _ environment: [String: String]) -> String? {
    let prefix = "refs/heads/"
    return names.lazy.compactMap { environment[$0] }
      .map { $0.hasPrefix(prefix) ? String($0.dropFirst(prefix.count)) : $0 }
      .first { !$0.isEmpty }
  }
}

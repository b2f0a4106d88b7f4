/// What CI engines say of themselves in the environment of what they run.
public enum CIEngine {
  /// Set by the engines themselves: GitHub, GitLab, Buildkite, CircleCI, Azure, Jenkins, TeamCity.
  private static let marks = [
    "GITHUB_ACTIONS", "GITLAB_CI", "BUILDKITE", "CIRCLECI", "TF_BUILD", "JENKINS_URL",
    "TEAMCITY_VERSION",
  ]
  /// Engines check a commit out, not a branch. GitHub's head comes first: its ref is a number for a pull request.
  private static let branches = [
    "GITHUB_HEAD_REF", "GITHUB_REF_NAME", "CI_COMMIT_REF_NAME", "BUILDKITE_BRANCH",
    "CIRCLE_BRANCH", "BUILD_SOURCEBRANCHNAME", "BRANCH_NAME", "GIT_BRANCH",
  ]

  public static func isRunning(_ environment: [String: String]) -> Bool {
    if let word = environment["CI"], !["", "0", "false"].contains(word.lowercased()) {
      return true
    }
    return marks.contains { environment[$0]?.isEmpty == false }
  }

  /// The branch that is built; nil when none is named.
  static func branch(_ environment: [String: String]) -> String? {
    guard isRunning(environment) else { return nil }
    return branches.lazy.compactMap { environment[$0] }.first { !$0.isEmpty }
  }
}

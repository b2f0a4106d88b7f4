import Testing

@testable import ProctorEngine

@Suite struct CIEngineTests {
  /// As the engines set them for a pull request or a branch.
  @Test(arguments: [
    (["GITHUB_ACTIONS": "true", "GITHUB_HEAD_REF": "fix", "GITHUB_REF_NAME": "7/merge"], "fix"),
    (["GITHUB_ACTIONS": "true", "GITHUB_HEAD_REF": "", "GITHUB_REF_NAME": "main"], "main"),
    (["GITLAB_CI": "true", "CI_COMMIT_REF_NAME": "fix"], "fix"),
    (["BUILDKITE": "true", "BUILDKITE_BRANCH": "fix"], "fix"),
    (["CIRCLECI": "true", "CIRCLE_BRANCH": "fix"], "fix"),
    (["TF_BUILD": "True", "BUILD_SOURCEBRANCHNAME": "fix"], "fix"),
    (["JENKINS_URL": "http://ci", "BRANCH_NAME": "fix"], "fix"),
    (["CI": "true"], nil),
  ])
  func `a branch is what the engine says`(environment: [String: String], branch: String?) {
    #expect(CIEngine.isRunning(environment))
    #expect(CIEngine.branch(environment) == branch)
  }

  /// Somebody's own variable names no branch.
  @Test(arguments: [[:], ["CI": ""], ["CI": "false"], ["CI": "0"], ["GITHUB_ACTIONS": ""]])
  func `where none runs there is no branch`(environment: [String: String]) {
    #expect(!CIEngine.isRunning(environment))
    #expect(CIEngine.branch(environment.merging(["BRANCH_NAME": "fix"]) { $1 }) == nil)
  }

  @Test func `of two settings of the history that holds which keeps less`() {
    var (user, workspace) = (Configuration.History(), Configuration.History())
    #expect(workspace.strictest(with: user) == Configuration.History())
    (user.maxMegabytes, workspace.maxMegabytes) = (10, 100)
    (user.isEnabled, workspace.isEnabled) = (true, false)
    workspace.keepDays = 7
    let settled = workspace.strictest(with: user)
    #expect(settled.maxMegabytes == 10 && settled.keepDays == 7 && settled.isEnabled == false)
    #expect(user.strictest(with: workspace) == settled)
  }
}

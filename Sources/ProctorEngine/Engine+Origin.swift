import FoundationEssentials
public import ProctorModel
import ProctorSandbox

extension Engine {
  /// Workspaces of which there is a history; the one that ran longest ago makes room.
  private static let mostHistories = 500

  /// The folder of this workspace's history; the one above it is there.
  public func historyFolder() throws(EngineError) -> String {
    let folder = try CacheFolder(environment: options.environment).history(of: workspace)
    if !FileSystem.exists(folder) {
      try FileSystem.makeFolder(folder.parentFolder)
      CacheFolder.makeRoom(beside: folder, most: Self.mostHistories)
    }
    return folder
  }

  /// What the workspace and the user want of its history: what keeps less holds.
  public func historySettings() throws(EngineError) -> Configuration.History {
    configuration.history.strictest(with: try UserSettings.read(options.environment).history)
  }

  /// Which code a run was of that is just over, as far as it can be told.
  ///
  /// Where files changed since it began nobody knows what each test saw: then it is of no known code.
  public func origin(of report: Report) async -> CodeOrigin {
    var origin = (try? await checkedOut()) ?? CodeOrigin()
    origin.branch = origin.branch ?? CIEngine.branch(options.environment)
    origin.isPatched = report.change != nil
    guard !origin.isPatched else {
      origin.isClean = false
      return origin
    }
    let before = report.beginning?.codeState
    if before == nil || CodeState.of(walker.tree()) != before {
      origin.isClean = nil
    } else {
      origin.state = before
    }
    return origin
  }

  /// One look at everything: the commit, the branch, and whether files of the workspace differ, new ones included.
  ///
  /// What cannot be told ends it with a status of its own: no difference and no answer must not look alike.
  private static let look = #"""
    export GIT_DIR="$1" GIT_WORK_TREE="$2"
    "$git" rev-parse --verify --quiet HEAD || exit 3
    "$git" symbolic-ref --quiet --short HEAD || echo
    "$git" -c core.fsmonitor=false status --porcelain --untracked-files=normal -- . >/tmp/status || exit 4
    head -c 1 /tmp/status | wc -c
    """#

  private func checkedOut() async throws(EngineError) -> CodeOrigin {
    let repository = try GitRepository.around(workspace)
    let cache = try CacheFolder(environment: options.environment)
    let folder = try RunFolder(in: cache)
    let git = GitTool(
      host: LocalHost(
        workspace: workspace, environment: options.environment,
        memory: "\(cache.shared)/queries"),
      backend: .automatic, scratch: folder.path)
    let isInside = repository.common.hasPrefix(workspace + "/")
    let outcome = try await git.run(
      Self.look, [repository.folder, repository.top], in: workspace, access: .readOnly,
      mounts: isInside ? [] : [.readOnly(repository.common)])
    let lines = String(decoding: outcome.stdout, as: UTF8.self)
      .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    guard let commit = lines.first, commit.count >= 40, commit.allSatisfy(\.isHexDigit) else {
      return CodeOrigin()
    }
    let branch = lines.count > 1 && !lines[1].isEmpty ? lines[1] : nil
    var isClean: Bool?
    if outcome.code == 0, lines.count > 2 {
      isClean = ["0": true, "1": false][lines[2].filter { $0 != " " }]
    }
    return CodeOrigin(commit: commit, branch: branch, isClean: isClean)
  }
}

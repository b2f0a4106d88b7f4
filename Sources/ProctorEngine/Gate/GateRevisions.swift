import FoundationEssentials
import ProctorModel
import ProctorSandbox

/// What of a repository a gate compares: two commits, of which the second is where the first one's line began.
struct GateRevisions: Sendable {
  /// Checked out, or asked for.
  let head: String
  /// The common ancestor of head and of what it is to be merged into.
  let base: String
  /// What that was found by: `origin/main`.
  let baseName: String
  /// History is missing, so that what is shown as the base may be another than in a whole clone.
  let isShallow: Bool

  /// - Parameters:
  ///   - revision: nil for what is checked out.
  ///   - base: nil for the branch that CI names, or else the remote's or this repository's main one.
  /// - Throws: `EngineError` with code `usage` when there is no such revision, or nothing that both come from.
  static func find(
    revision: String?, base: String?, in workspace: String, environment: [String: String],
    git: GitTool
  ) async throws(EngineError) -> GateRevisions {
    let repository = try GitRepository.around(workspace)
    let names = candidates(base, environment)
    let isInside = repository.common.hasPrefix(workspace + "/")
    let outcome = try await git.run(
      script, [repository.folder, revision ?? "HEAD"] + names, in: workspace, access: .readOnly,
      mounts: isInside ? [] : [.readOnly(repository.common)])
    guard let code = outcome.code else {
      throw GitTool.stopped(outcome, "looking for the base")
    }
    let lines = String(decoding: outcome.stdout, as: UTF8.self)
      .split(separator: "\n").map(String.init)
    let isShallow = lines.first == "true"
    switch code {
    case 0 where lines.count == 5:
      return GateRevisions(
        head: lines[1], base: lines[4], baseName: shown(lines[2]), isShallow: isShallow)
    case 3: throw none(revision)
    case 4: throw isShallow ? shallow("the base is not in it") : noBase(base, names)
    case 5:
      let name = lines.count > 2 ? shown(lines[2]) : "the base"
      throw isShallow
        ? shallow("where this and \(name) come from is not in it") : unrelated(name)
    default:
      let words = outcome.stderr.split(separator: "\n").first.map { ": \($0)" } ?? ""
      throw EngineError(
        .usage, "git cannot tell where the change begins\(words)",
        resolution: "See that \(repository.top) is a whole repository.")
    }
  }

  /// The first of the names that is one counts.
  private static let script = #"""
    export GIT_DIR="$1"
    "$git" rev-parse --is-shallow-repository || exit 2
    head=$("$git" rev-parse --verify --quiet --end-of-options "$2^{commit}") || exit 3
    echo "$head"
    shift 2
    for name in "$@"; do
      base=$("$git" rev-parse --verify --quiet --end-of-options "$name^{commit}") || continue
      "$git" symbolic-ref --quiet "$name" || echo "$name"
      echo "$base"
      "$git" merge-base "$head" "$base" || exit 5
      exit 0
    done
    exit 4
    """#

  private static let remote = "refs/remotes/origin/"
  private static let local = "refs/heads/"

  /// A remote's branch comes first where nobody says which is meant: the local one may be left behind.
  static func candidates(_ base: String?, _ environment: [String: String]) -> [String] {
    if let base { return [base, remote + base] }
    if let target = CIEngine.target(environment) { return [remote + target, local + target] }
    return [
      remote + "HEAD", remote + "main", remote + "master", local + "main", local + "master",
    ]
  }

  private static func shown(_ name: String) -> String {
    for (prefix, short) in [(remote, "origin/"), (local, "")] where name.hasPrefix(prefix) {
      return short + name.dropFirst(prefix.count)
    }
    return name
  }

  // MARK: complaints

  private static let unshallow =
    "Clone the whole history: fetch-depth: 0 for actions/checkout, GIT_DEPTH: 0 for GitLab, "
    + "git fetch --unshallow elsewhere."

  /// Head has nothing that base has not.
  var nothingToJudge: EngineError {
    EngineError(
      .usage,
      "there is no change to judge: head is where its line and \(baseName) part (\(base.prefix(10)))",
      resolution: "Name an older base, such as --base HEAD~1."
        + (isShallow ? " The clone is shallow. \(Self.unshallow)" : ""))
  }

  private static func none(_ revision: String?) -> EngineError {
    EngineError(
      .usage,
      revision.map { "\($0) is no revision of the repository" }
        ?? "the repository has no commit yet",
      resolution: "See git log for the names of revisions; they must be in this clone.")
  }

  private static func noBase(_ base: String?, _ names: [String]) -> EngineError {
    EngineError(
      .usage,
      base.map { "the base \($0) is no revision of the repository" }
        ?? "there is no base: none of \(names.map(shown).joined(separator: ", ")) is there",
      resolution: "Name what the change is to be merged into: --base REV. Fetch it first.")
  }

  private static func shallow(_ what: String) -> EngineError {
    EngineError(
      .usage, "the clone is shallow, and \(what)",
      resolution: unshallow)
  }

  private static func unrelated(_ name: String) -> EngineError {
    EngineError(
      .usage, "head and \(name) have no common ancestor",
      resolution: "Name what the change is to be merged into: --base REV.")
  }
}

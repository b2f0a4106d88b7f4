public import FoundationEssentials

/// An adapter that can also say whether code compiles and imports, without running tests.
public protocol CheckAdapter: Adapter {
  /// What it checks, in a word: `Python`.
  var checkedLanguage: String { get }

  /// Whether a manifest alone is worth checking, without source files.
  var needsManifest: Bool { get }

  /// What it can check in a tree; more than what has tests.
  func checkedProjects(in tree: WorkspaceTree) -> [Project]

  /// Finds what checking needs; no test runner.
  /// - Throws: `ToolProblem` when something is missing.
  func checkToolchain(
    for project: Project, workspace: String, settings: AdapterSettings, host: any Host
  ) throws(ToolProblem) -> Toolchain

  /// The commands that check, one after the other; none when this project has nothing that could be checked.
  /// - Parameter files: its source files that are asked for, relative to the workspace.
  func check(_ context: AdapterContext, files: [String]) -> [Invocation]

  /// Understands the commands that ran: all of them, or up to the first one that was stopped.
  func readCheck(
    _ context: AdapterContext, files: [String], _ finished: [FinishedCheck]
  ) -> CheckFindings

  /// What a command that was stopped was busy with; nil when it did not say.
  func lastPlace(_ stopped: FinishedCheck, _ context: AdapterContext) -> String?
}

extension CheckAdapter {
  public var needsManifest: Bool { true }
  public func lastPlace(_ stopped: FinishedCheck, _ context: AdapterContext) -> String? { nil }
  public func checkedProjects(in tree: WorkspaceTree) -> [Project] { detect(in: tree) }

  public func checkToolchain(
    for project: Project, workspace: String, settings: AdapterSettings, host: any Host
  ) throws(ToolProblem) -> Toolchain {
    try toolchain(for: project, workspace: workspace, settings: settings, host: host)
  }

  /// The projects with tests, and one more for source files outside of them.
  public func projectsWithLooseFiles(in tree: WorkspaceTree) -> [Project] {
    let found = detect(in: tree)
    let loose = tree.files.first { file in
      sourceExtensions.contains { file.hasSuffix(".\($0)") }
        && !found.contains { $0.root == "." || file.hasPrefix($0.root + "/") }
    }
    guard let loose else { return found }
    return [
      Project(
        adapter: id, root: ".", evidence: "source files such as \(loose)",
        excluded: found.map(\.root))
    ] + found
  }
}

/// A command of a check that ran to its end.
public struct FinishedCheck: Sendable {
  public let command: FinishedInvocation
  /// What proctor's guest code said, record by record.
  public let records: [Data]

  public init(command: FinishedInvocation, records: [Data]) {
    self.command = command
    self.records = records
  }
}

/// What checking one project found.
public struct CheckFindings: Sendable {
  public var diagnostics: [Diagnostic]
  /// What was really checked, in words of the language: `files`, `targets`, `builds`.
  public let unit: String
  public var checked: Int
  public var coverage: Coverage
  /// Why the findings are no verdict; nil when they are one.
  public var problem: Problem?

  /// Which source files were looked at.
  public enum Coverage: Sendable {
    /// Those that were asked for, each by itself.
    case asked
    /// Those that the project's targets are made of, relative to the workspace.
    case files(Set<String>)
    /// The tool does not say.
    case unknown
  }

  public struct Problem: Sendable {
    public let reason: Verdict.Reason
    /// A sentence.
    public let message: String

    public init(_ reason: Verdict.Reason, _ message: String) {
      self.reason = reason
      self.message = message
    }
  }

  public init(
    _ diagnostics: [Diagnostic], checked: Int, unit: String = "files",
    coverage: Coverage = .asked, problem: Problem? = nil
  ) {
    self.diagnostics = diagnostics
    self.checked = checked
    self.unit = unit
    self.coverage = coverage
    self.problem = problem
  }
}

import FoundationEssentials
public import ProctorModel
import TOMLKit

/// Python files, by the project's own interpreter: compiled, their imports looked for, and really imported.
extension PytestAdapter: CheckAdapter {
  public var checkedLanguage: String { "Python" }
  public var needsManifest: Bool { false }

  public func checkedProjects(in tree: WorkspaceTree) -> [Project] {
    projectsWithLooseFiles(in: tree)
  }

  public func checkToolchain(
    for project: Project, workspace: String, settings: AdapterSettings, host: any Host
  ) throws(ToolProblem) -> Toolchain {
    try PythonToolchain(
      project: project, workspace: workspace, settings: settings, host: host, needs: nil
    ).find()
  }

  private struct Request: Encodable {
    let root: String
    let files: [String]
    let paths: [String]
    let seconds: Double?
  }

  public func check(_ context: AdapterContext, files: [String]) -> [Invocation] {
    let root = context.projectDirectory
    let request = Request(
      root: root, files: files.map { "\(context.workspace)/\($0)" }, paths: paths(context),
      seconds: context.testSeconds)
    let bytecode = PytestAdapter.bytecodeFolder(context)
    return [
      Invocation(
        purpose: .run, title: "compiling and importing",
        argv: [
          context.toolchain.main, "-X", "utf8",
          "\(Invocation.filesPlaceholder)/proctor_check.py",
        ],
        environment: [
          "PROCTOR_CHANNEL": Invocation.channelPlaceholder,
          "PROCTOR_NONCE": Invocation.noncePlaceholder,
          "PROCTOR_REQUEST": "\(Invocation.filesPlaceholder)/request.json",
          "PYTHONPYCACHEPREFIX": bytecode,
        ], directory: root, channel: .frames, mounts: [.writable(bytecode)],
        files: [
          "proctor_check.py": Data(PackageResources.proctor_check_py),
          "request.json": (try? JSONEncoder().encode(request)) ?? Data(),
        ])
    ]
  }

  /// Where the project's own modules are looked for: its folder, `src`, and what pytest is told.
  private func paths(_ context: AdapterContext) -> [String] {
    let root = context.projectDirectory
    func text(_ name: String) -> String? {
      FileManager.default.contents(atPath: context.readable("\(root)/\(name)"))
        .map { String(decoding: $0, as: UTF8.self) }
    }
    let options = (try? TOMLTable(string: text("pyproject.toml") ?? ""))?["tool"]?.table?["pytest"]?
      .table
    let value = options?["ini_options"]?.table?["pythonpath"] ?? options?["pythonpath"]
    var named =
      value?.array.map { $0.compactMap(\.string) }
      ?? value?.string.map { $0.split(separator: " ").map(String.init) } ?? []
    for name in ["pytest.ini", ".pytest.ini", "tox.ini", "setup.cfg"] {
      let line = text(name)?.split(separator: "\n").first { $0.hasPrefix("pythonpath") }
      let words = line?.split(separator: "=", maxSplits: 1).dropFirst().first
      named += words?.split(whereSeparator: \.isWhitespace).map(String.init) ?? []
    }
    return [root] + (["src"] + named).map { $0 == "." ? root : "\(root)/\($0)" }
  }

  public func readCheck(
    _ context: AdapterContext, files: [String], _ finished: [FinishedCheck]
  ) -> CheckFindings { CheckRecords(context: context, finished: finished).findings() }

  public func lastPlace(_ stopped: FinishedCheck, _ context: AdapterContext) -> String? {
    CheckRecords.lastFile(of: stopped).map { context.display($0) }
  }
}

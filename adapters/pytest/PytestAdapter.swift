import FoundationEssentials
public import ProctorModel

/// pytest, also for unittest-style tests.
public struct PytestAdapter: Adapter {
  public let id = AdapterID(rawValue: "pytest")
  public let listsWhileRunning = true
  public let sourceExtensions = ["py"]
  public let environmentAllowList = [
    "PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD", "PYTHONHASHSEED",
    "PYTHONWARNINGS", "PYTHONUTF8", "PYTHONDEVMODE", "PYTHONASYNCIODEBUG", "DJANGO_SETTINGS_MODULE",
  ]

  private static let plugin = "proctor_pytest"

  public init() {}

  public func detect(in tree: WorkspaceTree) -> [Project] { PytestDetection(tree: tree).projects() }

  public func toolchain(
    for project: Project, workspace: String, settings: AdapterSettings, host: any Host
  ) throws(ToolProblem) -> Toolchain {
    try PythonToolchain(project: project, workspace: workspace, settings: settings, host: host)
      .find()
  }

  public func list(
    _ context: AdapterContext, _ build: Build, scope: Scope, isComplete: Bool
  ) -> [Invocation] {
    var paths: [String] = []
    if case .path(let path) = scope { paths = ["\(context.workspace)/\(path)"] }
    return [invocation(.list, context, arguments: ["--collect-only", "-q"] + paths)]
  }

  public func run(
    _ context: AdapterContext, _ build: Build, selection: Selection, mode: RunMode
  ) -> [Invocation] {
    guard case .cases(let cases) = selection else { return [invocation(.run, context)] }
    let how: [String] =
      switch mode {
      case .normal, .ordered: []
      // Several at once means that pytest-xdist is there.
      case .serial: ["-n0"]
      case .alone: ["-s"]
      }
    let chosen = cases.map { test in
      // The occurrence of a duplicate is what its id ends with.
      let suffix = test.id.text.dropFirst(
        TestID(project: test.project, fullName: test.fullName).text.count)
      return Chosen(id: test.nativeID, occurrence: Int(suffix.dropFirst()) ?? 1)
    }
    var files: [String] = []
    for file in cases.compactMap(\.file) where files.last != file {
      if !files.contains(file) { files.append(file) }
    }
    let selection = (try? JSONEncoder().encode(chosen)) ?? Data("[]".utf8)
    return [
      invocation(
        .run, context,
        arguments: how + files.map { $0.hasPrefix("/") ? $0 : "\(context.workspace)/\($0)" },
        files: ["selection.json": selection], cases: cases,
        environment: [
          "PROCTOR_SELECTION": "\(Invocation.filesPlaceholder)/selection.json"
        ].merging(Self.environment(mode)) { $1 })
    ]
  }

  private static func environment(_ mode: RunMode) -> [String: String] {
    switch mode {
    case .alone: ["PYTHONUNBUFFERED": "1"]
    case .ordered: ["PROCTOR_ORDERED": "1"]
    case .normal, .serial: [:]
    }
  }

  public func shellCommand(running cases: [TestCase]) -> String? {
    let ids = cases.map { "'\($0.nativeID.replacing("'", with: "'\\''"))'" }
    return "python -m pytest \(ids.joined(separator: " "))"
  }

  public func arranged(_ cases: [TestCase]) -> [TestCase]? { cases }

  public func touchesTests(_ file: ChangedFile) -> Bool {
    switch file.name {
    case "conftest.py", "pytest.ini", ".pytest.ini": true
    case "pyproject.toml": file.differs { ChangedFile.lines(of: $0, from: ["[tool.pytest"]) }
    case "setup.cfg": file.differs { ChangedFile.lines(of: $0, from: ["[tool:pytest]"]) }
    case "tox.ini": file.differs { ChangedFile.lines(of: $0, from: ["[pytest]"]) }
    default: file.isNamedAsTest
    }
  }

  private struct Chosen: Encodable {
    let id: String
    let occurrence: Int

    func encode(to encoder: any Encoder) throws {
      var container = encoder.unkeyedContainer()
      try container.encode(id)
      try container.encode(occurrence)
    }
  }

  public func bytecodeFolder(_ context: AdapterContext) -> String? { Self.bytecodeFolder(context) }

  static func bytecodeFolder(_ context: AdapterContext) -> String { "\(context.cache)/bytecode" }

  public func build(_ context: AdapterContext) -> [Invocation] { guest(context).installation }

  private static let pluginFiles = GuestFiles([
    "\(Self.plugin).py": PackageResources.proctor_pytest_py
  ])

  private func guest(_ context: AdapterContext) -> GuestFolder {
    GuestFolder(
      context: context, name: "pytest",
      files: Self.pluginFiles)
  }

  private func invocation(
    _ purpose: Invocation.Purpose, _ context: AdapterContext, arguments: [String] = [],
    files: [String: Data] = [:], cases: [TestCase]? = nil, environment: [String: String] = [:]
  ) -> Invocation {
    let inherited = context.toolchain.environment["PYTHONPATH"].map { ":" + $0 } ?? ""
    let bytecode = Self.bytecodeFolder(context)
    return Invocation(
      purpose: purpose, title: purpose == .list ? "collecting" : "running tests",
      argv: [
        context.toolchain.main, "-m", "pytest", "-p", Self.plugin,
        // Every listed test is to have a result, whatever the project stops at by itself.
        "--continue-on-collection-errors", "--maxfail=0",
      ]
        + context.project.excluded.map { "--ignore=\(context.workspace)/\($0)" }
        + context.settings.arguments + arguments,
      environment: [
        "PYTHONPATH": guest(context).folder + inherited,
        "PYTHONPYCACHEPREFIX": bytecode,
        "PROCTOR_CHANNEL": Invocation.channelPlaceholder,
        "PROCTOR_NONCE": Invocation.noncePlaceholder,
      ].merging(environment) { $1 },
      directory: context.projectDirectory, channel: .frames,
      mounts: [.writable(bytecode), .readOnly(guest(context).folder)], files: files,
      cases: cases)
  }

  public func decoder(
    for invocation: Invocation, _ context: AdapterContext, _ build: Build
  ) -> any EventDecoder {
    PytestDecoder(context: context)
  }

  /// What faulthandler prints at a fatal signal: a block for each thread, `File "x.py", line 3 in f`,
  /// innermost first. The block that comes through the test's own file is the one.
  public func frames(in output: String, of test: TestCase, _ context: AdapterContext) -> [Frame] {
    var blocks: [[Frame]] = []
    for line in output.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasSuffix("(most recent call first):") {
        blocks.append([])
      } else if line.hasPrefix("  File \""), !blocks.isEmpty {
        let parts = line.dropFirst(8).split(separator: "\"", maxSplits: 1)
        guard parts.count == 2, let mark = parts[1].firstRange(of: ", line ") else { continue }
        let rest = parts[1][mark.upperBound...]
        let function = rest.firstRange(of: " in ").map { String(rest[$0.upperBound...]) }
        blocks[blocks.count - 1].append(
          Frame(
            function: function, file: context.display(String(parts[0])),
            line: Int(rest.prefix { $0.isNumber })))
      }
    }
    let own = blocks.first { block in block.contains { $0.file == test.file } } ?? blocks.last ?? []
    return own.filter { context.isUserCode($0.file) }
  }

  public func exitAgrees(
    _ status: ExitStatus, failed: Bool, ran: Bool, of invocation: Invocation
  ) -> Bool {
    switch status {
    case .exited(0): !failed && ran
    case .exited(1), .exited(2): failed
    case .exited(4): failed && !ran
    case .exited(5): !ran
    case .exited, .signaled: false
    }
  }
}

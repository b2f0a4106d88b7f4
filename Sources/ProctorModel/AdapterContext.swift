/// What the engine tells an adapter about one project of one run.
public struct AdapterContext: Sendable {
  /// Absolute, symbolic links resolved, no trailing slash. The same path inside every sandbox.
  public let workspace: String
  /// Where the workspace's files are outside of sandboxes, absolute: another folder for a changed copy, which
  /// stands in the workspace's place inside.
  public let files: String
  public let project: Project
  public let settings: AdapterSettings
  public let toolchain: Toolchain
  /// The project's own cache folder, absolute, kept from run to run. Mount it to use it.
  public let cache: String
  /// A cache folder shared by all workspaces, for compiled guest code; name files in it by content.
  public let sharedCache: String
  /// Whether this run may download dependencies (`--fetch`).
  public let mayFetch: Bool
  /// Whether invocations are walled in; bare ones see the user's own folders and no mounts.
  public let isIsolated: Bool
  /// Wall-clock seconds that each test has; nil for no limit of its own.
  public let testSeconds: Double?
  /// What the runner's commands see of the environment that proctor was started in.
  public let hostEnvironment: [String: String]

  public init(
    workspace: String, files: String? = nil, project: Project, settings: AdapterSettings,
    toolchain: Toolchain,
    cache: String, sharedCache: String, mayFetch: Bool, isIsolated: Bool,
    testSeconds: Double? = nil, hostEnvironment: [String: String] = [:]
  ) {
    self.workspace = workspace
    self.files = files ?? workspace
    self.project = project
    self.settings = settings
    self.toolchain = toolchain
    self.cache = cache
    self.sharedCache = sharedCache
    self.mayFetch = mayFetch
    self.isIsolated = isIsolated
    self.testSeconds = testSeconds
    self.hostEnvironment = hostEnvironment
  }

  /// Where proctor's own code inside runners is kept, absolute. What tools of the workspace have a hand in is for
  /// this project alone.
  public var guestFolder: String {
    let isForeign = toolchain.tools.values.contains { $0.hasPrefix(workspace + "/") }
    return "\(isForeign || toolchain.main.hasPrefix(workspace + "/") ? cache : sharedCache)/guest"
  }

  /// The project's folder, absolute.
  public var projectDirectory: String {
    project.directory(in: workspace)
  }

  /// Where a file of the workspace can be read by proctor itself; other paths as they are.
  /// - Parameter path: absolute.
  public func readable(_ path: String) -> String {
    path == workspace || path.hasPrefix(workspace + "/")
      ? files + path.dropFirst(workspace.count) : path
  }

  /// A path as users see it: relative to the workspace when inside it, otherwise as given,
  /// made absolute against `base` (the project's folder by default) and freed of `.` and `..`.
  public func display(_ path: String, relativeTo base: String? = nil) -> String {
    let absolute = path.hasPrefix("/") ? path : "\(base ?? projectDirectory)/\(path)"
    let normal = Self.normalize(absolute)
    return normal.hasPrefix(workspace + "/")
      ? String(normal.dropFirst(workspace.count + 1)) : normal
  }

  /// Whether a path (absolute, or relative to the workspace) is the user's own code: inside the
  /// workspace and not in a dependency or environment folder.
  public func isUserCode(_ path: String) -> Bool {
    let shown = display(path, relativeTo: workspace)
    guard !shown.hasPrefix("/") else { return false }
    return !shown.split(separator: "/").contains { Self.foreignFolders.contains(String($0)) }
  }

  private static let foreignFolders: Set<String> = [
    "node_modules", "site-packages", "dist-packages", ".build", "target", ".venv", "venv", ".tox",
    ".nox",
  ]

  private static func normalize(_ path: String) -> String {
    var parts: [Substring] = []
    for part in path.split(separator: "/") where part != "." {
      if part == ".." { _ = parts.popLast() } else { parts.append(part) }
    }
    return "/" + parts.joined(separator: "/")
  }
}

/// What `proctor.toml` says for one adapter, `[tests.<adapter>]`.
public struct AdapterSettings: Sendable, Hashable {
  /// nil: as the adapter is by default.
  public var enabled: Bool?
  /// Only the project at this folder, relative to the workspace, taken as a project unseen.
  public var root: String?
  /// The interpreter or runner to use instead of the one found: python, node, cargo or swift.
  public var interpreter: String?
  /// Appended to the runner's command line.
  public var arguments: [String] = []
  public var environment: [String: String] = [:]

  public init() {}

  /// The program that `interpreter` names: a path, relative to the project's folder when it is not
  /// absolute, or a name on PATH; nil when none is named.
  /// - Parameter directory: the project's folder, absolute.
  /// - Throws: `ToolProblem` when it is not there.
  public func namedInterpreter(
    of adapter: AdapterID, in directory: String, _ host: any Host
  ) throws(ToolProblem) -> String? {
    guard let interpreter else { return nil }
    let path =
      if interpreter.hasPrefix("/") { interpreter } else if interpreter.contains("/") {
        "\(directory)/\(interpreter)"
      } else { host.executable(named: interpreter) ?? interpreter }
    guard path.hasPrefix("/"), host.isExecutable(path) else {
      throw ToolProblem(
        message: "the interpreter \(interpreter) of [tests.\(adapter)] is not there",
        resolution: "Correct interpreter in proctor.toml, or remove it.")
    }
    return path
  }
}

/// The tools an adapter found for a project.
public struct Toolchain: Sendable, Hashable {
  /// Absolute paths by role: `cargo`, `python`, `node`, `jest`, `swift`.
  public let tools: [String: String]
  /// The one to show when a single tool is asked for.
  public let main: String
  /// The version text of the main tool; nil when it could not be read cheaply.
  public let version: String?
  /// Host folders and files that the tools need, besides the system's own.
  public let reads: [String]
  /// Folders to put before the system's on PATH.
  public let path: [String]
  public let environment: [String: String]

  public init(
    main: String, tools: [String: String] = [:], version: String? = nil, reads: [String] = [],
    path: [String] = [],
    environment: [String: String] = [:]
  ) {
    self.main = main
    self.tools = tools
    self.version = version
    self.reads = reads
    self.path = path
    self.environment = environment
  }

  /// The same with one more tool.
  public func adding(_ role: String, _ path: String) -> Toolchain {
    Toolchain(
      main: main, tools: tools.merging([role: path]) { $1 }, version: version, reads: reads,
      path: self.path, environment: environment)
  }
}

/// A tool that is not there.
public struct ToolProblem: Error, Hashable, Sendable {
  public let message: String
  /// What the user can do: the package that brings it, the setting that names it.
  public let resolution: String

  public init(message: String, resolution: String) {
    self.message = message
    self.resolution = resolution
  }
}

/// The machine, as far as finding tools needs it.
public protocol Host: Sendable {
  var environment: [String: String] { get }
  /// The first executable of this name on PATH, absolute, symbolic links kept.
  func executable(named name: String) -> String?
  func isExecutable(_ path: String) -> Bool
  func exists(_ path: String) -> Bool
  /// Symbolic links resolved; nil if it does not exist.
  func realPath(_ path: String) -> String?
  func read(_ path: String) -> String?
  /// Names in a folder, sorted; empty if there is none.
  func names(in folder: String) -> [String]
  /// Runs one of the machine's own tools (never a file of the workspace) outside the sandbox for at
  /// most 10 seconds and returns its stdout; nil when it fails. Answers are remembered between runs
  /// while the tool's file and the `watching` files are unchanged.
  func query(
    _ argv: [String], directory: String, environment: [String: String], watching: [String]
  ) -> String?
}

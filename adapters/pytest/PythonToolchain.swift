import ProctorModel

/// Finds the interpreter that has a project's packages, the project's own first.
///
/// An interpreter inside the workspace is never started outside the sandbox: what is needed about it
/// is read from its `pyvenv.cfg`.
struct PythonToolchain {
  let project: Project
  let workspace: String
  let settings: AdapterSettings
  let host: any Host
  /// What must be importable; nil for nothing.
  var needs: Package? = .pytest

  /// A package, and what installs it.
  struct Package {
    let module: String
    let name: String
    /// Debian's package; nil when it has none.
    var system: String?

    static let pytest = Package(module: "pytest", name: "pytest", system: "python3-pytest")
    static let restricted = Package(module: "RestrictedPython", name: "RestrictedPython")
    static let quickjs = Package(module: "_quickjs", name: "quickjs-ng")
  }

  private var directory: String { project.directory(in: workspace) }

  func find() throws(ToolProblem) -> Toolchain {
    if let named = try settings.namedInterpreter(of: project.adapter, in: directory, host) {
      return try toolchain(named)
    }
    if let environment = environments().first(where: { host.isExecutable("\($0)/bin/python") }) {
      return try toolchain("\(environment)/bin/python")
    }
    guard let python = host.executable(named: "python3") ?? host.executable(named: "python") else {
      throw ToolProblem(
        message: "no Python interpreter was found",
        resolution:
          "Install one (apt install python3 \(needs?.system ?? "python3-venv")), or name it in "
          + "proctor.toml: [tests.pytest] interpreter.")
    }
    return try toolchain(python)
  }

  /// Virtual environments that may be meant, in the order of preference.
  private func environments() -> [String] {
    var result: [String] = []
    var folder = directory
    while folder == workspace || folder.hasPrefix(workspace + "/") {
      result += [".venv", "venv", "env"].map { "\(folder)/\($0)" }
      folder = folder.parentFolder
    }
    result += [host.environment["UV_PROJECT_ENVIRONMENT"], host.environment["VIRTUAL_ENV"]]
      .compactMap { $0 }.map { $0.hasPrefix("/") ? $0 : "\(directory)/\($0)" }
    return (result + poetryEnvironments()).filter { host.exists("\($0)/pyvenv.cfg") }
  }

  /// Poetry keeps environments as NAME-HASH-pyVERSION in its own cache.
  private func poetryEnvironments() -> [String] {
    guard let manifest = host.read("\(directory)/pyproject.toml"),
      manifest.contains("[tool.poetry"),
      let name = manifest.split(separator: "\n").first(where: { $0.hasPrefix("name") })?
        .split(separator: "\"").dropFirst().first,
      let home = host.environment["HOME"]
    else { return [] }
    let folder =
      host.environment["POETRY_VIRTUALENVS_PATH"] ?? "\(home)/.cache/pypoetry/virtualenvs"
    return host.names(in: folder).filter { $0.hasPrefix("\(name)-") }.map { "\(folder)/\($0)" }
  }

  private func toolchain(_ python: String) throws(ToolProblem) -> Toolchain {
    let environment = python.parentFolder.parentFolder
    if let configuration = host.read("\(environment)/pyvenv.cfg") {
      return try virtual(python, environment, configuration)
    }
    return try plain(python)
  }

  private func virtual(
    _ python: String, _ environment: String, _ configuration: String
  ) throws(ToolProblem) -> Toolchain {
    var values: [String: String] = [:]
    for line in configuration.split(whereSeparator: \.isNewline) {
      let pair = line.split(separator: "=", maxSplits: 1).map { $0.filter { $0 != " " } }
      if pair.count == 2 { values[pair[0]] = pair[1] }
    }
    let hasSystemPackages = values["include-system-site-packages"] == "true"
    let libraries = host.names(in: "\(environment)/lib").filter { $0.hasPrefix("python") }
      .map { "\(environment)/lib/\($0)/site-packages" }
    if !hasSystemPackages, !libraries.isEmpty, !libraries.contains(where: hasPackage) {
      throw missing(python)
    }
    var reads = [environment, host.realPath(environment)].compactMap { $0 }
    // The file may come with the workspace: only a folder that really holds interpreters is believed.
    if let home = values["home"], host.isExecutable("\(home)/python3") {
      reads += [home.parentFolder]
    }
    if let real = host.realPath(python) { reads.append(real.parentFolder.parentFolder) }
    return Toolchain(
      main: python, tools: ["python": python],
      version: values["version"] ?? values["version_info"],
      reads: reads.filter { !Self.isSystem($0) }, path: [python.parentFolder],
      environment: inherited.merging(["VIRTUAL_ENV": environment]) { $1 })
  }

  /// Outside virtual environments the interpreter itself is asked, in isolated mode, so that nothing
  /// of the workspace is imported.
  private func plain(_ python: String) throws(ToolProblem) -> Toolchain {
    let script =
      "import sys; print(sys.executable, sys.prefix, sys.base_prefix, sys.version.split()[0], *sys.path, sep='\\n')"
    let answer = host.query(
      [python, "-I", "-c", script], directory: directory, environment: [:],
      watching: ["\(directory)/.python-version", "\(workspace)/.python-version"])
    if python.hasPrefix(workspace + "/") {
      throw ToolProblem(
        message: "the interpreter \(python) is inside the workspace and is no virtual environment",
        resolution: "Name one outside it, or a virtual environment, in proctor.toml: "
          + "[tests.pytest] interpreter.")
    }
    guard let lines = answer?.split(separator: "\n").map(String.init), lines.count > 4 else {
      throw ToolProblem(
        message: "the Python interpreter \(python) does not start",
        resolution: "Repair it, or name another one in proctor.toml: [tests.pytest] interpreter.")
    }
    let version = lines[3]
    let minor = version.split(separator: ".").prefix(2).joined(separator: ".")
    let userBase =
      host.environment["PYTHONUSERBASE"] ?? host.environment["HOME"].map { "\($0)/.local" }
    let userPackages = userBase.map { "\($0)/lib/python\(minor)/site-packages" }
      .flatMap { host.exists($0) ? $0 : nil }
    let libraries = lines[4...] + [userPackages].compactMap { $0 } + inheritedPaths
    guard libraries.contains(where: hasPackage) else { throw missing(lines[0]) }
    var environment = inherited
    if userPackages != nil, let userBase { environment["PYTHONUSERBASE"] = userBase }
    let reads =
      [lines[1], lines[2]] + lines[4...].filter { host.exists($0) }
      + [userPackages].compactMap { $0 }
    return Toolchain(
      main: lines[0], tools: ["python": lines[0]], version: version,
      reads: Array(Set((reads + inheritedPaths).filter { !Self.isSystem($0) })).sorted(),
      path: Self.isSystem(lines[0]) ? [] : [lines[0].parentFolder], environment: environment)
  }

  /// The user's own PYTHONPATH, as far as it exists.
  private var inheritedPaths: [String] {
    (host.environment["PYTHONPATH"] ?? "").split(separator: ":").map(String.init)
      .filter { $0.hasPrefix("/") && host.exists($0) }
  }

  private var inherited: [String: String] {
    inheritedPaths.isEmpty ? [:] : ["PYTHONPATH": inheritedPaths.joined(separator: ":")]
  }

  private func hasPackage(_ folder: String) -> Bool {
    guard let module = needs?.module else { return true }
    return host.exists("\(folder)/\(module)/__init__.py") || host.exists("\(folder)/\(module).py")
      || host.names(in: folder).contains { $0.hasPrefix("\(module).") && $0.hasSuffix(".so") }
  }

  private func missing(_ python: String) -> ToolProblem {
    let name = needs?.name ?? ""
    let system = needs?.system.map { " (or apt install \($0))" } ?? ""
    return ToolProblem(
      message: "\(name) is not installed for \(python)",
      resolution: "Install it: \(python) -m pip install \(name)\(system).")
  }

  private static func isSystem(_ path: String) -> Bool { path == "/usr" || path.hasPrefix("/usr/") }
}

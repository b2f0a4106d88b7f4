import FoundationEssentials
import Glibc
import ProctorModel

/// Finds node, and the folders outside the workspace that hold a project's packages.
struct NodeToolchain {
  let project: Project
  let workspace: String
  let settings: AdapterSettings
  let host: any Host

  private var directory: String { project.directory(in: workspace) }

  func find() throws(ToolProblem) -> Toolchain {
    let named = try settings.namedInterpreter(of: project.adapter, in: directory, host)
    guard let found = named ?? host.executable(named: "node") else {
      throw ToolProblem(
        message: "node is not installed",
        resolution: "Install it: nodejs.org, or apt install nodejs.")
    }
    // Version managers put scripts before the real program.
    let answer = host.query(
      [found, "-p", "process.execPath + ' ' + process.version"], directory: "/", environment: [:],
      watching: [])
    let words = (answer ?? "").split(whereSeparator: \.isWhitespace).map(String.init)
    let node = words.first ?? found
    let root = node.parentFolder.parentFolder
    var tools = ["node": node]
    if let jest = host.executable(named: "jest").flatMap(host.realPath) { tools["jest"] = jest }
    if let npm = host.executable(named: "npm") { tools["npm"] = npm }
    return Toolchain(
      main: node, tools: tools, version: words.dropFirst().first,
      reads: (root.hasPrefix("/usr") ? [] : [root]) + outerModules + jestFolder(tools["jest"]),
      path: root.hasPrefix("/usr") ? [] : ["\(root)/bin"])
  }

  /// node looks for packages in every folder up to the root.
  private var outerModules: [String] {
    var result: [String] = []
    var folder = workspace
    while folder.count > 1 {
      folder = folder.parentFolder
      let modules = "\(folder)/node_modules"
      if host.exists(modules) {
        result += [modules, host.realPath(modules)].compactMap { $0 }
          .filter { $0.hasSuffix("/node_modules") }
      }
    }
    // A folder of the workspace may itself be a link to one outside.
    let own = "\(directory)/node_modules"
    if let real = host.realPath(own), real != own, real.hasSuffix("/node_modules") {
      result.append(real)
    }
    return result
  }

  private func jestFolder(_ jest: String?) -> [String] {
    guard let jest, let end = jest.firstRange(of: "/node_modules/") else { return [] }
    return [String(jest[..<end.upperBound].dropLast())].filter { !$0.hasPrefix("/usr") }
  }
}

/// Where a project's jest is.
enum JestInstallation {
  /// The script to give to node: the nearest one upward from the project, then the machine's own.
  static func find(_ context: AdapterContext) -> String? {
    var folder = context.projectDirectory
    while folder.count > 1 {
      let modules = "\(folder)/node_modules"
      let launcher = "\(modules)/.bin/jest"
      if isScript(launcher) { return launcher }
      let plain = "\(modules)/jest/bin/jest.js"
      if access(plain, R_OK) == 0 { return plain }
      folder = folder.parentFolder
    }
    return context.toolchain.tools["jest"]
  }

  /// Some package managers write shell scripts, which node cannot run.
  private static func isScript(_ path: String) -> Bool {
    guard let file = fopen(path, "r") else { return false }
    defer { fclose(file) }
    var buffer = [UInt8](repeating: 0, count: 64)
    let count = fread(&buffer, 1, buffer.count, file)
    return String(decoding: buffer[..<count], as: UTF8.self).split(separator: "\n").first?.contains(
      "node") == true
  }

  /// What installs exactly what the lock file says, without running the packages' own scripts.
  static func installCommand(_ context: AdapterContext) -> [String] {
    func has(_ name: String) -> Bool { access("\(context.projectDirectory)/\(name)", F_OK) == 0 }
    if has("pnpm-lock.yaml") {
      return ["pnpm", "install", "--frozen-lockfile", "--ignore-scripts"]
    }
    if has("yarn.lock") { return ["yarn", "install", "--frozen-lockfile", "--ignore-scripts"] }
    let npm = context.toolchain.tools["npm"] ?? "npm"
    return [
      npm, has("package-lock.json") ? "ci" : "install", "--ignore-scripts", "--no-audit",
      "--no-fund",
    ]
  }
}

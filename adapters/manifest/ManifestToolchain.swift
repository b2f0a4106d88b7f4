import ProctorModel

/// Finds the program of a described runner: the project's own first, then the machine's.
struct ManifestToolchain {
  let manifest: AdapterManifest
  let project: Project
  let workspace: String
  let settings: AdapterSettings
  let host: any Host

  private var directory: String { project.directory(in: workspace) }

  func find() throws(ToolProblem) -> Toolchain {
    let tool = manifest.tool
    if let named = try settings.namedInterpreter(of: project.adapter, in: directory, host) {
      return toolchain(named, isOfMachine: false)
    }
    if let own = candidate() { return toolchain(own, isOfMachine: false) }
    guard var path = host.executable(named: tool.program) else {
      throw ToolProblem(
        message: "\(tool.program) is not installed", resolution: "Install it: \(tool.install).")
    }
    var reads: [String] = []
    if let resolve = tool.resolve {
      let answer = host.query([path] + resolve, directory: "/", environment: [:], watching: [])
      let lines = (answer ?? "").split(separator: "\n").map(String.init)
      if let real = lines.first, host.isExecutable(real) { path = real }
      reads = lines.dropFirst().filter { host.exists($0) && $0 != "/usr" }
    }
    return toolchain(path, isOfMachine: true, reads)
  }

  /// In the project's folder or one above it, up to the root: that is how node looks for packages.
  private func candidate() -> String? {
    for candidate in manifest.tool.candidates ?? [] {
      var folder = directory
      while !folder.isEmpty {
        let path = "\(folder)/\(candidate)"
        if host.isExecutable(path) { return path }
        folder = folder.parentFolder
      }
    }
    return nil
  }

  private func toolchain(
    _ path: String, isOfMachine: Bool, _ needed: [String] = []
  ) -> Toolchain {
    var version: String?
    if isOfMachine, let arguments = manifest.tool.version {
      let words = host.query([path] + arguments, directory: "/", environment: [:], watching: [])
      version = words?.split { !($0.isNumber || $0 == "." || $0 == "-" || $0.isLetter) }
        .first { $0.first?.isNumber == true || $0.hasPrefix("go1") }.map(String.init)
    }
    let home = host.environment["HOME"] ?? "/"
    var reads =
      (manifest.tool.reads ?? [])
      .map { $0.hasPrefix("~/") ? home + $0.dropFirst() : $0 }.filter(host.exists) + needed
    let real = host.realPath(path) ?? path
    for place in [path, real] where !place.hasPrefix("/usr/") && !place.hasPrefix(workspace + "/") {
      reads.append(Self.surroundings(of: place, home))
    }
    return Toolchain(
      main: path, tools: ["home": home], version: version, reads: Array(Set(reads)).sorted(),
      path: path.hasPrefix("/usr/") ? [] : [path.parentFolder])
  }

  /// What a tool outside the system's folders needs: the packages around it, or its installation.
  private static func surroundings(of path: String, _ home: String) -> String {
    if let range = path.firstRange(of: "/node_modules/") {
      return String(path[..<range.upperBound].dropLast())
    }
    let folder = path.parentFolder
    // `~/bin` is a folder of loose programs, not an installation.
    return folder.hasSuffix("/bin") && folder.parentFolder != home ? folder.parentFolder : folder
  }
}

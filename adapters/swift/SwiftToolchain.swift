import FoundationEssentials
import ProctorModel

/// Finds the Swift toolchain on PATH.
struct SwiftToolchain {
  let project: Project
  let workspace: String
  let settings: AdapterSettings
  let host: any Host

  private var directory: String { project.directory(in: workspace) }

  private struct TargetInfo: Decodable {
    struct Paths: Decodable {
      let runtimeResourcePath: String
    }

    let compilerVersion: String
    let paths: Paths
  }

  func find() throws(ToolProblem) -> Toolchain {
    let named = try settings.namedInterpreter(of: project.adapter, in: directory, host)
    guard let swift = named ?? host.executable(named: "swift") else {
      throw ToolProblem(
        message: "no Swift toolchain was found",
        resolution: "Install one: swift.org/install/linux, and put its bin folder on PATH.")
    }
    let answer = host.query(
      [swift, "-print-target-info"], directory: "/", environment: [:], watching: [])
    guard let answer, let info = try? JSONDecoder().decode(TargetInfo.self, from: Data(answer.utf8))
    else {
      throw ToolProblem(
        message: "\(swift) does not answer",
        resolution: "Repair the toolchain: swift --version must work.")
    }
    // .../usr/lib/swift -> .../usr; proxies such as swiftly's are left behind that way.
    let root = info.paths.runtimeResourcePath.parentFolder.parentFolder
    let isSystem = root == "/usr"
    return Toolchain(
      main: "\(root)/bin/swift",
      tools: [
        "swiftc": "\(root)/bin/swiftc", "git": gitConfiguration().joined(separator: "\n"),
        "full version": info.compilerVersion,
      ],
      version: info.compilerVersion.split(separator: " ").dropFirst(2).first.map(String.init),
      reads: isSystem ? [] : [root], path: isSystem ? [] : ["\(root)/bin"])
  }

  /// The host's URL rewriting, which a download must follow as the user's own git does; nothing else
  /// of git's configuration is passed on.
  private func gitConfiguration() -> [String] {
    let home = host.environment["HOME"] ?? ""
    let answer = host.query(
      ["git", "config", "--get-regexp", #"^url\..*\.(insteadof|pushinsteadof)$"#], directory: "/",
      environment: [:],
      watching: ["/etc/gitconfig", "\(home)/.gitconfig", "\(home)/.config/git/config"])
    let rewrites = (answer ?? "").split(separator: "\n").flatMap { line -> [String] in
      guard let blank = line.firstIndex(of: " "), let end = line[..<blank].lastIndex(of: ".") else {
        return []
      }
      let base = String(line[..<end].dropFirst("url.".count))
      let prefix = String(line[line.index(after: blank)...])
      return ["[url \"\(base)\"]", "  insteadOf = \(prefix)"]
    }
    return ["[safe]", "  directory = *"] + rewrites
  }
}

import FoundationEssentials
import ProctorModel
import ProctorSandbox
import Synchronization

/// Runs git inside the sandbox: settings of a repository can start programs, and diffs come from anybody.
struct GitTool {
  let host: LocalHost
  let backend: SandboxPolicy.Backend
  /// An existing private folder on the cache file system.
  let scratch: String

  struct Outcome {
    let result: SandboxResult
    let stdout: Data
    let stderr: String

    /// What it ended with by itself; nil when it was stopped or killed.
    var code: Int32? {
      guard result.ending == .exited, case .exited(let code) = result.status else { return nil }
      return code
    }
  }

  /// A small patch or revision may unpack to anything.
  private static let limits = ResourceLimits(
    wallSeconds: 300, memoryMB: 2048, processes: 64, fileSizeMB: 4096, scratchMB: 8192,
    scratchFiles: 2_000_000, outputMB: 512)
  private static let home = "/tmp/home"
  /// Nobody's settings but these, and no repository found by chance.
  private static let environment = [
    "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": home, "LANG": "C.UTF-8", "TMPDIR": "/tmp",
    "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0", "GIT_NO_REPLACE_OBJECTS": "1", "GIT_OPTIONAL_LOCKS": "0",
  ]

  /// - Parameters:
  ///   - script: for the shell; `$git` is the program.
  ///   - folder: the path inside that it works in.
  ///   - source: the folder of the host that stands there.
  func run(
    _ script: String, _ arguments: [String] = [], in folder: String, from source: String? = nil,
    access: SandboxPolicy.WorkspaceAccess, mounts: [Invocation.Mount] = []
  ) async throws(EngineError) -> Outcome {
    guard let git = host.executable(named: "git") else {
      throw EngineError(
        .usage, "git is not installed, which patches and revisions need",
        resolution: "Install it: apt install git.")
    }
    let root = git.parentFolder.parentFolder
    let own: [Invocation.Mount] = root == "/usr" || root.isEmpty ? [] : [.readOnly(root)]
    let streams = Mutex((stdout: Data(), stderr: Data()))
    let command = SandboxCommand(
      argv: ["/bin/sh", "-c", script, "sh"] + arguments,
      environment: Self.environment.merging(["git": git]) { $1 }, directory: folder)
    let policy = SandboxPolicy(
      backend: backend, workspace: folder, source: source, access: access, network: .none,
      mounts: mounts + own, limits: Self.limits, home: Self.home, scratch: scratch)
    do {
      let result = try await Sandbox().run(command, policy: policy) { event in
        streams.withLock { streams in
          switch event {
          case .stdout(let bytes): streams.stdout.append(bytes)
          case .stderr(let bytes): streams.stderr.append(bytes)
          case .channel, .stopping, .usage: break
          }
        }
      }
      let (stdout, stderr) = streams.withLock { $0 }
      return Outcome(
        result: result, stdout: stdout,
        stderr: String(decoding: stderr.prefix(1 << 16), as: UTF8.self))
    } catch {
      throw EngineError(sandbox: error)
    }
  }

  /// Why there is no exit status of its own.
  static func stopped(_ outcome: Outcome, _ what: String) -> EngineError {
    let result = outcome.result
    guard result.ending != .cancelled else {
      return EngineError(
        .interrupted, "\(what) was interrupted", resolution: "Nothing was changed; run it again.")
    }
    let why =
      result.receipt.reached.first(where: \.isFatal)?.evidence
      ?? "\(result.ending), \(result.status.text)"
    return EngineError(
      .usage, "\(what) did not come to an end (\(why))",
      resolution: "See that the patch or the revision is what you mean.")
  }
}

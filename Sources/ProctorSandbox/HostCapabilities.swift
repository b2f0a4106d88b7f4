import FoundationEssentials
import Glibc
import ProctorModel
import Synchronization

/// What this host can enforce, found by trying.
public struct HostCapabilities: Sendable {
  public struct Finding: Sendable {
    public let name: String
    public let available: Bool
    /// What it gives, or why it cannot be had.
    public let detail: String
  }

  /// Whether commands can be isolated at all, and how or why not.
  public let bubblewrap: Finding
  public let findings: [Finding]

  /// Tries everything; takes some 100 ms.
  /// - Parameter scratch: an existing private folder on the cache file system.
  public static func probe(scratch: String) async -> HostCapabilities {
    let probe = Probe(scratch: scratch)
    let start = await probe.run("exit 0")
    switch start {
    case .failure(let error):
      return HostCapabilities(
        bubblewrap: Finding(
          name: "bubblewrap", available: false, detail: "\(error.message). \(error.resolution)"),
        findings: [])
    case .success(let seen):
      let receipt = seen.result.receipt
      return HostCapabilities(
        bubblewrap: Finding(
          name: "bubblewrap", available: true, detail: receipt.layers.joined(separator: ", ")),
        findings: [
          await probe.workspace(receipt), await probe.network(), await probe.memory(),
          await probe.processes(),
        ])
    }
  }
}

private struct Probe {
  let scratch: String

  struct Seen {
    let result: SandboxResult
    let stdout: String
  }

  func run(
    _ script: String,
    limits: ResourceLimits = ResourceLimits(wallSeconds: 10, memoryMB: 512, processes: 64)
  ) async -> Result<Seen, SandboxError> {
    let workspace = "\(scratch)/probe"
    _ = Paths.make(workspace)
    let output = Mutex(Data())
    do {
      let result = try await Sandbox().run(
        SandboxCommand(
          argv: ["/bin/sh", "-c", script], environment: ["PATH": "/usr/bin:/bin"],
          directory: workspace),
        policy: SandboxPolicy(
          backend: .bubblewrap, workspace: workspace, access: .protected, network: .none,
          mounts: [], limits: limits, home: "/tmp/home", scratch: scratch)
      ) { event in
        if case .stdout(let bytes) = event { output.withLock { $0.append(bytes) } }
      }
      return .success(
        Seen(result: result, stdout: String(decoding: output.withLock { $0 }, as: UTF8.self)))
    } catch {
      return .failure(error)
    }
  }

  func workspace(_ receipt: SandboxReceipt) async -> HostCapabilities.Finding {
    let seen = try? await run("echo x > written && cat written").get()
    let escaped = Paths.exists("\(scratch)/probe/written")
    let works = seen?.stdout == "x\n" && !escaped
    let storage = receipt.layers.contains { $0.contains("in memory") } ? "in memory" : "on disk"
    return HostCapabilities.Finding(
      name: "copy-on-write", available: works,
      detail: works
        ? "tests may write to the workspace, the tree stays as it is (\(storage))"
        : "overlays cannot be mounted; the workspace is read-only for tests")
  }

  func network() async -> HostCapabilities.Finding {
    let seen = try? await run("cat /proc/net/dev /proc/net/route").get()
    let interfaces = (seen?.stdout ?? "").split(separator: "\n").filter { $0.contains(":") }
      .map { $0.prefix { $0 != ":" }.filter { $0 != " " } }
    let alone = interfaces == ["lo"]
    return HostCapabilities.Finding(
      name: "no network", available: alone,
      detail: alone
        ? "tests have a loopback of their own and nothing else"
        : "interfaces inside: \(interfaces.joined(separator: ", "))")
  }

  /// Takes 96 MB where 32 are allowed.
  func memory() async -> HostCapabilities.Finding {
    let limits = ResourceLimits(wallSeconds: 10, memoryMB: 32, processes: 64)
    let hog = "x=$(head -c 100000000 /dev/zero | tr '\\0' x); echo ${#x}"
    let seen = try? await run(hog, limits: limits).get()
    let held = seen.map { !$0.stdout.hasPrefix("100000000") } ?? false
    return HostCapabilities.Finding(
      name: "memory limit", available: held,
      detail: held
        ? "held by \(seen?.result.receipt.limitsBy ?? "the kernel")"
          + (seen?.result.ending == .outOfMemory ? ", out of memory is told from a kill" : "")
        : "96 MB were had where 32 were allowed")
  }

  /// Starts 40 processes where 16 are allowed.
  func processes() async -> HostCapabilities.Finding {
    let limits = ResourceLimits(wallSeconds: 10, memoryMB: 256, processes: 16)
    let script =
      "n=0; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do (sleep 1 & sleep 1) & done; wait; echo all"
    let seen = try? await run(script, limits: limits).get()
    let held = seen.map { $0.stdout != "all\n" } ?? false
    return HostCapabilities.Finding(
      name: "process limit", available: held,
      detail: held
        ? "held by \(seen?.result.receipt.limitsBy ?? "the kernel")"
        : "this host gives no control group, so processes are only bounded by its own limits")
  }
}

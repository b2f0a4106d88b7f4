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

  /// Each backend: whether a command could be run in it, and how or why not.
  public let backends: [Finding]
  /// What holds in the sandbox that is used by default; empty when there is none.
  public let findings: [Finding]

  /// Tries everything; takes about a second.
  /// - Parameter scratch: an existing private folder on the cache file system.
  public static func probe(scratch: String) async -> HostCapabilities {
    var backends: [Finding] = []
    for backend in [SandboxPolicy.Backend.automatic, .namespaces, .bubblewrap] {
      let name = backend.rawValue
      switch await Probe(scratch: scratch, backend: backend).run("exit 0") {
      case .failure(let error):
        backends.append(
          Finding(name: name, available: false, detail: "\(error.message). \(error.resolution)"))
      case .success(let seen):
        let receipt = seen.result.receipt
        let what = backend == .automatic ? receipt.backend : receipt.layers.joined(separator: ", ")
        let missing = receipt.missing.map { "; \($0)" }.joined()
        backends.append(Finding(name: name, available: true, detail: what + missing))
      }
    }
    backends.append(
      Finding(name: "none", available: true, detail: "bare: limits and supervision, no walls"))
    let probe = Probe(scratch: scratch, backend: .automatic)
    guard backends[0].available, case .success(let first) = await probe.run("exit 0") else {
      return HostCapabilities(backends: backends, findings: [])
    }
    return HostCapabilities(
      backends: backends,
      findings: [
        await probe.workspace(first.result.receipt), await probe.network(),
        await probe.unconnected(), await probe.calls(), probe.landlock(), await probe.memory(),
        await probe.processes(), await probe.processorTime(), await probe.scratchSpace(),
        await probe.operations(),
      ])
  }
}

private struct Probe {
  let scratch: String
  let backend: SandboxPolicy.Backend

  struct Seen {
    let result: SandboxResult
    let stdout: String
    let stderr: String
  }

  func run(
    _ script: String,
    limits: ResourceLimits = ResourceLimits(wallSeconds: 10, memoryMB: 512, processes: 64),
    required: Set<ResourceLimits.Name> = []
  ) async -> Result<Seen, SandboxError> {
    let workspace = "\(scratch)/probe"
    _ = Paths.make(workspace)
    let output = Mutex((out: Data(), err: Data()))
    do {
      let result = try await Sandbox().run(
        SandboxCommand(
          argv: ["/bin/sh", "-c", script], environment: ["PATH": "/usr/bin:/bin"],
          directory: workspace),
        policy: SandboxPolicy(
          backend: backend, workspace: workspace, access: .protected, network: .none, mounts: [],
          limits: limits, required: required, home: "/tmp/home", scratch: scratch)
      ) { event in
        output.withLock { output in
          switch event {
          case .stdout(let bytes): output.out.append(bytes)
          case .stderr(let bytes): output.err.append(bytes)
          case .channel, .stopping, .usage: break
          }
        }
      }
      return output.withLock {
        .success(
          Seen(
            result: result, stdout: String(decoding: $0.out, as: UTF8.self),
            stderr: String(decoding: $0.err, as: UTF8.self)))
      }
    } catch {
      return .failure(error)
    }
  }

  typealias Finding = HostCapabilities.Finding

  private func finding(_ name: String, _ holds: Bool, _ what: String, else why: String) -> Finding {
    Finding(name: name, available: holds, detail: holds ? what : why)
  }

  func workspace(_ receipt: SandboxReceipt) async -> Finding {
    let seen = try? await run("echo x > written && cat written").get()
    let escaped = Paths.exists("\(scratch)/probe/written")
    let works = seen?.stdout == "x\n" && !escaped
    let storage = receipt.layers.contains { $0.contains("in memory") } ? "in memory" : "on disk"
    return finding(
      "copy-on-write", works,
      "tests may write to the workspace, the tree stays as it is (\(storage))",
      else: "overlays cannot be mounted; the workspace is read-only for tests")
  }

  func network() async -> Finding {
    let seen = try? await run("cat /proc/net/dev").get()
    let interfaces = (seen?.stdout ?? "").split(separator: "\n").filter { $0.contains(":") }
      .map { $0.prefix { $0 != ":" }.filter { $0 != " " } }
    let alone = interfaces == ["lo"]
    return finding(
      "no network", alone, "tests have a loopback of their own and nothing else",
      else: "interfaces inside: \(interfaces.joined(separator: ", "))")
  }

  /// Asks a name server, to which there is no way.
  func unconnected() async -> Finding {
    let seen = try? await run("getent hosts proctor.invalid; exit 0").get()
    let told = seen?.result.receipt.denied.contains { $0.kind == .network } == true
    return finding(
      "denials told", told, "an address that was tried and denied is named in the answer",
      else: "denied addresses are not seen here (no seccomp notifications)")
  }

  func calls() async -> Finding {
    let seen = try? await run("grep -E '^(Seccomp|NoNewPrivs|CapBnd)' /proc/self/status").get()
    let text = seen?.stdout ?? ""
    let filtered = text.contains("Seccomp:\t2")
    let bare = text.contains("CapBnd:\t0000000000000000") && text.contains("NoNewPrivs:\t1")
    return finding(
      "seccomp", filtered && bare,
      "namespaces, mounts, tracing, keys, io_uring and more are refused; no capabilities",
      else:
        "the filter or the dropping of privileges is not in force: \(text.split(separator: "\n"))"
    )
  }

  func landlock() -> Finding {
    let version = FileRule.version
    return finding(
      "Landlock", version > 0, "version \(version), a second wall around files",
      else: "this kernel has none")
  }

  /// Takes 96 MB where 32 are allowed.
  func memory() async -> Finding {
    let limits = ResourceLimits(wallSeconds: 10, memoryMB: 32, processes: 64)
    let hog = "x=$(head -c 100000000 /dev/zero | tr '\\0' x); echo ${#x}"
    let seen = try? await run(hog, limits: limits).get()
    let held = seen.map { !$0.stdout.hasPrefix("100000000") } ?? false
    return finding(
      "memory limit", held,
      "held by \(seen?.result.receipt.limitsBy ?? "the kernel")"
        + (seen?.result.ending == .outOfMemory ? ", out of memory is told from a kill" : ""),
      else: "96 MB were had where 32 were allowed")
  }

  /// Starts 40 processes where 16 are allowed.
  func processes() async -> Finding {
    let limits = ResourceLimits(wallSeconds: 10, memoryMB: 256, processes: 16)
    let script =
      "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do (sleep 1 & sleep 1) & done; wait; echo all"
    let seen = try? await run(script, limits: limits).get()
    let held = seen.map { $0.stdout != "all\n" } ?? false
    return finding(
      "process limit", held, "held by \(seen?.result.receipt.limitsBy ?? "the kernel")",
      else: "this host gives no control group, so processes are only bounded by its own limits")
  }

  func processorTime() async -> Finding {
    let limits = ResourceLimits(wallSeconds: 10, cpuSeconds: 0.3)
    let seen = try? await run("while :; do :; done", limits: limits).get()
    let held = seen?.result.ending == .cpuTime
    return finding(
      "CPU time limit", held, "told apart from the wall-clock limit",
      else: "a busy loop was not stopped for it")
  }

  func scratchSpace() async -> Finding {
    let limits = ResourceLimits(wallSeconds: 10, scratchMB: 4)
    let seen = try? await run("head -c 8000000 /dev/zero > /tmp/x && echo all", limits: limits)
      .get()
    let held = seen.map { $0.stdout != "all\n" } ?? false
    return finding(
      "scratch limit", held, "/tmp and /dev/shm are bounded",
      else: "8 MB were had where 4 were allowed")
  }

  func operations() async -> Finding {
    let limits = ResourceLimits(wallSeconds: 10, fileOperations: 1)
    switch await run(
      "echo > /tmp/a; echo > /tmp/b && echo all", limits: limits, required: [.fileOperations])
    {
    case .success(let seen):
      let held = seen.stdout != "all\n" && seen.result.receipt.denied.count == 1
      return finding(
        "counted operations", held, "max_file_operations and max_network_requests are held",
        else: "a second operation passed where one was allowed")
    case .failure(let error):
      return finding("counted operations", false, "", else: error.message)
    }
  }
}

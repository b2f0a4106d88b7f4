import Foundation
import ProctorModel
import ProctorSandbox

/// Starts `/bin/true` in every way this machine has, one after the other in each round, so that all see the
/// same noise; prints the 50th, 95th and 99th percentile in milliseconds.
///
/// Then calls functions that return their argument, beside the interpreter alone and a container that starts one.
///
/// Usage: latency [ROUNDS [NAME...]], where each NAME begins the names of ways that take part; docker and podman take part when `LATENCY_IMAGE` names an image they have, with python3.
@main struct Latency {
  struct Way {
    let name: String
    let run: () async throws -> Void
  }

  static func main() async throws {
    let rounds = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 200
    let folder = FileManager.default.temporaryDirectory.appending(path: "proctor-latency").path
    for name in ["workspace", "scratch"] {
      try FileManager.default.createDirectory(
        atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
    }
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let wanted = CommandLine.arguments.dropFirst(2)
    let ways = try (ways(folder) + functions(folder)).enumerated().filter { index, way in
      index == 0 || wanted.isEmpty || wanted.contains { way.name.hasPrefix($0) }
    }.map(\.element)
    var times = [[Double]](repeating: [], count: ways.count)
    for round in -3..<rounds {
      for (index, way) in ways.enumerated() {
        // Container engines take long: a tenth of the rounds tells enough.
        if way.name.hasSuffix("run"), round >= 0, round % 10 != 0 { continue }
        let begin = ContinuousClock().now
        try await way.run()
        let time = (ContinuousClock().now - begin) / .milliseconds(1)
        if round >= 0 { times[index].append(time) }
      }
    }
    print(
      "way".padding(toLength: 34, withPad: " ", startingAt: 0)
        + "    p50    p95    p99   over the bare command")
    let bare = percentile(times[0], 50)
    for (way, times) in zip(ways, times) {
      let p50 = percentile(times, 50)
      let columns = [p50, percentile(times, 95), percentile(times, 99), p50 - bare]
        .map { String(format: "%7.2f", $0) }.joined()
      print(way.name.padding(toLength: 34, withPad: " ", startingAt: 0) + columns)
    }
  }

  static func percentile(_ times: [Double], _ percent: Int) -> Double {
    let sorted = times.sorted()
    return sorted.isEmpty ? .nan : sorted[min(sorted.count - 1, sorted.count * percent / 100)]
  }

  static func ways(_ folder: String) -> [Way] {
    func command(_ name: String, _ arguments: [String]) -> Way? {
      let places = ["/usr/bin", "/bin", "/usr/local/bin"].map { "\($0)/\(arguments[0])" }
      guard let path = places.first(where: FileManager.default.isExecutableFile) else { return nil }
      return Way(name: name) {
        try spawn([path] + arguments.dropFirst())
      }
    }
    func backend(
      _ backend: SandboxPolicy.Backend, _ access: SandboxPolicy.WorkspaceAccess, keeps: Bool = false
    ) -> Way {
      Way(name: "proctor \(backend.rawValue), \(access.rawValue)\(keeps ? ", kept" : "")") {
        let result = try await Sandbox().run(
          SandboxCommand(
            argv: ["/bin/true"], environment: ["PATH": "/usr/bin"], directory: "\(folder)/workspace"
          ),
          policy: SandboxPolicy(
            backend: backend, workspace: "\(folder)/workspace", access: access, network: .none,
            mounts: [], keepsWrites: keeps,
            limits: ResourceLimits(wallSeconds: 60, memoryMB: 512, processes: 64),
            home: "/tmp/home", scratch: "\(folder)/scratch")
        ) { _ in }
        precondition(result.status.isSuccess)
      }
    }
    let plain =
      ["bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
      + [
        "--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib",
      ]
      + ["--symlink", "usr/lib64", "/lib64", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
      + ["--bind", "\(folder)/workspace", "/work", "--chdir", "/work", "--clearenv", "/bin/true"]
    let view = ["alternatives", "ssl", "ca-certificates", "ld.so.conf.d", "perl", "python3"]
      .map { "/etc/\($0)" }.filter(FileManager.default.fileExists).flatMap {
        ["--ro-bind", $0, $0]
      }
    let container = [
      "run", "--rm", "--network=none", "--read-only", "--cap-drop=ALL", "--user", "65534:65534",
      "--memory", "256m", "--memory-swap", "256m", "--pids-limit", "64",
      "--security-opt", "no-new-privileges",
    ]
    let image = ProcessInfo.processInfo.environment["LATENCY_IMAGE"]
    return [
      command("fork and exec", ["true"]), command("plain bwrap", plain),
      command("plain bwrap with parts of /etc", Array(plain.prefix(1)) + view + plain.dropFirst()),
      backend(.namespaces, .protected), backend(.namespaces, .protected, keeps: true),
      backend(.namespaces, .readOnly),
      backend(.bubblewrap, .protected), backend(.none, .writable),
      image.flatMap { command("docker run", ["docker"] + container + [$0, "true"]) },
      image.flatMap { command("podman run", ["podman"] + container + [$0, "true"]) },
      image.flatMap {
        command("docker python3 run", ["docker"] + container + [$0, "python3", "-c", "0"])
      },
    ].compactMap(\.self)
  }

  /// The program `proctor` of the same build.
  private static var proctor: String {
    let own = CommandLine.arguments[0]
    return own.split(separator: "/").count > 1 || own.hasPrefix("/")
      ? URL(filePath: own).deletingLastPathComponent().appending(path: "proctor").path : "proctor"
  }

  static func functions(_ folder: String) throws -> [Way] {
    let workspace = "\(folder)/workspace"
    let sources = [
      "f.py": "def f(x): return x\n", "f.js": "exports.f = x => x\n",
      "f.rs": "fn f(x: u8) -> u8 { x }\n",
    ]
    for (name, text) in sources {
      try text.write(toFile: "\(workspace)/\(name)", atomically: false, encoding: .utf8)
    }
    func interpreter(_ name: String, _ arguments: [String]) -> Way? {
      let environment = ProcessInfo.processInfo.environment
      // The one that proctor takes, and no version manager's script before it.
      let own = environment["VIRTUAL_ENV"].map { ["\($0)/bin"] } ?? []
      let places = own + (environment["PATH"] ?? "").split(separator: ":").map(String.init)
      guard
        let path = places.map({ "\($0)/\(name)" }).first(
          where: FileManager.default.isExecutableFile)
      else { return nil }
      return Way(name: "\(name) alone") { try spawn([path] + arguments) }
    }
    func call(_ name: String, _ file: String, _ isolation: String) -> Way? {
      let arguments = [
        proctor, "exec", "-w", workspace, "\(workspace)/\(file)", "f", "[1]", "--yes",
        "--isolation",
        isolation,
      ]
      // What is not installed here takes no part.
      guard (try? spawn(arguments)) != nil else { return nil }
      return Way(name: "function, \(name)") { try spawn(arguments) }
    }
    return [
      interpreter("python3", ["-c", "0"]), call("Python", "f.py", "auto"),
      call("Python, vm", "f.py", "vm"), interpreter("node", ["-e", "0"]),
      call("JavaScript", "f.js", "auto"), call("JavaScript, vm", "f.js", "vm"),
      call("Rust", "f.rs", "auto"), call("Rust, wasm", "f.rs", "wasm"),
    ].compactMap(\.self)
  }

  struct Failed: Error {}

  static func spawn(_ arguments: [String]) throws {
    var pid = pid_t()
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for descriptor in [Int32(1), 2] {
      posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_WRONLY, 0)
    }
    let pointers = arguments.map { strdup($0) } + [nil]
    defer { pointers.forEach { free($0) } }
    guard posix_spawn(&pid, arguments[0], &actions, nil, pointers, environ) == 0 else {
      throw CocoaError(.executableLoad)
    }
    var status: Int32 = 0
    waitpid(pid, &status, 0)
    guard status == 0 else { throw Failed() }
  }
}

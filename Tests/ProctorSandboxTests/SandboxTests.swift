import Foundation
import ProctorModel
import ProctorSandbox
import Synchronization
import Testing

/// Real sandboxes around small shell and Python commands.
@Suite(.serialized) struct SandboxTests {
  /// Gone when the test is over.
  private final class Folder: Sendable {
    let path: String

    init() {
      let parent = URL(filePath: NSTemporaryDirectory()).resolvingSymlinksInPath().path
      path = "\(parent)/proctor-sandbox-\(UUID().uuidString.prefix(8))"
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
  }

  private let place = Folder()
  var folder: String { place.path }
  var workspace: String { "\(folder)/work space, with:odd\nname é" }

  init() throws {
    for path in [workspace, "\(folder)/scratch", "\(folder)/cache"] {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    try "original".write(toFile: "\(workspace)/file", atomically: false, encoding: .utf8)
  }

  struct Seen {
    var result: SandboxResult
    var stdout: String
    var stderr: String
    var channel: String
  }

  func policy(_ backend: SandboxPolicy.Backend = .namespaces) -> SandboxPolicy {
    SandboxPolicy(
      backend: backend, workspace: workspace, access: .protected, network: .none, mounts: [],
      limits: ResourceLimits(wallSeconds: 60, memoryMB: 1024, processes: 256), home: "/tmp/home",
      scratch: "\(folder)/scratch")
  }

  func run(
    _ script: String, _ policy: SandboxPolicy? = nil, channel: String? = nil,
    visible: [String] = [], environment: [String: String] = [:]
  ) async throws -> Seen {
    let output = Mutex((out: Data(), err: Data(), channel: Data()))
    let result = try await Sandbox().run(
      SandboxCommand(
        argv: ["sh", "-c", script],
        environment: ["PATH": "/usr/bin:/bin", "HOME": "/tmp/home"].merging(environment) { $1 },
        directory: workspace, channel: channel, visible: channel.map { [$0] } ?? visible),
      policy: policy ?? self.policy()
    ) { event in
      output.withLock { output in
        switch event {
        case .stdout(let bytes): output.out.append(bytes)
        case .stderr(let bytes): output.err.append(bytes)
        case .channel(let bytes): output.channel.append(bytes)
        case .stopping, .usage: break
        }
      }
    }
    return output.withLock {
      Seen(
        result: result, stdout: String(decoding: $0.out, as: UTF8.self),
        stderr: String(decoding: $0.err, as: UTF8.self),
        channel: String(decoding: $0.channel, as: UTF8.self))
    }
  }

  @Test func `output, exit status and environment come through exactly`() async throws {
    let seen = try await run(
      "echo out; echo err >&2; echo \"$A\"; env -0 | cut -z -d= -f1 | sort -z | tr '\\0' ' '; exit 3",
      environment: ["A": "x\ny"])
    #expect(seen.result.status == .exited(3))
    #expect(seen.result.ending == .exited)
    #expect(seen.stderr == "err\n")
    #expect(seen.stdout == "out\nx\ny\nA HOME PATH PWD ")
    #expect(seen.result.receipt.backend == "namespaces")
    #expect(seen.result.receipt.layers.contains("network namespace"))
  }

  @Test func `a signal is told`() async throws {
    #expect(try await run("kill -SEGV $$").result.status.impliedSignal == 11)
    #expect(try await run("kill -SEGV $$", policy(.none)).result.status == .signaled(11))
  }

  @Test func `the protected workspace is written inside and unchanged outside`() async throws {
    let first = try await run("echo changed > file; echo new > new; cat file")
    #expect(first.stdout == "changed\n")
    #expect(try String(contentsOfFile: "\(workspace)/file", encoding: .utf8) == "original")
    #expect(!FileManager.default.fileExists(atPath: "\(workspace)/new"))
    // The next command of the same scratch sees what the first one wrote.
    #expect(try await run("cat file new").stdout == "changed\nnew\n")
    #expect(first.result.receipt.workspace == "protected")
  }

  @Test func `what is thrown away never reaches the disk`() async throws {
    var policy = policy()
    policy.keepsWrites = false
    policy.limits.scratchMB = 50
    try FileManager.default.createDirectory(
      atPath: "\(workspace)/folder/inner", withIntermediateDirectories: true)
    let first = try await run(
      "echo changed > file; rm -r folder; mkdir folder; ls -A folder; mv folder other; cat file",
      policy)
    #expect(first.stdout == "changed\n" && first.stderr == "")
    #expect(first.result.workspaceWrites == nil)
    #expect(try await run("cat file; ls folder", policy).stdout == "originalinner\n")
    // Older kernels cannot keep an overlay's marks in memory.
    guard try ProcessInfo.processInfo.kernel >= (6, 6) else { return }
    #expect(first.result.receipt.layers.contains("copy-on-write workspace (in memory)"))
    let written = try FileManager.default.subpathsOfDirectory(atPath: "\(folder)/scratch")
    #expect(!written.contains { $0.contains("upper") })
    // The layers stand in the root, where nothing is written.
    let layers = try await run("echo x > /.scratch/layers/workspace-upper/file; cat file", policy)
    #expect(layers.stdout == "original" && !layers.stderr.isEmpty)
    // One limit is for the workspace and /tmp together.
    let full = try await run(
      "head -c 40000000 /dev/zero > file; head -c 40000000 /dev/zero > /tmp/b; exit 3", policy)
    #expect(full.stderr.contains("No space left"))
    #expect(full.result.receipt.reached.map(\.limit) == [.scratchMB])
  }

  @Test func `a writable workspace is written, a read-only one refuses`() async throws {
    var policy = policy()
    policy.access = .readOnly
    #expect(try await run("echo x > file", policy).result.status != .exited(0))
    policy.access = .writable
    #expect(try await run("echo x > file", policy).result.status == .exited(0))
    #expect(try String(contentsOfFile: "\(workspace)/file", encoding: .utf8) == "x\n")
  }

  @Test func `caches stay, copies do not, layers fall through`() async throws {
    let cache = "\(folder)/cache"
    var policy = policy()
    policy.mounts = [.writable("\(cache)/kept")]
    _ = try await run("echo 1 > '\(cache)/kept/a'", policy)
    #expect(FileManager.default.fileExists(atPath: "\(cache)/kept/a"))
    policy.mounts = [.copyOnWrite("\(cache)/kept")]
    #expect(
      try await run(
        "cat '\(cache)/kept/a'; echo 2 > '\(cache)/kept/a'; cat '\(cache)/kept/a'", policy
      ).stdout == "1\n2\n")
    #expect(try String(contentsOfFile: "\(cache)/kept/a", encoding: .utf8) == "1\n")
    policy.mounts = [.layered(lower: "\(cache)/kept", upper: "\(cache)/upper")]
    policy.keepsLayers = true
    _ = try await run("echo 3 > '\(cache)/upper/b'", policy)
    #expect(!FileManager.default.fileExists(atPath: "\(cache)/kept/b"))
    policy.keepsLayers = false
    policy.network = .host
    #expect(
      try await run(
        "cat '\(cache)/upper/a' '\(cache)/upper/b'; echo x > '\(cache)/upper/a' || echo refused",
        policy
      ).stdout == "1\n3\nrefused\n")
  }

  @Test func `nothing else of the host is visible`() async throws {
    let secret = "\(folder)/secret"
    try "s".write(toFile: secret, atomically: false, encoding: .utf8)
    let home = NSHomeDirectory()
    let seen = try await run(
      "cat '\(secret)'; ls -A \(home) /home /root 2>/dev/null; ls -A $HOME; touch /x /usr/x /etc/x 2>/dev/null; echo end"
    )
    #expect(seen.stdout == "end\n")
    #expect(try await run("cat '\(secret)'", policy(.none)).stdout == "s")
  }

  @Test func `only the loopback of its own is reached`() async throws {
    let script = """
      python3 - <<'PY'
      import socket, threading
      server = socket.create_server(("127.0.0.1", 0))
      threading.Thread(target=lambda: server.accept()[0].sendall(b"hi")).start()
      print(socket.create_connection(server.getsockname(), 2).recv(2))
      try:
          socket.create_connection(("192.0.2.1", 80), 2)
      except OSError as error:
          print(error.errno)
      PY
      """
    #expect(try await run(script).stdout == "b'hi'\n101\n")
  }

  @Test(arguments: [SandboxPolicy.Backend.namespaces, .bubblewrap, .none])
  func `the time limit ends everything, with last words`(backend: SandboxPolicy.Backend)
    async throws
  {
    var policy = policy(backend)
    policy.limits.wallSeconds = 3
    let begin = ContinuousClock().now
    let seen = try await run(
      "python3 -X faulthandler -c 'import time; time.sleep(60)'; echo not reached", policy)
    #expect(seen.result.ending == .wallTime)
    #expect(ContinuousClock().now - begin < .seconds(8))
    #expect(seen.stderr.contains("line 1 in <module>"))
  }

  @Test(arguments: [SandboxPolicy.Backend.namespaces, .bubblewrap, .none])
  func `cancelling ends everything at once`(backend: SandboxPolicy.Backend) async throws {
    let mark = "sleep 4\(Int.random(in: 1000...9999))"
    let clock = ContinuousClock()
    let task = Task { try await run("setsid \(mark) & \(mark)", policy(backend)) }
    try await Task.sleep(for: .milliseconds(400))
    let begin = clock.now
    task.cancel()
    #expect(try await task.value.result.ending == .cancelled)
    #expect(clock.now - begin < .seconds(20))
    #expect(Self.processes(mark).isEmpty)
  }

  /// Tools make names of files from them in folders that sandboxes share.
  @Test func `process ids of one sandbox are hardly those of another`() async throws {
    let ids = try await [
      run("echo $$", policy(.namespaces)), run("echo $$", policy(.namespaces)),
      run("echo $$", policy(.namespaces)),
    ].compactMap { Int($0.stdout.dropLast()) }
    #expect(ids.count == 3 && Set(ids).count > 1 && ids.allSatisfy { $0 > 1000 }, "\(ids)")
  }

  @Test(arguments: [SandboxPolicy.Backend.namespaces, .bubblewrap, .none])
  func `a grandchild that left the session and holds stdout is dead and delays nothing`(
    backend: SandboxPolicy.Backend
  ) async throws {
    let mark = "sleep 4\(Int.random(in: 1000...9999))"
    let begin = ContinuousClock().now
    let seen = try await run("(setsid \(mark) &) ; echo done", policy(backend))
    #expect(seen.stdout == "done\n")
    #expect(ContinuousClock().now - begin < .seconds(4))
    #expect(Self.processes(mark).isEmpty)
  }

  static func processes(_ command: String) -> [String] {
    let wanted = command.replacingOccurrences(of: " ", with: "\0") + "\0"
    return ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).filter { pid in
      (try? String(contentsOfFile: "/proc/\(pid)/cmdline", encoding: .utf8)) == wanted
    }
  }

  @Test func `running out of memory is told from a kill`() async throws {
    var policy = policy()
    policy.limits.memoryMB = 64
    let bomb = "python3 -c 'x = bytearray(300 << 20); print(len(x))'"
    let starved = try await run(bomb, policy)
    #expect(!starved.stdout.contains("314572800"))
    if starved.result.receipt.limitsBy == "rlimit" {
      #expect(starved.stderr.contains("MemoryError"))
    } else {
      #expect(starved.result.ending == .outOfMemory)
    }
    let killed = try await run("kill -KILL $$", policy)
    #expect(killed.result.ending == .exited)
    #expect(killed.result.status.impliedSignal == 9)
  }

  @Test func `a fork bomb meets its limit`() async throws {
    var policy = policy()
    policy.limits.processes = 32
    let seen = try await run(
      "python3 -c 'import os, time\nn = 0\ntry:\n  while n < 500:\n    n += 1\n    if os.fork() == 0: time.sleep(30); os._exit(0)\nexcept OSError: pass\nprint(n)'",
      policy)
    #expect((Int(seen.stdout.trimmingCharacters(in: .newlines)) ?? 500) < 40)
  }

  @Test func `endless output is bounded by the reader, not by memory`() async throws {
    let seen = try await run("head -c 50000000 /dev/zero | tr '\\0' x")
    #expect(seen.stdout.utf8.count == 50_000_000)
  }

  @Test func `the channel is read whole and in order`() async throws {
    let channel = "\(folder)/channel"
    #expect(mkfifo(channel, 0o600) == 0)
    let seen = try await run(
      "seq 1 20000 > '\(channel)'; echo end > '\(channel)'", channel: channel)
    let lines = seen.channel.split(separator: "\n")
    #expect(lines.count == 20001)
    #expect(lines.last == "end")
    #expect(lines.first == "1")
  }

  @Test func `a missing command is an error that names it`() async throws {
    for backend in [SandboxPolicy.Backend.namespaces, .bubblewrap, .none] {
      let error = await #expect(throws: SandboxError.self) {
        try await Sandbox().run(
          SandboxCommand(
            argv: ["no-such-program"], environment: ["PATH": "/usr/bin"], directory: workspace),
          policy: policy(backend)
        ) { _ in }
      }
      #expect(error?.code == .cannotStart)
      #expect(error?.message.contains("no-such-program") == true)
    }
  }

  @Test func `control groups are gone afterwards, also those of a killed proctor`() async throws {
    _ = try await run("true")
    let memory = "/sys/fs/cgroup/memory"
    guard FileManager.default.isWritableFile(atPath: memory) else { return }
    let dead = "\(memory)/proctor-4194304-1"
    try FileManager.default.createDirectory(atPath: dead, withIntermediateDirectories: false)
    Sandbox.sweep()
    let left = try FileManager.default.contentsOfDirectory(atPath: memory)
    #expect(!left.contains { $0.hasPrefix("proctor-\(getpid())-") || $0 == "proctor-4194304-1" })
  }

  // MARK: limits

  func limited(
    _ script: String, _ backend: SandboxPolicy.Backend = .namespaces,
    _ adjust: (inout ResourceLimits) -> Void
  ) async throws -> Seen {
    var policy = policy(backend)
    adjust(&policy.limits)
    return try await run(script, policy)
  }

  @Test(arguments: [SandboxPolicy.Backend.namespaces, .bubblewrap, .none])
  func `processor time is not wall-clock time`(backend: SandboxPolicy.Backend) async throws {
    let busy = try await limited("while :; do :; done", backend) { $0.cpuSeconds = 1 }
    #expect(busy.result.ending == .cpuTime)
    #expect(busy.result.receipt.reached.map(\.limit) == [.cpuSeconds])
    #expect((busy.result.cpuSeconds ?? 0) >= 1)
    let idle = try await limited("sleep 1.5", backend) { $0.cpuSeconds = 1 }
    #expect(idle.result.ending == .exited)
    #expect(idle.result.receipt.reached.isEmpty)
  }

  @Test func `processor time of all processes is added up`() async throws {
    let seen = try await limited("for i in 1 2 3 4; do (while :; do :; done) & done; wait") {
      $0.cpuSeconds = 1
    }
    #expect(seen.result.ending == .cpuTime)
  }

  @Test(arguments: [SandboxPolicy.Backend.namespaces, .bubblewrap])
  func `what is written to tmp and to the workspace is bounded`(
    backend: SandboxPolicy.Backend
  ) async throws {
    let memory = try await limited(
      "head -c 40000000 /dev/zero > /tmp/a; head -c 40000000 /dev/zero > /dev/shm/b; exit 3",
      backend
    ) { $0.scratchMB = 50 }
    #expect(memory.stderr.contains("No space left") == (backend == .namespaces))
    if backend == .namespaces {
      #expect(memory.result.receipt.reached.map(\.limit) == [.scratchMB])
    }
    let disk = try await limited("head -c 400000000 /dev/zero > file; sleep 5", backend) {
      $0.scratchMB = 50
    }
    #expect(disk.result.ending == .scratchSpace)
    #expect(disk.result.receipt.reached.first?.evidence.contains("written to disk") == true)
  }

  @Test func `the number of files is bounded`() async throws {
    let seen = try await limited("i=0; while echo > /tmp/$i; do i=$((i+1)); done; echo $i; exit 1")
    {
      $0.scratchFiles = 300
    }
    #expect((250...300).contains(Int(seen.stdout.trimmingCharacters(in: .newlines)) ?? 0))
    #expect(seen.result.receipt.reached.map(\.limit) == [.scratchFiles])
  }

  @Test(arguments: [SandboxPolicy.Backend.namespaces, .bubblewrap, .none])
  func `files are bounded in size and number`(backend: SandboxPolicy.Backend) async throws {
    let size = try await limited("exec head -c 20000000 /dev/zero > file", backend) {
      $0.fileSizeMB = 4
    }
    #expect(size.result.status.impliedSignal == SIGXFSZ)
    #expect(size.result.receipt.reached.map(\.limit) == [.fileSizeMB])
    let open = try await limited(
      "python3 -c 'import os\ntry:\n  while 1: os.open(\"/dev/null\", 0)\nexcept OSError as e: print(e.errno)'",
      backend
    ) { $0.openFiles = 64 }
    #expect(open.stdout == "24\n")
  }

  @Test(arguments: [SandboxPolicy.Backend.namespaces, .bubblewrap, .none])
  func `too much output ends it`(backend: SandboxPolicy.Backend) async throws {
    let seen = try await limited("yes", backend) { $0.outputMB = 4 }
    #expect(seen.result.ending == .output)
    #expect(seen.stdout.utf8.count < 8 << 20)
  }

  @Test func `refused processes are counted`() async throws {
    let seen = try await limited("for i in 1 2 3 4 5 6 7 8 9; do sleep 1 & done; wait") {
      $0.processes = 6
    }
    #expect(seen.result.receipt.reached.map(\.limit) == [.processes])
  }

  @Test func `use is sampled while it runs`() async throws {
    let samples = Mutex<[UsageSample]>([])
    _ = try await Sandbox().run(
      SandboxCommand(
        argv: ["python3", "-c", "x = bytearray(100 << 20)\nwhile True: pass"],
        environment: ["PATH": "/usr/bin:/bin"], directory: workspace),
      policy: {
        var policy = policy()
        policy.limits.wallSeconds = 1
        return policy
      }()
    ) { event in
      if case .usage(let sample) = event { samples.withLock { $0.append(sample) } }
    }
    let seen = samples.withLock { $0 }
    #expect(seen.count >= 4)
    #expect(seen.contains { ($0.memoryMB ?? 0) > 100 })
    #expect(seen.contains { ($0.cpuPercent ?? 0) > 30 })
  }

  // MARK: counted calls

  static let writing = "for i in 1 2 3 4 5; do echo x > f$i && echo $i; done; echo end"

  @Test func `file operations are counted and then denied`() async throws {
    let seen = try await limited(Self.writing) { $0.fileOperations = 3 }
    #expect(seen.stdout == "1\n2\n3\nend\n")
    #expect(seen.stderr.contains("Permission denied"))
    #expect(
      seen.result.receipt.denied.map(\.target) == ["\(workspace)/f4", "\(workspace)/f5"])
    #expect(seen.result.receipt.denied.first?.setting == "max_file_operations")
    #expect(seen.result.receipt.reached.map(\.limit) == [.fileOperations])
  }

  @Test func `no file operations leave reading the system alone`() async throws {
    let seen = try await limited(
      "cat file; mkdir d; rm file; head -c 4 /usr/bin/python3 | tail -c 3"
    ) {
      $0.fileOperations = 0
    }
    #expect(seen.stdout == "ELF")
    #expect(
      Set(seen.result.receipt.denied.map(\.target))
        == ["\(workspace)/file", "\(workspace)/d"])
  }

  @Test func `looking for what is not there is no operation, and hidden files are told`()
    async throws
  {
    let secret = "\(folder)/secret"
    try "s".write(toFile: secret, atomically: false, encoding: .utf8)
    let seen = try await limited("cat /nowhere '\(secret)'; cat file") { $0.fileOperations = 1 }
    #expect(seen.stdout == "original")
    #expect(seen.result.receipt.reached.isEmpty)
    #expect(seen.result.receipt.denied.map(\.target) == [secret])
    #expect(seen.result.receipt.denied.map(\.setting) == ["read"])
  }

  static let connecting = """
    python3 - <<'PY'
    import socket
    server = socket.create_server(("127.0.0.1", 0))
    for _ in range(4):
        try:
            socket.create_connection(server.getsockname())
            print("connected")
        except PermissionError:
            print("denied")
    PY
    """

  @Test func `requests are counted and then denied`() async throws {
    let some = try await limited(Self.connecting) { $0.networkRequests = 2 }
    #expect(some.stdout == "connected\nconnected\ndenied\ndenied\n")
    let none = try await limited(Self.connecting) { $0.networkRequests = 0 }
    #expect(none.stdout == "denied\ndenied\ndenied\ndenied\n")
    #expect(none.result.receipt.denied.first?.rule == "max_network_requests = 0")
  }

  @Test(arguments: [SandboxPolicy.Backend.bubblewrap, .none])
  func `counting where nobody can count is refused`(backend: SandboxPolicy.Backend) async throws {
    var policy = policy(backend)
    policy.limits.fileOperations = 1
    policy.required = [.fileOperations]
    let error = await #expect(throws: SandboxError.self) { try await run("true", policy) }
    #expect(error?.code == .limitUnavailable)
    policy.required = []
    #expect(
      try await run("true", policy).result.receipt.missing.contains { $0.contains("file_op") })
  }

  @Test func `denied addresses, names and sockets are told`() async throws {
    let socket = "\(folder)/s"
    let listener = Foundation.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(listener) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(socket.utf8)) }
    _ = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    let seen = try await run(
      """
      python3 - <<'PY'
      import socket
      def attempt(work):
          try: work()
          except OSError as error: print(type(error).__name__)
      attempt(lambda: socket.create_connection(("192.0.2.7", 443), 2))
      attempt(lambda: socket.create_connection(("2001:db8::1", 80), 2))
      attempt(lambda: socket.getaddrinfo("example.com", 80))
      attempt(lambda: socket.socket(socket.AF_UNIX).connect("\(socket)"))
      attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.8", 9)))
      PY
      """)
    #expect(seen.stdout == "OSError\nOSError\ngaierror\nFileNotFoundError\nOSError\n")
    let denied = seen.result.receipt.denied
    #expect(
      Set(denied.map(\.target)) == [
        "192.0.2.7:443", "[2001:db8::1]:80", "name server (DNS)", socket, "192.0.2.8:9",
      ])
    #expect(
      denied.filter { $0.kind == .network }.allSatisfy { $0.setting == "allow_network_access" })
  }

  @Test func `callers that die while they wait for an answer hold up nobody`() async throws {
    let seen = try await run(
      """
      python3 - <<'PY'
      import os, random, signal, socket, time
      for _ in range(150):
          pid = os.fork()
          if pid == 0:
              while True: socket.socket().connect_ex(("127.0.0.1", 1))
          time.sleep(random.random() / 500)
          os.kill(pid, signal.SIGKILL)
          os.waitpid(pid, 0)
      print(socket.socket().connect_ex(("127.0.0.1", 1)))
      PY
      """)
    #expect(seen.stdout == "111\n")
  }

  // MARK: walls

  @Test func `a link in the workspace leads no mount out of the sandbox`() async throws {
    // A path that shall be visible below a link to a folder of the host.
    let outside = "\(folder)/outside"
    try FileManager.default.createDirectory(atPath: outside, withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(
      atPath: "\(workspace)/way", withDestinationPath: outside)
    try "seen".write(toFile: "\(outside)/file", atomically: false, encoding: .utf8)
    // Inside, the link leads to a place that is not there.
    let error = try await #require(throws: SandboxError.self) {
      try await run("true", visible: ["\(workspace)/way/file"])
    }
    #expect(error.message.contains("/way/file: No such file or directory"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: outside) == ["file"])
  }

  @Test func `orphans are waited for without a sandbox too`() async throws {
    let script = """
      orphan=$(sh -c 'sleep 0.2 >/dev/null & echo $!')
      for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.2; kill -0 $orphan 2>/dev/null || break; done
      kill -0 $orphan 2>/dev/null && echo there || echo gone
      """
    #expect(try await run(script, policy(.none)).stdout == "gone\n")
    #expect(try await run("kill -TERM 0; sleep 5", policy(.none)).result.status == .signaled(15))
  }

  @Test func `the root is read-only and tmp is its own`() async throws {
    let seen = try await run(
      "touch /x /etc/x /dev/x 2>/dev/null; ls -I 'proctor*' /tmp; touch /tmp/a /dev/shm/b /var/tmp/c && ls -I 'proctor*' /tmp /dev/shm"
    )
    #expect(seen.stdout == "home\n/dev/shm:\nb\n\n/tmp:\na\nc\nhome\n")
    #expect(try await run("ls -I 'proctor*' /tmp /dev/shm").stdout == "/dev/shm:\n\n/tmp:\nhome\n")
  }

  @Test func `64 sandboxes at once`() async throws {
    let outputs = try await withThrowingTaskGroup(of: String.self) { group in
      for number in 0..<64 {
        var policy = policy()
        policy.scratch = "\(folder)/scratch-\(number)"
        try FileManager.default.createDirectory(
          atPath: policy.scratch, withIntermediateDirectories: true)
        group.addTask { [policy] in
          try await run("echo \(number) > mine; sleep 0.3; cat mine", policy).stdout
        }
      }
      return try await group.reduce(into: Set<String>()) { $0.insert($1) }
    }
    #expect(outputs == Set((0..<64).map { "\($0)\n" }))
  }
}

extension ProcessInfo {
  /// `6.1.0-13-amd64` is (6, 1).
  fileprivate var kernel: (Int, Int) {
    get throws {
      let text = try String(contentsOfFile: "/proc/sys/kernel/osrelease", encoding: .utf8)
      let numbers = text.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
      return (try #require(numbers.first), try #require(numbers.last))
    }
  }
}

import Foundation
import Testing

/// What the sandbox denies, limits and keeps, seen by a user of the command line.
@Suite(.serialized) struct SandboxFeatureTests {
  private let folder: TemporaryFolder
  private var workspace: String { "\(folder.path)/workspace" }

  init() throws { folder = try TemporaryFolder() }

  private func run(_ arguments: String...) throws -> (
    outcome: ProctorProcess.Outcome, answer: [String: Any]
  ) {
    let outcome = try ProctorProcess(["run", "--format", "json"] + arguments, in: workspace).run()
    try Schema.validate(outcome.stdout, "run_all_tests")
    return (outcome, try outcome.json())
  }

  private func write(_ files: [String: String]) throws {
    for (name, text) in files { try folder.write(text, to: "workspace/\(name)") }
  }

  private func read(_ name: String) -> String? {
    try? String(contentsOfFile: "\(workspace)/\(name)", encoding: .utf8)
  }

  private func denied(_ answer: [String: Any]) -> [[String: Any]] {
    (answer["sandbox"] as? [String: Any])?["denied"] as? [[String: Any]] ?? []
  }

  // MARK: denials

  @Test func `a denied address is told with the setting that allows it`() throws {
    try write([
      "test_net.py": """
      import socket
      def test_out():
          socket.create_connection(("192.0.2.1", 80), 2)
      """
    ])
    let (outcome, answer) = try run()
    #expect(outcome.status == 1)
    let denial = try #require(denied(answer).first)
    #expect(denial["target"] as? String == "192.0.2.1:80")
    #expect(denial["rule"] as? String == "no network")
    #expect(denial["setting"] as? String == "allow_network_access")
    let text = try ProctorProcess(["run"], in: workspace).run().text
    #expect(text.contains("192.0.2.1:80: no network; [tests] allow_network_access would allow it"))
  }

  @Test func `where denials cannot be seen the answer says so`() throws {
    try write(["test_a.py": "def test_a(): pass\n"])
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [
      "python3", "\(ProctorProcess.repository)/Tests/Support/without_notifications.py",
      ProctorProcess.binary,
      "run", workspace, "--format", "json",
    ]
    process.environment = ProctorProcess.environment
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let answer = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    let object = try JSONSerialization.jsonObject(with: answer) as? [String: Any]
    let missing = (object?["sandbox"] as? [String: Any])?["missing"] as? [String]
    #expect(missing?.contains { $0.contains("denied addresses are not told") } == true)
  }

  @Test func `the network is there when it is allowed`() throws {
    try write([
      "proctor.toml": "[tests]\nallow_network_access = true\n",
      "test_net.py": """
      import socket
      def test_more_than_loopback():
          assert len(socket.if_nameindex()) > 1
      """,
    ])
    let (outcome, answer) = try run()
    #expect(outcome.status == 0)
    #expect((answer["sandbox"] as? [String: Any])?["network"] as? String == "host")
  }

  @Test func `what is built has no network, and does not stand for tests that have it`() throws {
    try write([
      "proctor.toml": "[tests]\nallow_network_access = true\n",
      "Cargo.toml": "[package]\nname = \"net\"\nversion = \"0.1.0\"\nedition = \"2021\"\n",
      "build.rs": """
      fn main() {
          let text = std::fs::read_to_string("/proc/net/dev").unwrap();
          assert_eq!(text.lines().count(), 3, "a build has only the loopback: {text}");
      }
      """,
      "src/lib.rs": """
      #[test]
      fn more_than_loopback() {
          assert!(std::fs::read_to_string("/proc/net/dev").unwrap().lines().count() > 3);
      }
      """,
    ])
    let (outcome, answer) = try run()
    #expect(outcome.status == 0)
    #expect((answer["sandbox"] as? [String: Any])?["network"] as? String == "host")
  }

  @Test func `a hidden file is told, and shown when it is allowed`() throws {
    let data = try folder.write("42", to: "data/number")
    try write(["test_data.py": "def test_data():\n    assert open('\(data)').read() == '42'\n"])
    let (hidden, answer) = try run()
    #expect(hidden.status == 1)
    let denial = try #require(denied(answer).first)
    #expect(denial["kind"] as? String == "file")
    #expect(denial["target"] as? String == data)
    #expect(denial["setting"] as? String == "read")
    try write(["proctor.toml": "[tests]\nread = [\"\(folder.path)/data\"]\n"])
    #expect(try run().outcome.status == 0)
  }

  @Test(arguments: ["/", "/etc", "HOME/.ssh", "HOME"])
  func `what holds secrets is not shown`(path: String) throws {
    let home = "\(folder.path)/home"
    try folder.write("key", to: "home/.ssh/id")
    try write([
      "proctor.toml":
        "[tests]\nread = [\"\(path.replacingOccurrences(of: "HOME", with: home))\"]\n",
      "test_a.py": "def test_a(): pass\n",
    ])
    var process = ProctorProcess(["run", "--format", "json"], in: workspace)
    process.environment["HOME"] = home
    let outcome = try process.run()
    #expect(outcome.status == 5)
    #expect(outcome.text.contains("[tests] read in proctor.toml"))
  }

  // MARK: limits

  @Test(arguments: [
    ("max_cpu_time_seconds = 1", "while True: x = 1", "cpu_limit"),
    ("max_output_mb = 1", "import os\\n    while True: os.write(2, b'x' * 65536)", "output_limit"),
    (
      "max_scratch_mb = 20", "open('big', 'wb').write(b'x' * 300000000)\\n    while True: pass",
      "scratch_limit"
    ),
    ("max_memory_mb = 128", "x = bytearray(500000000)", "out_of_memory"),
  ])
  func `each limit has its own outcome`(setting: String, body: String, reason: String) throws {
    try write([
      "proctor.toml": "[tests]\n\(setting)\n[tests.pytest]\nargs = [\"-s\"]\n",
      "test_limit.py":
        "def test_greedy():\n    \(body.replacingOccurrences(of: "\\n", with: "\n"))\n",
    ])
    let (outcome, answer) = try run()
    let failures = answer["failures"] as? [[String: Any]] ?? []
    // A test that is known to have done it is a failed test, else there is no verdict.
    let words = [answer["reason"] as? String, failures.first?["raw_status"] as? String]
    #expect(words.contains(reason), "\(outcome.text)\(outcome.stderr)")
    #expect(outcome.status != 0)
    let reached = (answer["sandbox"] as? [String: Any])?["reached"] as? [[String: Any]] ?? []
    #expect(reached.contains { $0["fatal"] as? Bool == true })
  }

  @Test func `counted operations are denied beyond their number`() throws {
    try write([
      "proctor.toml": "[tests]\nmax_network_requests = 1\n",
      "test_net.py": """
      import socket
      def connect():
          server = socket.create_server(("127.0.0.1", 0))
          socket.create_connection(server.getsockname())
      def test_first(): connect()
      def test_second(): connect()
      """,
    ])
    let (outcome, answer) = try run()
    #expect(outcome.status == 1)
    #expect(answer["passed"] as? Int == 1)
    #expect(denied(answer).first?["rule"] as? String == "max_network_requests = 1")
    let refused = try ProctorProcess(
      ["run", "--isolation", "bubblewrap"], in: workspace
    ).run()
    #expect(refused.status == 7)
    #expect(refused.stderr.contains("only the backend \"namespaces\" counts calls"))
  }

  // MARK: writes

  private func writeTheWriter() throws {
    try write([
      "old.txt": "old", "gone.txt": "gone",
      "test_write.py": """
      import os, pathlib
      def test_writes():
          for folder in ("snapshots", "coverage/html", ".git/hooks"):
              pathlib.Path(folder).mkdir(parents=True)
          pathlib.Path("snapshots/a.txt").write_text("snapshot")
          pathlib.Path("coverage/html/index.html").write_text("coverage")
          pathlib.Path(".git/hooks/pre-commit").write_text("evil")
          pathlib.Path("old.txt").write_text("new")
          os.remove("gone.txt")
          os.symlink("/etc/passwd", "link")
      """,
    ])
  }

  private func writes(_ answer: [String: Any]) -> [String: Bool] {
    let list = answer["writes"] as? [[String: Any]] ?? []
    return Dictionary(
      uniqueKeysWithValues: list.map { ($0["path"] as? String ?? "", $0["kept"] as? Bool == true) })
  }

  static let everything = [
    ".git/hooks/pre-commit", "coverage/html/index.html", "gone.txt", "link", "old.txt",
    "snapshots/a.txt",
  ]

  @Test func `what tests write is shown and not kept`() throws {
    try writeTheWriter()
    let (outcome, answer) = try run()
    #expect(outcome.status == 0)
    #expect(writes(answer).keys.sorted() == Self.everything)
    #expect(!writes(answer).values.contains(true))
    #expect(read("old.txt") == "old")
    #expect(read("gone.txt") == "gone")
    #expect(read("snapshots/a.txt") == nil)
  }

  @Test func `what is asked for is kept, and nothing that runs later`() throws {
    try writeTheWriter()
    let (_, answer) = try run("--keep-writes")
    let kept = writes(answer).filter(\.value).keys.sorted()
    #expect(kept == ["coverage/html/index.html", "gone.txt", "old.txt", "snapshots/a.txt"])
    #expect(read("old.txt") == "new")
    #expect(read("gone.txt") == nil)
    #expect(read("snapshots/a.txt") == "snapshot")
    #expect(!FileManager.default.fileExists(atPath: "\(workspace)/.git"))
    #expect(
      (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(workspace)/link")) == nil)
  }

  @Test func `patterns keep what they name`() throws {
    try writeTheWriter()
    try write(["proctor.toml": "[tests]\nkeep = [\"snapshots/\", \"coverage/**/*.html\"]\n"])
    let (_, answer) = try run()
    let kept = writes(answer).filter(\.value).keys.sorted()
    #expect(kept == ["coverage/html/index.html", "snapshots/a.txt"])
    #expect(read("old.txt") == "old")
  }

  @Test func `nothing is kept through a link of the workspace`() throws {
    let outside = "\(folder.path)/outside"
    try FileManager.default.createDirectory(atPath: outside, withIntermediateDirectories: true)
    try write([
      "test_write.py": """
      import os, pathlib
      def test_writes():
          os.remove("snapshots")
          pathlib.Path("snapshots").mkdir()
          pathlib.Path("snapshots/a.txt").write_text("escaped")
      """
    ])
    try FileManager.default.createSymbolicLink(
      atPath: "\(workspace)/snapshots", withDestinationPath: outside)
    let (outcome, answer) = try run("--keep-writes")
    #expect(outcome.status == 0)
    #expect(writes(answer)["snapshots/a.txt"] == false)
    #expect(try FileManager.default.contentsOfDirectory(atPath: outside).isEmpty)
  }

  @Test func `a read-only workspace refuses, a writable one is written`() throws {
    try write(["test_write.py": "def test_writes():\n    open('new', 'w').write('x')\n"])
    try write(["proctor.toml": "[tests]\nworkspace = \"read-only\"\n"])
    #expect(try run().outcome.status == 1)
    try write(["proctor.toml": "[tests]\nworkspace = \"writable\"\n"])
    #expect(try run().outcome.status == 0)
    #expect(read("new") == "x")
  }

  // MARK: the self-test

  @Test(arguments: ["namespaces", "bubblewrap"])
  func `no attack gets through`(backend: String) throws {
    try write(["empty": ""])
    let outcome = try ProctorProcess(
      ["selftest", "--isolation", backend, "--format", "json"], in: workspace
    ).run()
    try Schema.validate(outcome.stdout, "selftest")
    let answer = try outcome.json()
    #expect(answer["backend"] as? String == backend)
    let attacks = answer["attacks"] as? [[String: Any]] ?? []
    let through = attacks.filter { $0["outcome"] as? String == "got_through" }
    #expect(through.isEmpty, "\(through)")
    #expect(outcome.status == 0)
    let blocked = attacks.filter { $0["outcome"] as? String == "blocked" }
    #expect(blocked.count >= 60)
    #expect(blocked.allSatisfy { $0["control_succeeded"] as? Bool == true })
  }

  @Test func `an interrupted self-test is no success`() throws {
    try write(["empty": ""])
    let running = try ProctorProcess(["selftest", "--format", "json"], in: workspace).start()
    usleep(3_000_000)
    kill(running.process.processIdentifier, SIGINT)
    let outcome = try running.wait()
    #expect(outcome.status == 130)
    #expect(try outcome.json()["complete"] as? Bool == false)
  }

  @Test func `without a sandbox the attacks get through`() throws {
    try write(["empty": ""])
    let outcome = try ProctorProcess(
      ["selftest", "--isolation", "none", "--format", "json"], in: workspace
    ).run()
    #expect(outcome.status == 1)
    let attacks = try outcome.json()["attacks"] as? [[String: Any]] ?? []
    #expect(attacks.filter { $0["outcome"] as? String == "got_through" }.count >= 60)
  }
}

import Foundation
import Testing

/// The engines that scripts/with-containers.sh starts.
enum ContainerEngines {
  static let areThere = ProcessInfo.processInfo.environment["CONTAINERS_CONF"] != nil
}

/// Real containers of Docker and Podman, with the image that scripts/setup-containers.sh makes.
@Suite(
  .serialized,
  .enabled(
    if: ContainerEngines.areThere,
    "needs the engines that scripts/with-containers.sh starts, as root: make test"))
struct ContainerTests {
  static let image = "proctor-test:latest"

  private let folder: TemporaryFolder
  private var workspace: String { "\(folder.path)/workspace" }

  init() throws { folder = try TemporaryFolder() }

  private func configure(_ engine: String = "docker", _ more: String = "") throws {
    try folder.write(
      """
      [execution]
      isolation = "docker"
      engine = "\(engine)"
      image = "\(Self.image)"
      \(more)
      """, to: "workspace/proctor.toml")
  }

  private func run(_ arguments: String...) throws -> (
    outcome: ProctorProcess.Outcome, answer: [String: Any]
  ) {
    let outcome = try ProctorProcess(["run", "--format", "json"] + arguments, in: workspace).run()
    try Schema.validate(outcome.stdout, "run_all_tests")
    return (outcome, try outcome.json())
  }

  private static func output(_ program: String, _ arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [program] + arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let text = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: text, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
  }

  private static func left(_ engine: String) throws -> [String] {
    [
      try output(engine, ["ps", "--all", "--quiet", "--filter", "label=proctor.owner"]),
      try output(engine, ["volume", "ls", "--quiet", "--filter", "label=proctor.owner"]),
    ].filter { !$0.isEmpty }
  }

  @Test(arguments: ["docker", "podman"])
  func `functions are called in containers`(engine: String) throws {
    try configure(engine)
    try folder.write("def f(x): return x\n", to: "workspace/f.py")
    try folder.write("exports.f = x => x\n", to: "workspace/f.js")
    try folder.write("fn f(x: u8) -> u8 { x }\n", to: "workspace/f.rs")
    for file in ["f.py", "f.js", "f.rs"] {
      let outcome = try ProctorProcess(
        ["exec", file, "f", "[7]", "--yes", "--format", "json"], in: workspace
      ).run()
      let answer = try outcome.json()
      #expect(answer["result"] as? Int == 7, "\(file): \(outcome.text)")
      #expect((answer["sandbox"] as? [String: Any])?["backend"] as? String == "docker")
    }
    #expect(try Self.left(engine).isEmpty)
  }

  @Test(arguments: ["docker", "podman"])
  func `pieces of code run in containers`(engine: String) throws {
    try configure(engine)
    let input = try folder.write("line\n", to: "input")
    let pieces = [
      ("py", "open('main.py', 'a').close(); open('output/a', 'w').write(input()); None"),
      (
        "js",
        "const fs = require('fs'); fs.writeFileSync('output/a', fs.readFileSync(0, 'utf8').trim())"
      ),
      (
        "rs",
        "let mut s = String::new(); std::io::stdin().read_line(&mut s)?; std::fs::write(\"output/a\", s.trim())?;"
      ),
    ]
    for (language, code) in pieces {
      let outcome = try ProctorProcess(
        ["eval", "-l", language, "--code", code, "--stdin", input, "--yes", "--format", "json"]
          + ["--timeout", "20"], in: workspace
      ).run()
      try Schema.validate(outcome.stdout, "execute_code")
      let files = try outcome.json()["files"] as? [[String: Any]] ?? []
      #expect(files.map { $0["text"] as? String } == ["line"], "\(language): \(outcome.text)")
    }
    #expect(try Self.left(engine).isEmpty)
  }

  @Test(arguments: ["docker", "podman"])
  func `tests run as nobody, without network, and change nothing`(engine: String) throws {
    try configure(engine)
    try folder.write("old", to: "workspace/old.txt")
    try folder.write(
      """
      import os, pathlib, socket, pytest
      def test_user(): assert os.getuid() == 65534
      def test_root():
          with pytest.raises(OSError): open("/usr/x", "w")
      def test_network():
          with pytest.raises(OSError): socket.create_connection(("192.0.2.1", 80), 2)
      def test_write():
          pathlib.Path("old.txt").write_text("new")
          os.makedirs("made/here")
      def test_capabilities():
          status = pathlib.Path("/proc/self/status").read_text()
          assert "CapEff:\\t0000000000000000" in status and "NoNewPrivs:\\t1" in status
      """, to: "workspace/test_it.py")
    let (outcome, answer) = try run()
    #expect(outcome.status == 0, "\(outcome.text)\(outcome.stderr)")
    #expect(answer["passed"] as? Int == 5)
    let sandbox = answer["sandbox"] as? [String: Any]
    #expect(sandbox?["backend"] as? String == "docker")
    #expect(sandbox?["workspace"] as? String == "protected")
    let writes = (answer["writes"] as? [[String: Any]] ?? []).compactMap { $0["path"] as? String }
    #expect(writes == ["old.txt"])
    #expect(try String(contentsOfFile: "\(workspace)/old.txt", encoding: .utf8) == "old")
    #expect(try Self.left(engine).isEmpty)
  }

  @Test func `the demo workspace gives in containers what it gives outside`() throws {
    let workspace = try folder.copy(fixture: "polyglot")
    let modules = "\(ProctorProcess.repository)/fixtures/node_modules"
    try FileManager.default.createSymbolicLink(
      atPath: "\(workspace)/javascript/node_modules", withDestinationPath: modules)
    let rust = try Self.output("rustc", ["--print", "sysroot"])
    let swift = try Self.output("which", ["swift"])
    let toolchain = URL(filePath: swift).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().path
    try configure(
      "docker",
      """
      [tests]
      read = ["\(modules)", "\(rust)", "\(toolchain)"]
      [tests.cargo]
      interpreter = "\(rust)/bin/cargo"
      [tests.swift]
      interpreter = "\(swift)"
      """)
    let (outcome, answer) = try run()
    #expect(outcome.status == 1, "\(outcome.text)\(outcome.stderr)")
    let counts = (answer["adapters"] as? [[String: Any]] ?? []).map { adapter in
      [adapter["adapter"], adapter["passed"], adapter["failed"], adapter["skipped"]]
        .map { "\($0 ?? "-")" }.joined(separator: " ")
    }
    #expect(counts.sorted() == ["cargo 3 1 1", "jest 3 1 1", "pytest 4 1 2", "swift 3 1 2"])
    #expect(try Self.left("docker").isEmpty)
  }

  @Test func `limits are held`() throws {
    try configure("docker", "[tests]\nmax_memory_mb = 128\ntimeout_seconds = 8\n")
    try folder.write(
      "def test_much():\n    x = bytearray(500 << 20)\n", to: "workspace/test_memory.py")
    let (outcome, answer) = try run()
    #expect(outcome.status != 0)
    let failures = answer["failures"] as? [[String: Any]] ?? []
    let words = [answer["reason"] as? String, failures.first?["raw_status"] as? String]
    #expect(words.contains("out_of_memory"), "\(outcome.text)")
    try folder.write(
      "import time\ndef test_long(): time.sleep(60)\n", to: "workspace/test_memory.py")
    #expect(try run().outcome.status != 0)
    #expect(try Self.left("docker").isEmpty)
  }

  @Test(arguments: ["docker", "podman"])
  func `what a killed proctor left is gone after the next start`(engine: String) throws {
    try configure(engine)
    try folder.write("import time\ndef test_long(): time.sleep(600)\n", to: "workspace/test_it.py")
    let running = try ProctorProcess(["run"], in: workspace).start()
    for _ in 0..<100
    where try Self.output(engine, ["ps", "--quiet", "--filter", "name=proctor-"]).isEmpty {
      usleep(100_000)
    }
    usleep(500_000)
    kill(running.process.processIdentifier, SIGKILL)
    _ = try running.wait()
    try folder.write("def test_short(): pass\n", to: "workspace/test_it.py")
    #expect(try run().outcome.status == 0)
    #expect(try Self.left(engine).isEmpty)
  }

  @Test func `a missing image or engine is a clear answer`() throws {
    try folder.write("def test_one(): pass\n", to: "workspace/test_it.py")
    let without = try ProctorProcess(["run", "--isolation", "docker"], in: workspace).run()
    #expect(without.status == 7)
    #expect(without.stderr.contains("image"))
    try folder.write(
      "[execution]\nisolation = \"docker\"\nimage = \"no-such-image\"\n",
      to: "workspace/proctor.toml")
    let missing = try ProctorProcess(["run"], in: workspace).run()
    #expect(missing.status == 7)
    #expect(missing.stderr.contains("no-such-image"))
  }

  @Test func `no attack gets out of a container`() throws {
    try folder.write("", to: "workspace/empty")
    let outcome = try ProctorProcess(
      ["selftest", "--isolation", "docker", "--image", Self.image, "--format", "json"],
      in: workspace
    ).run()
    try Schema.validate(outcome.stdout, "selftest")
    let attacks = try outcome.json()["attacks"] as? [[String: Any]] ?? []
    let through = attacks.filter { $0["outcome"] as? String == "got_through" }
    #expect(through.isEmpty, "\(through)")
    #expect(attacks.filter { $0["outcome"] as? String == "blocked" }.count >= 60)
  }
}

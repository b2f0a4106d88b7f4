import Foundation
import Testing

/// What users rely on besides verdicts: selection, isolation, interruption, clear answers to bad input.
@Suite(.serialized) struct BehaviourTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  func proctor(_ arguments: String..., in directory: String? = nil) -> ProctorProcess {
    ProctorProcess(arguments, in: directory ?? folder.path)
  }

  /// A small Python project, as quick as a project can be.
  func pythonProject(_ test: String, at name: String = "workspace") throws -> String {
    try folder.write("[pytest]\n", to: "\(name)/pytest.ini")
    try folder.write(test, to: "\(name)/test_it.py")
    return "\(folder.path)/\(name)"
  }

  // MARK: the demo workspace

  @Test func `the demo workspace has failures in every language, with file and line`() throws {
    let workspace = try folder.copy(fixture: "polyglot")
    let outcome = try proctor("run", "--format", "json", in: workspace).run()
    #expect(outcome.status == 1)
    try Schema.validate(outcome.stdout, "run_all_tests")
    let answer = try outcome.json()
    #expect(answer["status"] as? String == "partial_failure")
    let failures = answer["failures"] as? [[String: Any]] ?? []
    let places = failures.map { "\($0["file"] ?? "?"):\($0["line"] ?? "?")" }.sorted()
    #expect(
      places == [
        "javascript/slug.test.js:11", "python/tests/test_clock.py:15", "rust/src/lib.rs:8",
        "swift/Tests/GreetingTests/GreetingXCTests.swift:11",
      ])
    let adapters = answer["adapters"] as? [[String: Any]] ?? []
    #expect(
      adapters.compactMap { $0["adapter"] as? String } == ["cargo", "pytest", "jest", "swift"])
    #expect(
      adapters.allSatisfy { ($0["passed"] as? Int ?? 0) > 0 && ($0["skipped"] as? Int ?? 0) > 0 })
    let sandbox = answer["sandbox"] as? [String: Any]
    #expect(sandbox?["backend"] as? String == "namespaces")
    #expect(sandbox?["workspace"] as? String == "protected")
    let text = try proctor("run", in: workspace).run()
    #expect(
      text.text.contains(
        "FAIL basket::tests::discount_above_hundred_is_refused\n  rust/src/lib.rs:8:11"))
    #expect(!text.text.contains("\u{1b}"))
  }

  @Test func `one test runs by file, by name, by last part and by id`() throws {
    let workspace = try folder.copy(fixture: "polyglot")
    func count(_ arguments: [String]) throws -> Int? {
      let outcome = try ProctorProcess(["test"] + arguments + ["--format", "json"], in: workspace)
        .run()
      try Schema.validate(outcome.stdout, "run_test")
      return try outcome.json()["tests_run"] as? Int
    }
    #expect(try count(["rust/src/lib.rs"]) == 4)
    #expect(try count(["rust/src/lib.rs", "empty_basket_costs_nothing"]) == 1)
    #expect(try count(["rust/tests/shop.rs"]) == 1)
    #expect(
      try count(["python/tests/test_clock.py", "tests/test_clock.py::test_minutes[07:30-450]"]) == 1
    )
    #expect(try count(["pytest:python:tests/test_clock.py::ClockTests::test_noon"]) == 1)
    #expect(try count(["javascript/slug.test.js", "joins words"]) == 1)
    #expect(try count(["swift/Tests/GreetingTests/GreetingXCTests.swift", "testName"]) == 1)
    #expect(try count(["python"]) == 7)
    let wrong = try proctor(
      "test", "python/tests/test_clock.py", "test_minuts", "--format", "json", in: workspace
    ).run()
    #expect(wrong.status == 4)
    let nearest = try wrong.json()["suggestions"] as? [String] ?? []
    #expect(nearest.contains { $0.contains("test_minutes") })
  }

  /// What each lays out in the cache for its runner, none takes from under the other.
  @Test func `processes that begin at once share a cold cache`() throws {
    let folder = try TemporaryFolder()
    try folder.write("def test_a(): pass\n", to: "workspace/test_a.py")
    try folder.write(#"{"jest": {}}"#, to: "workspace/package.json")
    try folder.write("test('b', () => {});\n", to: "workspace/b.test.js")
    try FileManager.default.createSymbolicLink(
      atPath: "\(folder.path)/workspace/node_modules",
      withDestinationPath: "\(ProctorProcess.repository)/fixtures/node_modules")
    for round in 1...3 {
      var process = ProctorProcess(["run", "--format", "json"], in: "\(folder.path)/workspace")
      process.environment["PROCTOR_CACHE_DIR"] = "\(folder.path)/cache\(round)"
      let running = try (1...4).map { _ in try process.start() }
      for outcome in try running.map({ try $0.wait() }) {
        #expect(outcome.status == 0, "\(outcome.text)\(outcome.stderr)")
      }
    }
  }

  @Test func `a listing runs nothing and validates`() throws {
    let workspace = try pythonProject(
      "def test_writes():\n    open('/dev/shm/x', 'w')\n    assert False\n")
    let outcome = try proctor("list", "--format", "json", in: workspace).run()
    #expect(outcome.status == 0)
    try Schema.validate(outcome.stdout, "list_tests")
    #expect(try outcome.json()["total_tests"] as? Int == 1)
    let filtered = try proctor("list", "--filter", "nothing", in: workspace).run()
    #expect(filtered.text == "0 tests\n")
  }

  @Test func `status tries this machine and validates`() throws {
    let workspace = try folder.copy(fixture: "polyglot")
    let outcome = try proctor("status", "--format", "json", in: workspace).run()
    #expect(outcome.status == 0)
    try Schema.validate(outcome.stdout, "status")
    let runners = try outcome.json()["runners"] as? [[String: Any]] ?? []
    #expect(runners.count == 4)
    #expect(runners.allSatisfy { $0["tool"] != nil && $0["problem"] == nil })
  }

  // MARK: isolation

  @Test func `tests write to the workspace and it stays as it was`() throws {
    let workspace = try pythonProject(
      """
      import os, socket, pytest

      def test_writes():
          with open("written", "w") as file:
              file.write("x")
          assert open("written").read() == "x"

      def test_home_is_empty():
          assert os.listdir(os.path.expanduser("~")) == []

      def test_no_network():
          with pytest.raises(OSError):
              socket.create_connection(("192.0.2.1", 80), 3)
      """)
    let outcome = try proctor("run", "--format", "json", in: workspace).run()
    #expect(outcome.status == 0, "\(outcome.text)\(outcome.stderr)")
    let names = try FileManager.default.contentsOfDirectory(atPath: workspace).sorted()
    #expect(names == ["pytest.ini", "test_it.py"])
  }

  @Test func `a bare run says so`() throws {
    let workspace = try pythonProject(
      "import os\n\n\ndef test_home():\n    assert os.environ['HOME'] != '/tmp/home'\n")
    let outcome = try proctor("run", "--isolation", "none", "--format", "json", in: workspace).run()
    #expect(outcome.status == 0, "\(outcome.text)\(outcome.stderr)")
    let sandbox = try outcome.json()["sandbox"] as? [String: Any]
    #expect(sandbox?["backend"] as? String == "none")
    #expect((sandbox?["layers"] as? [String])?.isEmpty == true)
    let text = try proctor("run", "--isolation", "none", in: workspace).run()
    #expect(text.text.contains("not isolated"))
  }

  @Test(arguments: [
    ("--ro-bind /dev/null /usr/bin/bwrap", "bubblewrap"),
    ("--unshare-user --disable-userns", "auto"),
  ])
  func `without the sandbox nothing runs`(walls: String, isolation: String) throws {
    let workspace = try pythonProject("def test_one():\n    pass\n")
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/bwrap")
    process.arguments =
      ["--dev-bind", "/", "/"] + walls.split(separator: " ").map(String.init)
      + [
        ProctorProcess.binary, "run", workspace, "--format", "json", "--isolation", isolation,
      ]
    process.environment = ProctorProcess.environment
    let output = Pipe()
    let complaints = Pipe()
    process.standardOutput = output
    process.standardError = complaints
    try process.run()
    let answer = output.fileHandleForReading.readDataToEndOfFile()
    let words = String(
      decoding: complaints.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 7, "\(words)")
    #expect(words.contains("apt install bubblewrap") || words.contains("--isolation none"))
    try Schema.validate(answer, "run_all_tests")
    let object = try JSONSerialization.jsonObject(with: answer) as? [String: Any]
    #expect(object?["reason"] as? String == "sandbox_unavailable")
  }

  @Test func `a second run does not build again`() throws {
    let workspace = try folder.copy(fixture: "projects/cargo/filtered")
    _ = try proctor("run", in: workspace).run()
    let second = try proctor("run", "--format", "json", in: workspace).run()
    let adapters = try second.json()["adapters"] as? [[String: Any]]
    let commands = adapters?.first?["commands"] as? [[String: Any]] ?? []
    #expect(commands.filter { $0["purpose"] as? String == "build" }.count == 1)
    let binaries = try #require(
      FileManager.default.enumerator(atPath: ProctorProcess.cache)?.compactMap { $0 as? String }
        .filter { $0.contains("/deps/filtered-") && !$0.contains(".") })
    #expect(!binaries.isEmpty)
  }

  @Test func `dependencies are fetched only when asked, and stay`() throws {
    try folder.write(
      """
      // swift-tools-version: 5.9
      import PackageDescription

      let package = Package(
        name: "needy",
        dependencies: [.package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")],
        targets: [
          .target(
            name: "Needy",
            dependencies: [.product(name: "ArgumentParser", package: "swift-argument-parser")]),
          .testTarget(name: "NeedyTests", dependencies: ["Needy"]),
        ]
      )
      """, to: "workspace/Package.swift")
    try folder.write("import ArgumentParser\n", to: "workspace/Sources/Needy/Needy.swift")
    try folder.write(
      "import Testing\n\n@Test func works() {}\n", to: "workspace/Tests/NeedyTests/NeedyTests.swift"
    )
    let workspace = "\(folder.path)/workspace"
    let without = try proctor("run", in: workspace).run()
    #expect(without.status == 3)
    #expect(without.text.contains("swift-argument-parser is not downloaded: run with --fetch"))
    let with = try proctor("run", "--fetch", in: workspace).run()
    #expect(with.status == 0, "\(with.text)\(with.stderr)")
    #expect(try proctor("run", in: workspace).run().status == 0)
  }

  /// Files of a workspace are anybody's: none may run outside the sandbox, or open the host.
  @Test(arguments: ["interpreter", "pyvenv", "link", "toolchain", "modules"])
  func `a hostile workspace gets nothing of the host`(attack: String) throws {
    let harmed = "\(folder.path)/harmed"
    let home = "\(folder.path)/home"
    try folder.write("key of the host", to: "home/.ssh/key")
    try folder.write(
      "#!/bin/sh\ntouch \(harmed)\ncat \(home)/.ssh/key >&2\nexit 0\n", to: "home/bin/tool")
    let workspace = try pythonProject(
      """
      def test_reads():
          assert not __import__("os").path.exists("\(home)/.ssh/key")
      """)
    let evil = "#!/bin/sh\ntouch \(harmed)\ncat \(home)/.ssh/key >&2\necho evil 1.0\nexit 1\n"
    func executable(_ name: String) throws {
      try folder.write(evil, to: "workspace/\(name)")
      chmod("\(workspace)/\(name)", 0o755)
    }
    chmod("\(home)/bin/tool", 0o755)
    switch attack {
    case "interpreter":
      try executable("evil")
      try folder.write(
        "[tests.pytest]\ninterpreter = \"./evil\"\n", to: "workspace/proctor.toml")
    case "pyvenv":
      try executable(".venv/bin/python")
      try folder.write("home = \(home)/nothing\n", to: "workspace/.venv/pyvenv.cfg")
      try folder.write("", to: "workspace/.venv/lib/python3/site-packages/pytest/__init__.py")
    case "link":
      try folder.write("", to: "workspace/.venv/lib/python3/site-packages/pytest/__init__.py")
      try folder.write("home = /usr/bin\n", to: "workspace/.venv/pyvenv.cfg")
      try FileManager.default.createDirectory(
        atPath: "\(workspace)/.venv/bin", withIntermediateDirectories: true)
      try FileManager.default.createSymbolicLink(
        atPath: "\(workspace)/.venv/bin/python", withDestinationPath: "\(home)/bin/tool")
    case "toolchain":
      try executable("evil/bin/cargo")
      try executable("evil/bin/rustc")
      try folder.write(
        "[toolchain]\npath = \"\(workspace)/evil\"\n", to: "workspace/rust-toolchain.toml")
      try folder.write("[package]\nname = \"x\"\nversion = \"0.1.0\"\n", to: "workspace/Cargo.toml")
      try folder.write("", to: "workspace/src/lib.rs")
    default:
      try FileManager.default.createSymbolicLink(
        atPath: "\(folder.path)/node_modules",
        withDestinationPath: "\(ProctorProcess.repository)/fixtures/node_modules")
      try folder.write("{\"jest\": {}}", to: "workspace/package.json")
      try folder.write(
        "test('x', () => { throw require('fs').readFileSync('\(home)/.ssh/key', 'utf8'); });",
        to: "workspace/x.test.js")
      try FileManager.default.createSymbolicLink(
        atPath: "\(workspace)/node_modules", withDestinationPath: home)
    }
    var process = proctor("run", "--format", "json", in: workspace)
    // Where rustup is real, it keeps its own home.
    let real = ProctorProcess.environment["HOME"] ?? "/root"
    process.environment["RUSTUP_HOME"] = process.environment["RUSTUP_HOME"] ?? "\(real)/.rustup"
    process.environment["HOME"] = home
    let outcome = try process.run()
    #expect(!FileManager.default.fileExists(atPath: harmed), "\(outcome.text)")
    let failures = try outcome.json()["failures"] as? [[String: Any]] ?? []
    #expect(!failures.contains { $0["test"] as? String == "test_reads" }, "\(outcome.text)")
    #expect(!outcome.text.contains("key of the host"), "\(outcome.text)")
    if attack == "link" || attack == "interpreter" { #expect(outcome.status == 5) }
  }

  // MARK: time, signals

  @Test(arguments: [SIGINT, SIGTERM])
  func `a signal ends everything and what is known is printed`(signal: Int32) throws {
    let mark = "6\(Int.random(in: 1000...9999))"
    let workspace = try pythonProject(
      "import subprocess\n\n\ndef test_first():\n    pass\n\n\ndef test_hangs():\n    subprocess.run(['sleep', '\(mark)'])\n"
    )
    let running = try proctor("run", "--format", "json", in: workspace).start()
    for _ in 0..<200 where Self.processes("sleep\0\(mark)\0").isEmpty { usleep(50_000) }
    #expect(!Self.processes("sleep\0\(mark)\0").isEmpty)
    let begin = ContinuousClock().now
    kill(running.process.processIdentifier, signal)
    let outcome = try running.wait()
    #expect(ContinuousClock().now - begin < .seconds(2))
    #expect(outcome.status == 130)
    #expect(Self.processes("sleep\0\(mark)\0").isEmpty)
    try Schema.validate(outcome.stdout, "run_all_tests")
    let answer = try outcome.json()
    #expect(answer["reason"] as? String == "interrupted")
    #expect(answer["passed"] as? Int == 1)
    #expect((answer["missing"] as? [String])?.contains { $0.contains("test_hangs") } == true)
  }

  @Test func `a killed proctor takes its tests along, and the next one cleans up`() throws {
    let mark = "7\(Int.random(in: 1000...9999))"
    let workspace = try pythonProject(
      "import subprocess\n\n\ndef test_hangs():\n    subprocess.run(['sleep', '\(mark)'])\n")
    let running = try proctor("run", in: workspace).start()
    for _ in 0..<200 where Self.processes("sleep\0\(mark)\0").isEmpty { usleep(50_000) }
    kill(running.process.processIdentifier, SIGKILL)
    _ = try running.wait()
    for _ in 0..<100 where !Self.processes("sleep\0\(mark)\0").isEmpty { usleep(20_000) }
    #expect(Self.processes("sleep\0\(mark)\0").isEmpty)
    _ = try proctor("run", in: try pythonProject("def test_a():\n    pass\n", at: "other")).run()
    let runs =
      (try? FileManager.default.contentsOfDirectory(atPath: "\(ProctorProcess.cache)/runs")) ?? []
    let own = "\(running.process.processIdentifier)-"
    #expect(!runs.contains { $0.hasPrefix(own) })
  }

  static func processes(_ command: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).filter { pid in
      (try? String(contentsOfFile: "/proc/\(pid)/cmdline", encoding: .utf8)) == command
    }
  }

  @Test func `the time limit names the test that hangs`() throws {
    let workspace = try pythonProject(
      "import time\n\n\ndef test_first():\n    pass\n\n\ndef test_hangs():\n    time.sleep(100)\n")
    let outcome = try proctor("run", "--timeout", "3", "--format", "json", in: workspace).run()
    #expect(outcome.status == 6)
    let answer = try outcome.json()
    #expect(answer["reason"] as? String == "timed_out")
    let failure = (answer["failures"] as? [[String: Any]])?.first
    #expect(failure?["outcome"] as? String == "timed_out")
    #expect(failure?["test"] as? String == "test_hangs")
  }

  @Test func `what only proctor finds wrong can be allowed`() throws {
    let workspace = try folder.copy(fixture: "lies/cargo-unjoined_thread")
    let found = try proctor("run", in: workspace).run()
    #expect(found.status == 1)
    #expect(found.text.contains("allow = [\"unjoined_panic\"]"))
    try folder.write(
      "[tests]\nallow = [\"unjoined_panic\"]\n", to: "workspace/proctor.toml")
    let allowed = try proctor("run", in: workspace).run()
    #expect(allowed.status == 0, "\(allowed.text)\(allowed.stderr)")
    try folder.write("[tests]\nallow = [\"everything\"]\n", to: "workspace/proctor.toml")
    let wrong = try proctor("run", in: workspace).run()
    #expect(wrong.status == 2)
    #expect(wrong.stderr.contains("proctor.toml:2: tests.allow must be a list of"))
  }

  // MARK: bad input

  @Test func `a workspace that is none`() throws {
    let missing = try proctor("run", "nowhere").run()
    #expect(missing.status == 2)
    #expect(missing.stderr.contains("there is no folder at nowhere"))
    try folder.write("x", to: "file")
    let file = try proctor("run", "file").run()
    #expect(file.status == 2)
    #expect(file.stderr.contains("is a file"))
    let empty = try proctor("run", "--format", "json").run()
    #expect(empty.status == 4)
    #expect(try empty.json()["reason"] as? String == "nothing_detected")
    let usage = try proctor("run", "--bogus").run()
    #expect(usage.status == 2)
  }

  @Test func `filters that are wrong`() throws {
    let name = String(repeating: "a", count: 200)
    let workspace = try pythonProject("def test_\(name)_b():\n    pass\n")
    let invalid = try proctor("run", "--filter", "test_(x", in: workspace).run()
    #expect(invalid.status == 2)
    #expect(invalid.stderr.contains("invalid regex at position 8"))
    let pathological = try proctor("run", "--filter", "(a+)+$", in: workspace).run()
    #expect(pathological.status == 2)
    #expect(pathological.stderr.contains("too expensive"))
    #expect(try proctor("run", "--filter", "nothing like it", in: workspace).run().status == 4)
  }

  @Test func `a configuration that is wrong`() throws {
    let workspace = try pythonProject("def test_one():\n    pass\n")
    try folder.write("[tests]\ntimeout = 3\n", to: "workspace/proctor.toml")
    let unknown = try proctor("run", in: workspace).run()
    #expect(unknown.status == 2)
    #expect(unknown.stderr.contains("proctor.toml:2: unknown key tests.timeout"))
    try folder.write("[tests.pytest]\nenabled = false\n", to: "workspace/proctor.toml")
    #expect(try proctor("run", in: workspace).run().status == 4)
    try folder.write("[execution]\nisolation = \"docker\"\n", to: "workspace/proctor.toml")
    #expect(try proctor("run", in: workspace).run().status == 7)
    try folder.write("[tests.pytest]\ninterpreter = \"/no/python\"\n", to: "workspace/proctor.toml")
    let missing = try proctor("run", in: workspace).run()
    #expect(missing.status == 5)
    #expect(missing.text.contains("/no/python of [tests.pytest] is not there"))
  }

  @Test func `arguments and environment of the configuration reach the runner`() throws {
    let workspace = try pythonProject(
      "import os\n\n\ndef test_one():\n    assert os.environ['COLOUR'] == 'blue'\n\n\ndef test_two():\n    assert False\n"
    )
    try folder.write(
      "[tests.pytest]\nargs = [\"-k\", \"one\"]\nenv = { COLOUR = \"blue\" }\n",
      to: "workspace/proctor.toml")
    let outcome = try proctor("run", "--format", "json", in: workspace).run()
    #expect(outcome.status == 0, "\(outcome.text)")
    #expect(try outcome.json()["total_tests"] as? Int == 1)
  }

  @Test func `a runner that is not installed names the package that brings it`() throws {
    try folder.write("{\"devDependencies\": {\"jest\": \"29\"}}", to: "workspace/package.json")
    try folder.write("test('x', () => {});", to: "workspace/x.test.js")
    var noNode = proctor("run", in: "\(folder.path)/workspace")
    noNode.environment["PATH"] = "/nowhere"
    let withoutNode = try noNode.run()
    #expect(withoutNode.status == 5)
    #expect(withoutNode.text.contains("apt install nodejs"))
    let withoutJest = try proctor("run", in: "\(folder.path)/workspace").run()
    #expect(withoutJest.status == 3)
    #expect(withoutJest.text.contains("--fetch"))
    let python = try pythonProject("def test_one():\n    pass\n", at: "python")
    var noPytest = proctor("run", in: python)
    noPytest.environment["VIRTUAL_ENV"] = nil
    noPytest.environment["PATH"] = "/usr/bin:/bin"
    let withoutPytest = try noPytest.run()
    if withoutPytest.status != 0 {
      #expect(withoutPytest.text.contains("apt install python3-pytest"))
    }
  }

  @Test func `odd names are no trouble`() throws {
    let workspace = try pythonProject("def test_one():\n    pass\n", at: "a b,c:d\ne \u{1b} é 'q'")
    let raw = open("\(workspace)/\u{fffd}", O_CREAT | O_WRONLY, 0o644)
    close(raw)
    var bytes =
      Array("\(workspace)/test_".utf8CString.dropLast()) + [
        CChar(bitPattern: 0xff), CChar(bitPattern: 0xfe),
      ]
    bytes += ".txt".utf8CString
    let other = open(bytes, O_CREAT | O_WRONLY, 0o644)
    #expect(other >= 0)
    close(other)
    let outcome = try proctor("run", "--format", "json", in: workspace).run()
    #expect(outcome.status == 0, "\(outcome.text)\(outcome.stderr)")
    #expect(try outcome.json()["passed"] as? Int == 1)
  }

  @Test func `50 MB of output are cut, and the cut is said`() throws {
    let workspace = try pythonProject(
      "def test_loud():\n    print('x' * 50_000_000)\n    assert False\n")
    let outcome = try proctor("run", "--format", "json", in: workspace).run()
    #expect(outcome.status == 1)
    #expect(outcome.stdout.count < 1_000_000)
    let failure = (try outcome.json()["failures"] as? [[String: Any]])?.first
    #expect((failure?["stdout"] as? String)?.contains("characters cut") == true)
  }

  @Test func `too few open files are told as such, and never cost the input`() throws {
    let folder = try pythonProject("", at: "descriptors")
    try "print(len(input()))\n".write(
      toFile: "\(folder)/count.py", atomically: true, encoding: .utf8)
    try "12345\n".write(toFile: "\(folder)/data", atomically: true, encoding: .utf8)
    for limit in [14, 16, 18, 20, 22, 24, 26, 28, 200] {
      let process = Process()
      process.executableURL = URL(filePath: "/bin/bash")
      process.arguments = [
        "-c", "ulimit -n \(limit); exec \"$0\" eval count.py --stdin data --yes --format json",
        ProctorProcess.binary,
      ]
      process.currentDirectoryURL = URL(filePath: folder)
      process.environment = ProctorProcess.environment
      process.standardInput = FileHandle.nullDevice
      let output = Pipe()
      process.standardOutput = output
      try process.run()
      let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      process.waitUntilExit()
      let isRight = process.terminationStatus == 0 && text.contains(#""stdout" : "5\n""#)
      let isTold = process.terminationStatus == 5 && text.contains("open")
      #expect(isRight || limit < 200 && isTold, "\(limit): \(process.terminationStatus) \(text)")
    }
  }

  @Test func `a read-only workspace runs`() throws {
    let workspace = try pythonProject("def test_one():\n    open('written', 'w')\n")
    chmod(workspace, 0o555)
    defer { chmod(workspace, 0o755) }
    let outcome = try proctor("run", in: workspace).run()
    #expect(outcome.status == (getuid() == 0 ? 0 : 1), "\(outcome.text)")
  }

  @Test func `a full cache folder is a clear answer`() throws {
    let workspace = try pythonProject("def test_one():\n    pass\n")
    var full = proctor("run", "--format", "json", in: workspace)
    full.environment["PROCTOR_CACHE_DIR"] = "/proc/nowhere"
    let outcome = try full.run()
    #expect(outcome.status == 5)
    #expect(outcome.stderr.contains("PROCTOR_CACHE_DIR"))
    #expect(try outcome.json()["reason"] as? String == "storage")
  }
}

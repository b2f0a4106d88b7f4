import Foundation
import Testing

/// The audit trail, through the built program.
@Suite(.serialized) final class AuditTests {
  private let folder: TemporaryFolder
  private var workspace: String { "\(folder.path)/workspace" }
  private var cache: String { "\(folder.path)/cache" }

  init() throws {
    folder = try TemporaryFolder()
    try folder.write("def add(a, b=1): return a + b\n", to: "workspace/a.py")
  }

  private func proctor(
    _ arguments: [String], environment: [String: String] = [:]
  ) -> ProctorProcess {
    var process = ProctorProcess(arguments, in: workspace)
    process.environment["PROCTOR_CACHE_DIR"] = cache
    // The settings of who runs the tests do not matter.
    process.environment["XDG_CONFIG_HOME"] = "\(folder.path)/config"
    process.environment.merge(environment) { $1 }
    return process
  }

  private func calls(_ filter: [String] = []) throws -> [[String: Any]] {
    let outcome = try proctor(["audit", "--format", "json"] + filter).run()
    #expect(outcome.status == 0, "\(outcome.stderr)")
    try Schema.validate(outcome.stdout, "audit")
    return try outcome.json()["calls"] as? [[String: Any]] ?? []
  }

  private func verify() throws -> (status: Int32, answer: [String: Any]) {
    let outcome = try proctor(["audit", "verify", "--format", "json"]).run()
    try Schema.validate(outcome.stdout, "audit")
    return (outcome.status, try outcome.json())
  }

  /// All that the trail has on disk.
  private func bytes() throws -> Data {
    let trail = "\(cache)/audit"
    return try FileManager.default.contentsOfDirectory(atPath: trail).reduce(into: Data()) {
      $0 += try Data(contentsOf: URL(filePath: "\(trail)/\($1)"))
    }
  }

  @Test func `commands are on record with who, what, why and how it ended`() throws {
    try folder.write("def test_ok(): pass\ndef test_no(): assert 0\n", to: "workspace/test_a.py")
    #expect(
      try proctor(["exec", "a.py", "add", "[1]", "--yes", "--reason", "to see"]).run().status == 0)
    #expect(try proctor(["exec", "a.py", "add", "[1]"]).run().status == 8)
    #expect(try proctor(["exec", "a.py", "gone", "--yes", "--timeout", "7"]).run().status == 2)
    #expect(try proctor(["eval", "-l", "py", "--code", "1/0", "--yes"]).run().status == 1)
    #expect(try proctor(["run", "--format", "json"]).run().status == 1)
    #expect(try proctor(["run", "nowhere"]).run().status == 2)
    let calls = try calls()
    #expect(
      calls.map { $0["operation"] as? String } == [
        "run_all_tests", "run_all_tests", "execute_code", "execute_function", "execute_function",
        "execute_function",
      ])
    #expect(
      calls.map { $0["status"] as? String }
        == ["error", "partial_failure", "error", "error", "error", "success"])
    #expect(calls.map { $0["exit_code"] as? Int } == [2, 1, 1, 2, 8, 0])
    let (first, refused, missing, code, run) = (calls[5], calls[4], calls[3], calls[2], calls[1])
    #expect(first["reason"] as? String == "to see")
    #expect(first["door"] as? String == "command_line")
    #expect((first["caller"] as? String)?.contains("uid \(getuid())") == true)
    #expect(first["workspace"] as? String == workspace)
    #expect((first["confirmation"] as? [String: Any])?["answer"] as? String == "allowed_ahead")
    let sandbox = first["sandbox"] as? [String: Any]
    #expect(sandbox?["network"] as? String == "none")
    #expect((sandbox?["limits"] as? [String: Any])?["memory_mb"] as? Int == 512)
    #expect((first["arguments"] as? [String: Any])?["args"] as? [Int] == [1])
    #expect((refused["confirmation"] as? [String: Any])?["answer"] as? String == "refused")
    #expect((refused["verdict"] as? [String: Any])?["reason"] as? String == "refused")
    #expect((missing["verdict"] as? [String: Any])?["reason"] as? String == "not_found")
    #expect((missing["asked"] as? [String: Any])?["timeout_seconds"] as? Double == 7)
    let digest = (code["arguments"] as? [String: Any])?["code"] as? [String: Any]
    #expect(digest?["excerpt"] as? String == "1/0")
    let verdict = run["verdict"] as? [String: Any]
    #expect(verdict?["passed"] as? Int == 1 && verdict?["failed"] as? Int == 1)
    let resources = run["resources"] as? [String: Any]
    #expect(resources?["cpu_ms"] as? Double ?? 0 > 0)
    #expect(resources?["peak_memory_mb"] as? Double ?? 0 > 0)
    #expect(try verify().status == 0)
  }

  @Test func `the list is filtered, and one call is shown`() throws {
    for reason in ["one", "two", "three"] {
      _ = try proctor(["exec", "a.py", "add", "[1]", "--reason", reason]).run()
    }
    _ = try proctor(["validate", "a.py"]).run()
    #expect(try calls(["--operation", "validate_code"]).count == 1)
    #expect(try calls(["--status", "error"]).count == 3)
    #expect(try calls(["--door", "mcp"]).isEmpty)
    #expect(try calls(["--workspace", "."]).count == 4)
    #expect(try calls(["--workspace", "/"]).isEmpty)
    #expect(try calls(["--since", "1h"]).count == 4)
    #expect(try calls(["--since", "2999-01-01"]).isEmpty)
    let page = try proctor(["audit", "--limit", "2", "--format", "json"]).run().json()
    #expect(page["more"] as? Bool == true)
    let before = try #require(page["next_before"] as? Int)
    #expect(
      try calls(["--before", "\(before)"]).map { $0["reason"] as? String } == ["two", "one"])
    let text = try proctor(["audit", "--operation", "validate_code"]).run().text
    #expect(text.split(separator: "\n").count == 1 && text.contains("command_line"))
    let shown = try proctor(["audit", "show", "\(before)"]).run()
    #expect(shown.text.contains("reason        three"), "\(shown.text)")
    let json = try proctor(["audit", "show", "\(before)", "--format", "json"]).run()
    try Schema.validate(json.stdout, "audit")
    #expect(try proctor(["audit", "show", "4711"]).run().status == 2)
    for wrong in [["--since", "soon"], ["--limit", "0"], ["--door", "window"]] {
      #expect(try proctor(["audit"] + wrong).run().status == 2, "\(wrong)")
    }
  }

  @Test func `a call whose process is killed is lost, and the chain holds`() async throws {
    try folder.write("import time\ndef test_slow(): time.sleep(60)\n", to: "workspace/test_a.py")
    let running = try proctor(["run"]).start()
    var seen: [[String: Any]] = []
    for _ in 0..<200 where seen.isEmpty {
      try await Task.sleep(for: .milliseconds(50))
      seen = try calls(["--status", "running"])
    }
    #expect(seen.first?["operation"] as? String == "run_all_tests")
    kill(running.process.processIdentifier, SIGKILL)
    _ = try running.wait()
    let lost = try calls()
    #expect(lost.map { $0["status"] as? String } == ["lost"])
    #expect(lost.first?["lost_at"] != nil && lost.first?["ended_at"] == nil)
    #expect(try verify().status == 0)
    #expect(try calls().count == 1)
  }

  @Test func `two hundred processes at once write one chain`() throws {
    let process = Process()
    process.executableURL = URL(filePath: "/bin/sh")
    // Nobody can be asked, so that nothing runs.
    process.arguments = [
      "-c", "seq 200 | xargs -P 25 -I{} \"$0\" exec a.py add '[{}]' >/dev/null 2>&1; true",
      ProctorProcess.binary,
    ]
    process.currentDirectoryURL = URL(filePath: workspace)
    process.environment = proctor([]).environment
    try process.run()
    process.waitUntilExit()
    let calls = try calls(["--limit", "1000"])
    #expect(calls.count == 200)
    let numbers = calls.compactMap { ($0["arguments"] as? [String: Any])?["args"] as? [Int] }
    #expect(Set(numbers.flatMap(\.self)) == Set(1...200))
    #expect(calls.allSatisfy { $0["exit_code"] as? Int == 8 })
    let found = try verify()
    #expect(found.status == 0)
    // Each begun and ended, and the beginning of the trail.
    #expect(found.answer["entries"] as? Int == 401)
  }

  @Test func `who changes, removes or cuts off is found`() throws {
    for _ in 0..<3 { _ = try proctor(["exec", "a.py", "add"]).run() }
    let changes = [
      ("UPDATE entry SET status = 'passed' WHERE number = 5", 5),
      ("DELETE FROM entry WHERE number = 3", 3), ("DELETE FROM entry WHERE number > 5", 6),
    ]
    for (index, (sql, entry)) in changes.enumerated() {
      let copy = "\(folder.path)/copy-\(index)"
      try FileManager.default.createDirectory(atPath: copy, withIntermediateDirectories: true)
      try FileManager.default.copyItem(atPath: "\(cache)/audit", toPath: "\(copy)/audit")
      let script = """
        import sqlite3, sys
        trail = sqlite3.connect(sys.argv[1])
        for name, in trail.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            trail.execute(f"DROP TRIGGER {name}")
        trail.execute(sys.argv[2])
        trail.commit()
        """
      let process = try Process.run(
        URL(filePath: "\(ProctorProcess.repository)/.cache/python/bin/python"),
        arguments: ["-c", script, "\(copy)/audit/audit.sqlite", sql])
      process.waitUntilExit()
      #expect(process.terminationStatus == 0)
      let outcome = try proctor(
        ["audit", "verify", "--format", "json"], environment: ["PROCTOR_CACHE_DIR": copy]
      ).run()
      #expect(outcome.status == 1)
      let problem = try outcome.json()["problem"] as? [String: Any]
      #expect(problem?["entry"] as? Int == entry, "\(outcome.text)")
    }
    #expect(try verify().status == 0)
  }

  @Test func `no secret reaches the disk`() throws {
    let hidden = ["DEPLOY_TOKEN": "HIDE-in-the-environment"]
    let code = "password = 'HIDE-in-code'  # as HIDE-in-the-environment\n"
    let calls = [
      ["exec", "a.py", "add", #"{"a": "HIDE-in-the-environment", "api_key": "HIDE-by-name"}"#],
      [
        "exec", "a.py", "add", #"["https://me:HIDE-in-address@example.org"]"#, "--reason",
        "token: HIDE-in-reason",
      ],
      ["eval", "-l", "py", "--code", code],
      ["run", "--filter", "Bearer HIDE-in-filter"],
    ]
    for call in calls { _ = try proctor(call, environment: hidden).run() }
    let bytes = try bytes()
    #expect(bytes.range(of: Data("[masked]".utf8)) != nil)
    #expect(bytes.range(of: Data("HIDE".utf8)) == nil)
  }

  @Test func `what is never a call does not open the trail`() throws {
    for arguments in [["--version"], ["--help"], ["exec", "--help"], ["run", "--what"]] {
      _ = try proctor(arguments).run()
    }
    #expect(try calls().isEmpty)
    #expect(try proctor(["audit", "verify"]).run().status == 5)
    #expect(!FileManager.default.fileExists(atPath: "\(cache)/audit"))
  }

  @Test func `a trail that cannot be written is said, or the call is refused where that is wanted`()
    throws
  {
    try folder.write("", to: "cache/audit/audit.sqlite/no-file")
    let call = ["exec", "a.py", "add", "[1]", "--yes"]
    let lenient = try proctor(call).run()
    #expect(lenient.status == 0)
    #expect(lenient.stderr.contains("not recorded in the audit trail"))
    try folder.write("[audit]\nrequired = true\n", to: "workspace/proctor.toml")
    let strict = try proctor(call + ["--format", "json"]).run()
    #expect(strict.status == 5)
    #expect(strict.stderr.contains("is not made"))
    try Schema.validate(strict.stdout, "execute_function")
    // A workspace can ask for more than the user, not for less.
    try folder.write("[audit]\nrequired = true\n", to: "config/proctor/proctor.toml")
    try folder.write("[audit]\nrequired = false\n", to: "workspace/proctor.toml")
    #expect(try proctor(call).run().status == 5)
  }

  @Test func `how long is kept is the user's to say`() throws {
    try folder.write("[audit]\nretention_days = 1\n", to: "workspace/proctor.toml")
    let outcome = try proctor(["exec", "a.py", "add", "[1]", "--yes"]).run()
    #expect(outcome.status == 2)
    #expect(outcome.stderr.contains("proctor.toml:2") && outcome.stderr.contains(".config/proctor"))
    #expect(try calls().map { $0["exit_code"] as? Int } == [2])
    try FileManager.default.removeItem(atPath: "\(workspace)/proctor.toml")
    try folder.write("[audit]\nretention_days = 0\n", to: "config/proctor/proctor.toml")
    let wrong = try proctor(["exec", "a.py", "add", "[1]", "--yes"]).run()
    #expect(wrong.status == 2)
    #expect(wrong.stderr.contains("config/proctor/proctor.toml:2"), "\(wrong.stderr)")
    try folder.write(
      "[audit]\nretention_days = 30\nmax_mb = 5\n", to: "config/proctor/proctor.toml")
    #expect(try proctor(["exec", "a.py", "add", "[1]", "--yes"]).run().status == 0)
  }

  @Test func `a trail that is no database is set aside`() throws {
    try folder.write(
      "anything but a database, for more than a header's length", to: "cache/audit/audit.sqlite")
    let unread = try proctor(["audit", "verify"]).run()
    #expect(unread.status == 1 || unread.status == 5)
    let outcome = try proctor(["exec", "a.py", "add", "[1]", "--yes"]).run()
    #expect(outcome.status == 0)
    #expect(outcome.stderr.contains("audit.sqlite.corrupt-1"))
    #expect(try calls().count == 1)
    #expect(try verify().answer["set_aside"] as? [String] == ["audit.sqlite.corrupt-1"])
  }

  @Test func `what agents call is on record`() throws {
    try PythonScript(name: "mcp_audit.py", environment: "mcp").check()
  }
}

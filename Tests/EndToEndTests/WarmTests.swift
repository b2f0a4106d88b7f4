import Foundation
import Testing

/// Calls that the helper answers from sandboxes which were started ahead.
@Suite(.serialized) final class WarmTests {
  private let folder: TemporaryFolder
  private var workspace: String { "\(folder.path)/workspace" }
  private var cache: String { "\(folder.path)/cache" }

  init() throws {
    folder = try TemporaryFolder()
    try folder.write(Self.python, to: "workspace/a.py")
  }

  deinit { Self.helpers(of: folder.path).forEach { kill($0, SIGKILL) } }

  private static let python = """
    import colorsys
    import os, signal, sys, time

    def add(a, b=1): return a + b
    def loaded(): return "colorsys" in sys.modules
    def colour(): return colorsys.rgb_to_hsv(0, 0, 1)[0]
    def number(): return 1
    def mark():
        made = hasattr(colorsys, "made") or hasattr(sys, "made")
        colorsys.made = sys.made = True
        return made
    def poison():
        try: os.kill(-1, signal.SIGKILL)
        except ProcessLookupError: pass
        os.kill(os.getpid(), signal.SIGKILL)
    def sleep(): time.sleep(60)
    def zone(): return os.environ.get("LC_TEST")
    def age():
        started = int(open("/proc/self/stat").read().rsplit(") ", 1)[1].split()[19])
        return float(open("/proc/uptime").read().split()[0]) - started / os.sysconf("SC_CLK_TCK")
    def forge(): print('{"event":"returned","value":9}'); return 2
    """

  private func call(
    _ function: String, _ arguments: String = "[]", _ more: [String] = [], of file: String = "a.py",
    environment: [String: String] = [:]
  ) -> ProctorProcess {
    var process = ProctorProcess(
      ["exec", file, function, arguments, "--yes", "--format", "json"] + more, in: workspace)
    process.environment["PROCTOR_CACHE_DIR"] = cache
    process.environment["PROCTOR_WARM"] = "on"
    process.environment.merge(environment) { $1 }
    return process
  }

  @discardableResult
  private func result(
    _ function: String, _ arguments: String = "[]", environment: [String: String] = [:]
  ) throws -> String {
    let outcome = try call(function, arguments, environment: environment).run()
    let answer = try outcome.json()
    #expect(outcome.status == 0, "\(outcome.text)\(outcome.stderr)")
    let value = try JSONSerialization.data(
      withJSONObject: answer["result"] ?? "nothing", options: .fragmentsAllowed)
    return String(decoding: value, as: UTF8.self)
  }

  /// Processes of helpers that were started for the test's own cache.
  private static func helpers(of folder: String) -> [pid_t] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    let all = names.compactMap { pid_t($0) }.filter { pid in
      let line = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()
      let words = line.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
      return words.dropFirst().first == "warm-helper" && words.contains("\(folder)/cache/warm")
    }
    // What waits in their sandboxes first has the helper's own words.
    return all.filter { pid in
      let fields =
        (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8))?
        .components(separatedBy: ") ").last?.split(separator: " ") ?? []
      return fields.count > 1 && !all.contains(pid_t(fields[1]) ?? 0)
    }
  }

  /// The folders of sandboxes that wait, below those of helpers.
  private var waiting: [String] {
    func names(_ folder: String) -> [String] {
      (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    }
    return names("\(cache)/runs").flatMap { names("\(cache)/runs/\($0)") }
      .filter { $0 != "lock" }.sorted()
  }

  private func until(
    _ what: String, _ condition: () throws -> Bool, seconds: Double = 20
  ) async throws {
    let end = Date().addingTimeInterval(seconds)
    while try !condition() {
      guard Date() < end else { throw FixtureError("not in time: \(what)") }
      try await Task.sleep(for: .milliseconds(20))
    }
  }

  /// Two sandboxes for calls of the file, two for those of any.
  private static let allThatWait = 4

  /// A helper, and sandboxes that wait.
  private func warmUp() async throws {
    try result("number")
    try await until("a helper") { Self.helpers(of: folder.path).count == 1 }
    try await until("its socket") {
      let names = try FileManager.default.contentsOfDirectory(atPath: "\(cache)/warm")
      return names.contains { !$0.hasSuffix(".lock") }
    }
    try result("number")
    try await until("all that wait") { waiting.count == Self.allThatWait }
    // They have come to where they wait.
    try await Task.sleep(for: .milliseconds(500))
  }

  private func end() async throws {
    let helpers = Self.helpers(of: folder.path)
    #expect(helpers.count == 1)
    helpers.forEach { kill($0, SIGTERM) }
    try await until("the helper's end") { Self.helpers(of: folder.path).isEmpty }
    #expect(try FileManager.default.contentsOfDirectory(atPath: "\(cache)/runs").isEmpty)
    let left = try FileManager.default.contentsOfDirectory(atPath: "\(cache)/warm")
    #expect(left.allSatisfy { $0.hasSuffix(".lock") })
  }

  @Test func `calls are answered by sandboxes that wait, and a changed file is seen at once`()
    async throws
  {
    try await warmUp()
    let before = waiting
    #expect(try result("add", "[1]") == "2")
    try await until("another in its place") { waiting != before }
    #expect(try result("add", #"{"a": 5, "b": 6}"#) == "11")
    #expect(try result("forge") == "2")
    try await until("others") { waiting.count == Self.allThatWait }
    try folder.write(
      Self.python.replacing("def number(): return 1", with: "def number(): return 2"),
      to: "workspace/a.py")
    #expect(try result("number") == "2")
    // In place, as long as before and with its old date: its sandboxes had compiled it.
    try await until("others") { waiting.count == Self.allThatWait }
    try await Task.sleep(for: .milliseconds(500))
    let file = "\(folder.path)/workspace/a.py"
    let date = try FileManager.default.attributesOfItem(atPath: file)[.modificationDate] as? Date
    let handle = try #require(FileHandle(forWritingAtPath: file))
    try handle.write(
      contentsOf: Data(Self.python.replacing("number(): return 1", with: "number(): return 3").utf8)
    )
    try handle.close()
    try FileManager.default.setAttributes(
      [.modificationDate: try #require(date)], ofItemAtPath: file)
    #expect(try result("number") == "3")
    // What its sandboxes have loaded would not be loaded now.
    try await until("others") { waiting.count == Self.allThatWait }
    try await Task.sleep(for: .milliseconds(500))
    try folder.write("def rgb_to_hsv(r, g, b): return [7]", to: "workspace/colorsys.py")
    #expect(try result("colour") == "7")
    #expect(try result("colour") == "7")
    try await end()
  }

  @Test func `a call takes a process that has waited for it`() async throws {
    try await warmUp()
    try await Task.sleep(for: .milliseconds(1500))
    #expect(try Double(result("age")) ?? 0 > 1.5)
    #expect(try Double(result("age", environment: ["PROCTOR_WARM": "off"])) ?? 9 < 1.5)
    try await end()
  }

  @Test func `a file that was never called takes a process that has waited for any`() async throws {
    try folder.write(Self.python, to: "workspace/other.py")
    try folder.write("def rgb_to_hsv(r, g, b): return [7]", to: "workspace/part/colorsys.py")
    try folder.write(Self.python, to: "workspace/part/own.py")
    try folder.write("import nothing_of_this_name\n", to: "workspace/broken.py")
    try folder.write(
      "from .b import two\nasync def three(): return two() + 1\n", to: "workspace/package/a.py")
    try folder.write("def two(): return 2\n", to: "workspace/package/b.py")
    try folder.write("", to: "workspace/package/__init__.py")
    try await warmUp()
    try await Task.sleep(for: .milliseconds(1500))
    let age = try call("age", of: "other.py").run().json()["result"] as? Double
    #expect(age ?? 0 > 1.5)
    for (function, file, result) in [("colour", "part/own.py", 7), ("three", "package/a.py", 3)] {
      let before = waiting
      let answer = try call(function, of: file).run()
      #expect(try answer.json()["result"] as? Int == result, "\(answer.text)")
      try await until("others") { waiting.count >= Self.allThatWait && waiting != before }
      try await Task.sleep(for: .milliseconds(300))
    }
    let broken = try call("any", of: "broken.py").run().json()
    #expect(broken["error_type"] as? String == "build_error", "\(broken)")
    // It begins otherwise than what waits for it: what waits for any is as good as before.
    try await Task.sleep(for: .milliseconds(1500))
    try folder.write(Self.python.replacing("import colorsys\n", with: ""), to: "workspace/a.py")
    #expect(try Double(result("age")) ?? 0 > 1)
    #expect(try result("loaded") == "false")
    try await end()
  }

  @Test func `a place for modules that was added in place is seen at once`() async throws {
    let venv = "\(folder.path)/venv"
    let made = Process()
    made.executableURL = URL(filePath: "/usr/bin/env")
    made.arguments = ["python3", "-m", "venv", "--without-pip", venv]
    try made.run()
    made.waitUntilExit()
    let library = try #require(
      try FileManager.default.contentsOfDirectory(atPath: "\(venv)/lib").first)
    let list = "venv/lib/\(library)/site-packages/places.pth"
    try folder.write("\(folder.path)/workspace/one\n", to: list)
    try folder.write("def number():\n    return 1\n", to: "workspace/one/first.py")
    try folder.write("", to: "workspace/two/second.py")
    try folder.write(
      "def second():\n    import second\n    return 5\n", to: "workspace/b.py")
    let environment = ["VIRTUAL_ENV": venv]
    for _ in 1...2 {
      try result("number", environment: environment)
      try await until("its socket") {
        let names = try FileManager.default.contentsOfDirectory(atPath: "\(cache)/warm")
        return names.contains { !$0.hasSuffix(".lock") }
      }
    }
    try await until("all that wait") { waiting.count == Self.allThatWait }
    try await Task.sleep(for: .milliseconds(500))
    let handle = try #require(FileHandle(forWritingAtPath: "\(folder.path)/\(list)"))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data("\(folder.path)/workspace/two\n".utf8))
    try handle.close()
    let answer = try call("second", of: "b.py", environment: environment).run()
    #expect(try answer.json()["result"] as? Int == 5, "\(answer.text)")
    try await end()
  }

  @Test func `what was loaded ahead is what the file begins with`() async throws {
    try folder.write(
      Self.python.replacing("import colorsys", with: "import xml.dom"), to: "workspace/a.py")
    try folder.write(
      "import xml\ndef known(): return hasattr(xml, 'dom')\n", to: "workspace/b.py")
    try folder.write("import os\nos.environ['LEAD'] = 'package'\n", to: "workspace/p/__init__.py")
    try folder.write(
      """
      import colorsys, sys
      colorsys.lead = __import__("os").environ.get("LEAD")
      def lead(): return [colorsys.lead, "xml.dom" in sys.modules]
      """, to: "workspace/p/c.py")
    try await warmUp()
    for file in ["b.py", "p/c.py"] {
      for _ in 0..<3 {
        let answer = try call(file == "b.py" ? "known" : "lead", of: file).run().json()
        if file == "b.py" {
          #expect(answer["result"] as? Bool == false)
        } else {
          #expect((answer["result"] as? [Any])?.first as? String == "package")
        }
        try await Task.sleep(for: .milliseconds(300))
      }
    }
    // Another beginning.
    try folder.write(Self.python, to: "workspace/a.py")
    try await Task.sleep(for: .milliseconds(50))
    try result("number")
    try await until("two that wait") { waiting.count >= 2 }
    try await Task.sleep(for: .milliseconds(500))
    #expect(try result("loaded") == "true")
    try folder.write(
      Self.python.replacing("import colorsys\n", with: ""), to: "workspace/a.py")
    #expect(try result("loaded") == "false")
    try await end()
  }

  @Test func `code in a sandbox cannot have the helper run anything`() async throws {
    let attack = """
      import glob, json, os, socket
      root = os.path.dirname(os.path.abspath(__file__))
      def leave(): open(root + "/mark", "w").close()
      def intrude():
          place = [p for p in glob.glob(root + "/cache/warm/*") if not p.endswith(".lock")]
          request = {"workspace": root, "base": root, "path": "intrude.py", "function": "leave", "arguments": "[]",
                     "isolation": "none", "isJSON": True, "isColoured": False,
                     "environment": {"PATH": "/usr/bin:/bin", "HOME": root, "PROCTOR_CACHE_DIR": root + "/cache"}}
          answer = b""
          with socket.socket(socket.AF_UNIX) as end:
              try:
                  end.connect(place[0])
                  end.sendall(json.dumps(request).encode() + b"\\n")
                  while part := end.recv(4096): answer += part
              except OSError:
                  pass
          return [len(place), answer.decode()[:1]]
      if __name__ == "__main__": print(intrude())
      """
    try folder.write(attack, to: "intrude.py")
    try await warmUp()
    var process = ProctorProcess(
      ["exec", "intrude.py", "intrude", "--yes", "--format", "json"], in: folder.path)
    process.environment["PROCTOR_CACHE_DIR"] = cache
    let answer = try process.run()
    #expect(try answer.json()["result"] as? [AnyHashable] == [1, ""], "\(answer.text)")
    #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/mark"))
    // The same outside of a sandbox is the user, and is heard.
    let user = Process()
    let output = Pipe()
    user.executableURL = URL(filePath: "/usr/bin/env")
    user.arguments = ["python3", "\(folder.path)/intrude.py"]
    user.standardOutput = output
    try user.run()
    user.waitUntilExit()
    let heard = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    #expect(heard.hasPrefix("[1, 'T']"), "\(heard)")
    #expect(FileManager.default.fileExists(atPath: "\(folder.path)/mark"))
    try await end()
  }

  @Test func `nothing of a call reaches another`() async throws {
    try await warmUp()
    for _ in 0..<3 { #expect(try result("mark") == "false") }
    let poisoned = try call("poison").run()
    #expect(try poisoned.json()["error_type"] as? String == "crashed", "\(poisoned.text)")
    for _ in 0..<3 { #expect(try result("mark") == "false") }
    #expect(try result("zone", environment: ["LC_TEST": "one"]) == #""one""#)
    #expect(try result("zone", environment: ["LC_TEST": "two"]) == #""two""#)
    #expect(try result("zone") == "null")
    try await end()
  }

  @Test func `answers are those of calls without the helper`() async throws {
    try await warmUp()
    for (function, arguments) in [
      ("add", "[1]"), ("add", "[]"), ("add", #"["x"]"#), ("nothing", "[]"), ("forge", "[]"),
    ] {
      let warm = try call(function, arguments).run()
      let cold = try call(function, arguments, environment: ["PROCTOR_WARM": "off"]).run()
      #expect(warm.status == cold.status)
      #expect(try Self.comparable(warm) == Self.comparable(cold))
      #expect(warm.stderr == cold.stderr)
    }
    let missing = try call("add", "[]", ["--workspace", "/nowhere"]).run()
    #expect(missing.status == 2)
    #expect(missing.stderr.contains("/nowhere"))
    try await end()
  }

  /// Without what differs from call to call.
  private static func comparable(_ outcome: ProctorProcess.Outcome) throws -> NSDictionary {
    var answer = try outcome.json()
    for key in ["execution_time_ms", "peak_memory_mb"] { answer[key] = nil }
    return answer as NSDictionary
  }

  @Test func `a warm call is on record like any other`() async throws {
    try await warmUp()
    let arguments = #"{"a": 20, "b": 1}"#
    for isWarm in ["on", "off"] {
      for _ in 0..<2 { try result("add", arguments, environment: ["PROCTOR_WARM": isWarm]) }
    }
    var process = ProctorProcess(["audit", "--limit", "4", "--format", "json"], in: workspace)
    process.environment["PROCTOR_CACHE_DIR"] = cache
    let calls = try process.run().json()["calls"] as? [[String: Any]] ?? []
    #expect(calls.count == 4)
    for call in calls {
      #expect(call["status"] as? String == "success")
      #expect((call["sandbox"] as? [String: Any])?["network"] as? String == "none")
      #expect((call["resources"] as? [String: Any])?["execution_ms"] != nil)
      #expect(call["exit_code"] as? Int == 0)
    }
    try await end()
  }

  @Test func `time limits and interruptions end a warm call`() async throws {
    try await warmUp()
    let slow = try call("sleep", "[]", ["--timeout", "0.5"]).run()
    #expect(slow.status == 6)
    #expect(slow.text.contains("within 0.5 seconds"))
    try await until("others") { waiting.count == Self.allThatWait }
    let running = try call("sleep").start()
    try await Task.sleep(for: .milliseconds(700))
    let begin = Date()
    running.process.interrupt()
    let outcome = try running.wait()
    #expect(outcome.status == 130, "\(outcome.text)\(outcome.stderr)")
    // Long before the call's own time limit.
    #expect(Date().timeIntervalSince(begin) < 3)
    #expect(try result("add", "[1]") == "2")
    try await end()
  }

  @Test func `a helper that is killed harms the call it was busy with, no other`() async throws {
    try await warmUp()
    let running = try call("sleep").start()
    try await Task.sleep(for: .milliseconds(700))
    Self.helpers(of: folder.path).forEach { kill($0, SIGKILL) }
    let outcome = try running.wait()
    #expect(outcome.status == 7)
    #expect(outcome.text.contains("the helper that keeps calls warm ended"))
    #expect(try outcome.json()["error_type"] as? String == "sandbox_error")
    // Its sandboxes died with it; the next call has a helper of its own.
    #expect(try result("add", "[1]") == "2")
    try await until("a helper") { Self.helpers(of: folder.path).count == 1 }
    try await until("its socket") { try result("number") == "1" && !waiting.isEmpty }
    try await end()
  }

  @Test func `there is one helper, and none where none is wanted`() async throws {
    for environment in [["PROCTOR_WARM": "off"], ["PROCTOR_WARM": "", "CI": "true"]] {
      try result("number", environment: environment)
    }
    try await Task.sleep(for: .milliseconds(300))
    #expect(Self.helpers(of: folder.path).isEmpty)
    #expect(!FileManager.default.fileExists(atPath: "\(cache)/warm"))
    let many = try (0..<4).map { _ in try call("number").start() }
    for one in many { #expect(try one.wait().status == 0) }
    try await until("one helper") { Self.helpers(of: folder.path).count == 1 }
    try await end()
  }

  @Test func `a helper that nobody needs ends itself`() async throws {
    let meeting = "\(folder.path)/cache/warm"
    try FileManager.default.createDirectory(atPath: meeting, withIntermediateDirectories: true)
    let begin = Date()
    let outcome = try ProctorProcess(
      ["warm-helper", meeting, "alone", "--idle", "1"], in: workspace
    ).run()
    #expect(outcome.status == 0, "\(outcome.stderr)")
    #expect((1...6).contains(Date().timeIntervalSince(begin)))
    #expect(!FileManager.default.fileExists(atPath: "\(meeting)/alone"))
  }

  @Test func `a function of Rust is compiled again when something changed, and only then`() throws {
    let source = "pub fn twice(x: i32) -> i32 { x * 2 }\n"
    try folder.write(source, to: "workspace/src/lib.rs")
    try folder.write(
      "[package]\nname = \"double\"\nversion = \"0.1.0\"\nedition = \"2021\"\n",
      to: "workspace/Cargo.toml")
    func twice(_ flags: String? = nil) throws -> (text: String, stderr: String) {
      var process = ProctorProcess(
        ["exec", "src/lib.rs", "twice", "[4]", "--yes", "--format", "text"], in: workspace)
      process.environment["PROCTOR_CACHE_DIR"] = cache
      process.environment["RUSTFLAGS"] = flags
      let outcome = try process.run()
      #expect(outcome.status == 0, "\(outcome.text)\(outcome.stderr)")
      return (outcome.text, outcome.stderr)
    }
    // Files that changed within the same tick of the clock are looked at again.
    Thread.sleep(forTimeInterval: 0.1)
    #expect(try twice().text.hasPrefix("8\n"))
    let again = try twice()
    #expect(again.text.hasPrefix("8\n"))
    #expect(!again.stderr.contains("compiling"), "\(again.stderr)")
    try folder.write(source.replacing("x * 2", with: "x * 3"), to: "workspace/src/lib.rs")
    Thread.sleep(forTimeInterval: 0.1)
    let changed = try twice()
    #expect(changed.text.hasPrefix("12\n"))
    #expect(changed.stderr.contains("compiling"))
    #expect(try twice("-C debug-assertions=off").stderr.contains("compiling"))
  }

  @Test func `a module of Rust's that is put back with its old date is compiled again`() throws {
    try folder.write(
      "mod rates;\npub fn total() -> i32 { rates::rate() }\n", to: "workspace/src/lib.rs")
    try folder.write(
      "[package]\nname = \"shop\"\nversion = \"0.1.0\"\nedition = \"2021\"\n",
      to: "workspace/Cargo.toml")
    let old = try folder.write("pub fn rate() -> i32 { 1 }\n", to: "backup.rs")
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSinceNow: -86400)], ofItemAtPath: old)
    try folder.write("pub fn rate() -> i32 { 2 }\n", to: "workspace/src/rates.rs")
    func total() throws -> String {
      var process = ProctorProcess(
        ["exec", "src/lib.rs", "total", "--yes", "--format", "text"], in: workspace)
      process.environment["PROCTOR_CACHE_DIR"] = cache
      return try process.run().text
    }
    Thread.sleep(forTimeInterval: 0.1)
    #expect(try total().hasPrefix("2\n"))
    let place = "\(workspace)/src/rates.rs"
    try FileManager.default.removeItem(atPath: place)
    // Keeps its date, as cp -p does.
    try FileManager.default.moveItem(atPath: old, toPath: place)
    #expect(try total().hasPrefix("1\n"))
  }
}

import Foundation
import Testing

/// Functions timed through the command line. No test depends on how fast this machine is: only on what can be said
/// of any, and on sleeping.
@Suite(.serialized) struct BenchmarkTests {
  private let folder: TemporaryFolder
  private var workspace: String { "\(folder.path)/workspace" }

  init() throws { folder = try TemporaryFolder() }

  private func bench(
    _ arguments: [String], status: Int32 = 0
  ) throws -> [String: Any] {
    let outcome = try ProctorProcess(
      ["bench"] + arguments + ["--yes", "--format", "json"], in: workspace
    ).run()
    let comment = Comment(rawValue: "\(arguments): \(outcome.text.prefix(2000))\(outcome.stderr)")
    try Schema.validate(outcome.stdout, "benchmark")
    #expect(outcome.status == status, comment)
    return try outcome.json()
  }

  /// What holds for every measurement.
  private func check(_ answer: [String: Any], function: String) throws {
    func number(_ key: String) throws -> Double { try #require(answer[key] as? Double, "\(key)") }
    #expect(answer["status"] as? String == "success")
    #expect(answer["function"] as? String == function)
    let order = try ["min", "median", "p95", "p99", "max"].map { try number("\($0)_time_ms") }
    #expect(order == order.sorted() && order[0] > 0, "\(order)")
    #expect(try number("avg_time_ms") <= order[4] && number("avg_time_ms") >= order[0])
    let samples = try #require(answer["samples_ms"] as? [Double])
    #expect(try Double(samples.count) == number("samples"))
    let (calls, batch) = try (number("iterations"), number("batch_size"))
    #expect(calls > batch * Double(samples.count - 1) && calls <= batch * Double(samples.count))
    let bins = try #require(answer["histogram"] as? [[String: Any]])
    #expect(bins.compactMap { $0["count"] as? Int }.reduce(0, +) == samples.count)
    if samples.count > 5 {
      let interval = try #require(answer["confidence_interval"] as? [String: Any])
      let ends = try ["lower_ms", "upper_ms"].map { try #require(interval[$0] as? Double) }
      #expect(ends[0] <= order[1] && order[1] <= ends[1])
    }
  }

  // MARK: every language

  private static let python = """
    import asyncio, os, time
    calls = 0
    def add(a, b): return a + b
    def sort(l):
        assert l == [3, 1, 2]
        l.sort()
    async def later(x): await asyncio.sleep(0); return x
    def items(n): yield from range(n)
    class Shop:
        def total(self, n): return n + 1
    """
  private static let script = """
    const add = (a, b) => a + b
    function sort(l) { if (l[0] !== 3) throw new Error("used before"); l.sort() }
    const later = async x => x
    function* items(n) { for (let i = 0; i < n; i++) yield i }
    class Shop { static total(n) { return n + 1 } }
    module.exports = { add, sort, later, items, Shop }
    """
  private static let rust = """
    fn add(a: i64, b: i64) -> i64 { a + b }
    fn sort(l: &mut [u8]) { assert_eq!(l[0], 3); l.sort() }
    fn longest<'a>(a: &'a str, b: &'a [&'a str]) -> &'a str { if a.len() > b.len() { a } else { b[0] } }
    struct Shop;
    impl Shop { fn total(n: Vec<String>) -> usize { n.len() } }
    """

  private static let swift = """
    func add(_ a: Int, _ b: Int) -> Int { a + b }
    func sort(_ l: [Int]) -> [Int] { var l = l; precondition(l[0] == 3); l.sort(); return l }
    func pure() -> Int { (0..<100_000).reduce(1) { $0 &* 31 ^ $1 } }
    func later(_ x: Int) async -> Int { await Task.yield(); return x }
    final class Counter: Decodable { var count = 0; init() {}; init(from decoder: any Decoder) {} }
    func once(_ counter: Counter) { precondition(counter.count == 0); counter.count = 1 }
    enum Shop {
      struct Item: Codable { var name: String; var tags: Set<String>? }
      static func total(_ items: [Item], of prices: [String: [Int]], times: Int = 2) throws -> Int {
        items.reduce(0) { $0 + (prices[$1.name] ?? []).reduce(0, +) } * times
      }
    }
    """

  struct Timed: Sendable, CustomTestStringConvertible {
    var file: String
    var function: String
    var arguments: String
    var isolation = "auto"
    var testDescription: String { "\(function) of \(file), \(isolation)" }
  }

  @Test(arguments: [
    Timed(file: "a.py", function: "add", arguments: "[1, 2]"),
    Timed(file: "a.py", function: "sort", arguments: "[[3, 1, 2]]"),
    Timed(file: "a.py", function: "later", arguments: "[1]"),
    Timed(file: "a.py", function: "items", arguments: "[5]"),
    Timed(file: "a.py", function: "Shop.total", arguments: #"{"n": 1}"#),
    Timed(file: "a.js", function: "add", arguments: "[1, 2]"),
    Timed(file: "a.js", function: "sort", arguments: "[[3, 1, 2]]"),
    Timed(file: "a.js", function: "later", arguments: "[1]"),
    Timed(file: "a.js", function: "items", arguments: "[5]"),
    Timed(file: "a.js", function: "add", arguments: "[1, 2]", isolation: "vm"),
    Timed(file: "a.js", function: "sort", arguments: "[[3, 1, 2]]", isolation: "vm"),
    Timed(file: "a.js", function: "later", arguments: "[1]", isolation: "vm"),
    Timed(file: "a.rs", function: "add", arguments: "[1, 2]"),
    Timed(file: "a.rs", function: "sort", arguments: "[[3, 1, 2]]"),
    Timed(file: "a.rs", function: "longest", arguments: #"["a", ["bc"]]"#),
    Timed(file: "a.rs", function: "Shop::total", arguments: #"[["x", "y"]]"#),
    Timed(file: "a.rs", function: "sort", arguments: "[[3, 1, 2]]", isolation: "wasm"),
    Timed(file: "b.py", function: "add", arguments: "[1, 2]", isolation: "vm"),
    Timed(file: "a.swift", function: "add", arguments: "[1, 2]"),
    Timed(file: "a.swift", function: "sort", arguments: "[[3, 1, 2]]"),
    Timed(file: "a.swift", function: "later", arguments: "[1]"),
    Timed(file: "a.swift", function: "once", arguments: "[{}]"),
    Timed(file: "a.swift", function: "pure", arguments: "[]"),
    Timed(
      file: "a.swift", function: "Shop.total",
      arguments: #"[[{"name": "a", "tags": ["b"]}], {"a": [1, 2]}]"#),
  ])
  func `functions of every language`(timed: Timed) throws {
    try folder.write(Self.python, to: "workspace/a.py")
    try folder.write("def add(a, b): return a + b\n", to: "workspace/b.py")
    try folder.write(Self.script, to: "workspace/a.js")
    try folder.write(Self.rust, to: "workspace/a.rs")
    try folder.write(Self.swift, to: "workspace/a.swift")
    let answer = try bench([
      timed.file, timed.function, timed.arguments, "--isolation", timed.isolation,
    ])
    try check(answer, function: timed.function)
    #expect(
      answer["runtime"] as? String == (timed.isolation == "auto" ? "native" : timed.isolation))
    if timed.function == "add" {
      // Nothing adds two numbers in the time that reading a clock a hundred times takes.
      #expect(try #require(answer["batch_size"] as? Int) > 1)
      // On a busy machine the time may be up before.
      #expect((2...1000).contains(try #require(answer["samples"] as? Int)))
    }
    if timed.function == "pure" {
      // A hundred thousand dependent steps cannot be left out: no processor makes one in a tenth of a cycle.
      #expect(try #require(answer["min_time_ms"] as? Double) > 0.002)
    }
  }

  @Test func `a crate is timed as it is released`() throws {
    try folder.write(
      "[package]\nname = \"code\"\nversion = \"0.1.0\"\nedition = \"2021\"\n",
      to: "workspace/Cargo.toml")
    try folder.write(
      "fn debug() -> u8 { if cfg!(debug_assertions) { panic!(\"a debug build\") } 1 }\n",
      to: "workspace/src/lib.rs")
    let answer = try bench(["src/lib.rs", "debug", "--iterations", "100"])
    try check(answer, function: "debug")
    #expect(answer["build"] as? String == "release")
  }

  @Test func `a Swift package is timed as it is released, apart from what its tests use`() throws {
    try folder.write(
      """
      // swift-tools-version: 5.9
      import PackageDescription
      let package = Package(name: "p", targets: [.target(name: "P")])
      """, to: "workspace/Package.swift")
    try folder.write(
      """
      func isDebug() -> Bool {
        #if DEBUG
          return true
        #else
          return false
        #endif
      }
      func release() { precondition(!isDebug()) }
      """, to: "workspace/Sources/P/P.swift")
    let file = "Sources/P/P.swift"
    func debug() throws -> String {
      let outcome = try ProctorProcess(
        ["exec", file, "isDebug", "--yes", "--format", "json"], in: workspace
      ).run()
      #expect(try outcome.json()["result"] as? Bool == true)
      return outcome.stderr
    }
    _ = try debug()
    let answer = try bench([file, "release", "--iterations", "100"])
    try check(answer, function: "release")
    #expect(answer["build"] as? String == "release")
    #expect(try !debug().contains("building"), "the build for debugging is still there")
  }

  @Test func `what a project's own isolated-vm cannot time is refused with what to do`() throws {
    try folder.write(Self.script, to: "workspace/a.js")
    try folder.write(
      #"{"name": "isolated-vm", "version": "5.0.0", "main": "main.js"}"#,
      to: "workspace/node_modules/isolated-vm/package.json")
    try folder.write("", to: "workspace/node_modules/isolated-vm/main.js")
    let answer = try bench(["a.js", "add", "[1, 2]", "--isolation", "vm"], status: 7)
    #expect(answer["error_type"] as? String == "sandbox_error")
    #expect((answer["message"] as? String)?.contains("--isolation auto") == true)
  }

  // MARK: limits and numbers

  @Test(arguments: [1, 7, 50])
  func `as many calls as were asked for`(count: Int) throws {
    try folder.write(Self.python, to: "workspace/a.py")
    let answer = try bench(["a.py", "add", "[1, 2]", "--iterations", "\(count)"])
    try check(answer, function: "add")
    #expect(answer["iterations"] as? Int == count)
    #expect(answer["iterations_requested"] as? Int == count)
    #expect((answer["std_dev_ms"] == nil) == (count == 1))
  }

  @Test(arguments: ["a.py", "a.js", "a.rs", "a.swift"])
  func `a benchmark ends before its time limit and says how far it came`(file: String) throws {
    try folder.write("import time\ndef nap(): time.sleep(0.02)\n", to: "workspace/a.py")
    try folder.write(
      "exports.nap = () => new Promise(done => setTimeout(done, 20))\n", to: "workspace/a.js")
    try folder.write(
      "fn nap() { std::thread::sleep(std::time::Duration::from_millis(20)) }\n",
      to: "workspace/a.rs")
    try folder.write(
      "func nap() async throws { try await Task.sleep(nanoseconds: 20_000_000) }\n",
      to: "workspace/a.swift")
    let answer = try bench([file, "nap", "--timeout", "2"])
    try check(answer, function: "nap")
    let calls = try #require(answer["iterations"] as? Int)
    #expect(calls >= 1 && calls <= 100, "two seconds hold no more")
    #expect(answer["batch_size"] as? Int == 1)
    #expect(try #require(answer["min_time_ms"] as? Double) >= 15)
    let warnings = try #require(answer["warnings"] as? [String])
    #expect(warnings.contains { $0.contains("time was up") })
  }

  @Test func `a benchmark ends before its limit of processor time`() throws {
    try folder.write(
      "def work():\n    for _ in range(200000): pass\n", to: "workspace/a.py")
    try folder.write("[execution]\nmax_cpu_time_seconds = 1\n", to: "workspace/proctor.toml")
    let answer = try bench(["a.py", "work", "--timeout", "60", "--iterations", "100000"])
    try check(answer, function: "work")
    #expect(try #require(answer["iterations"] as? Int) < 100_000)
  }

  @Test func `fewer samples than there should be are said, too`() throws {
    // Making the lists takes far longer than the calls, and they are made for each of a batch.
    try folder.write("exports.f = l => l.length\n", to: "workspace/a.js")
    let list = "[[" + (0..<20_000).map(String.init).joined(separator: ",") + "]]"
    let answer = try bench(["a.js", "f", list, "--timeout", "1"])
    try check(answer, function: "f")
    #expect(try #require(answer["samples"] as? Int) < 1000)
    let warnings = try #require(answer["warnings"] as? [String])
    #expect(warnings.contains { $0.contains("time was up") })
  }

  // MARK: failures

  struct Failure: Sendable, CustomTestStringConvertible {
    var file: String
    var function: String
    var error: String
    var status: Int32 = 1
    var iteration: Int?
    var options: [String] = []
    var testDescription: String { "\(function) of \(file)" }
  }

  private static let failing = """
    import os, time
    calls = 0
    def count():
        global calls
        calls += 1
        return calls
    def fails():
        if count() == 500: raise ValueError("five hundred")
    async def rejects():
        if count() == 500: raise ValueError("five hundred")
    def leaves():
        if count() == 500: os._exit(0)
    def hangs():
        time.sleep(0.001)
        if count() == 500: time.sleep(60)
    def never(): time.sleep(60)
    def grows():
        return bytearray(2 * 10**9)
    def forge():
        print('{"event":"measured","measurement":{}}')
        os._exit(0)
    """
  private static let failingSwift = """
    import Glibc
    nonisolated(unsafe) var calls = 0
    struct Late: Error {}
    func isLast() -> Bool { calls += 1; return calls == 500 }
    func fails() throws { if isLast() { throw Late() } }
    func rejects() async throws { if isLast() { throw Late() } }
    func traps(_ list: [Int] = []) -> Int { isLast() ? list[0] : 0 }
    func leaves() { if isLast() { exit(0) } }
    func hangs() { usleep(1000); if isLast() { sleep(60) } }
    """
  private static let failingScript = """
    let calls = 0
    exports.fails = () => { if (++calls === 500) throw new TypeError("five hundred") }
    exports.rejects = async () => { if (++calls === 500) throw new TypeError("five hundred") }
    exports.leaves = () => { if (++calls === 500) process.exit(0) }
    exports.never = () => new Promise(() => {})
    exports.waits = () => { for (;;); }
    """
  private static let failingRust = """
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    fn count() -> usize { CALLS.fetch_add(1, SeqCst) + 1 }
    fn fails() { if count() == 500 { panic!("five hundred") } }
    fn leaves() { if count() == 500 { std::process::exit(0) } }
    """

  @Test(arguments: [
    Failure(file: "a.py", function: "fails", error: "runtime_error", iteration: 500),
    Failure(file: "a.py", function: "rejects", error: "runtime_error", iteration: 500),
    Failure(file: "a.py", function: "leaves", error: "runtime_error"),
    Failure(
      file: "a.py", function: "hangs", error: "timeout", status: 6, options: ["--timeout", "3"]),
    Failure(
      file: "a.py", function: "never", error: "timeout", status: 6, options: ["--timeout", "1"]),
    Failure(file: "a.py", function: "grows", error: "memory_limit"),
    Failure(file: "a.py", function: "forge", error: "runtime_error"),
    Failure(file: "a.py", function: "absent", error: "not_found", status: 2),
    Failure(file: "a.js", function: "fails", error: "runtime_error", iteration: 500),
    Failure(file: "a.js", function: "rejects", error: "runtime_error", iteration: 500),
    Failure(file: "a.js", function: "leaves", error: "runtime_error"),
    Failure(file: "a.js", function: "never", error: "runtime_error"),
    Failure(
      file: "a.js", function: "waits", error: "timeout", status: 6, options: ["--timeout", "1"]),
    Failure(
      file: "a.js", function: "fails", error: "runtime_error", iteration: 500,
      options: ["--isolation", "vm"]),
    Failure(file: "a.rs", function: "fails", error: "runtime_error", iteration: 500),
    Failure(file: "a.rs", function: "leaves", error: "runtime_error"),
    Failure(file: "a.swift", function: "fails", error: "runtime_error", iteration: 500),
    Failure(file: "a.swift", function: "rejects", error: "runtime_error", iteration: 500),
    Failure(file: "a.swift", function: "traps", error: "runtime_error", iteration: 500),
    Failure(file: "a.swift", function: "leaves", error: "runtime_error"),
    Failure(
      file: "a.swift", function: "hangs", error: "timeout", status: 6, options: ["--timeout", "3"]),
    Failure(file: "a.swift", function: "absent", error: "not_found", status: 2),
  ])
  func `failures are as with exec, and say in which call`(failure: Failure) throws {
    try folder.write(Self.failing, to: "workspace/a.py")
    try folder.write(Self.failingScript, to: "workspace/a.js")
    try folder.write(Self.failingRust, to: "workspace/a.rs")
    try folder.write(Self.failingSwift, to: "workspace/a.swift")
    let answer = try bench(
      [failure.file, failure.function] + failure.options, status: failure.status)
    #expect(answer["error_type"] as? String == failure.error)
    let told = answer["failed_iteration"] as? Int
    if let iteration = failure.iteration {
      #expect(told == iteration && answer["failed_iteration_at_least"] == nil)
    }
    // What is not known exactly is not said to be.
    if ["leaves", "hangs"].contains(failure.function) {
      #expect(try #require(told) <= 500 && answer["failed_iteration_at_least"] as? Bool == true)
    }
    if failure.function == "hangs" { #expect(try #require(told) > 1) }
    if failure.error == "not_found" { #expect(told == nil) }
  }

  @Test func `nobody is timed without being asked`() throws {
    try folder.write(Self.python, to: "workspace/a.py")
    let outcome = try ProctorProcess(["bench", "a.py", "add", "[1, 2]"], in: workspace).run()
    #expect(outcome.status == 8)
  }

  @Test func `text has units and a histogram`() throws {
    try folder.write(Self.python, to: "workspace/a.py")
    let outcome = try ProctorProcess(["bench", "a.py", "add", "[1, 2]", "--yes"], in: workspace)
      .run()
    #expect(outcome.status == 0)
    #expect(outcome.text.contains("median") && outcome.text.contains("#"))
    #expect(outcome.text.contains(/\d (ns|µs)/))
    #expect(!outcome.text.contains("\u{1b}"))
  }

  // MARK: comparing

  private func nap(_ milliseconds: Int) throws {
    try folder.write(
      "import time\ndef nap(): time.sleep(\(milliseconds) / 1000)\ndef other(): time.sleep(0.005)\n",
      to: "workspace/a.py")
  }

  private func keep(_ arguments: [String], as name: String) throws {
    let outcome = try ProctorProcess(
      ["bench"] + arguments + ["--yes", "--format", "json"], in: workspace
    ).run()
    #expect(outcome.status == 0)
    try folder.write(outcome.stdout, to: "workspace/\(name)")
  }

  @Test func `slower and faster`() throws {
    try nap(1)
    try keep(["a.py", "nap", "--iterations", "100"], as: "quick.json")
    try nap(5)
    let slow = ["a.py", "nap", "--iterations", "100", "--compare", "quick.json"]
    let answer = try bench(slow)
    let comparison = try #require(answer["comparison"] as? [String: Any])
    #expect(comparison["verdict"] as? String == "slower")
    #expect(try #require(comparison["ratio"] as? Double) > 1.5)
    #expect(
      answer["warnings"] == nil || "\(answer["warnings"]!)".contains("another function") == false)
    _ = try bench(slow + ["--fail-if-slower"], status: 1)

    try keep(["a.py", "nap", "--iterations", "100"], as: "slow.json")
    try nap(1)
    let quick = try bench([
      "a.py", "nap", "--iterations", "100", "--compare", "slow.json", "--fail-if-slower",
    ])
    #expect((quick["comparison"] as? [String: Any])?["verdict"] as? String == "faster")
    let other = try bench(["a.py", "other", "--iterations", "50", "--compare", "slow.json"])
    let warnings = try #require(other["warnings"] as? [String])
    #expect(warnings.contains { $0.contains("another function") })
  }

  @Test
  func `what became so slow that the time is up is slower, and what cannot be told is not green`()
    throws
  {
    try nap(1)
    try keep(["a.py", "nap", "--iterations", "100"], as: "quick.json")
    let against = ["a.py", "nap", "--compare", "quick.json", "--fail-if-slower"]
    func verdict(_ answer: [String: Any]) -> String? {
      (answer["comparison"] as? [String: Any])?["verdict"] as? String
    }
    try nap(900)
    let slow = try bench(against, status: 1)
    #expect(slow["samples"] as? Int ?? 9 < 6)
    #expect(verdict(slow) == "slower")
    // One call may be slow because it is the first one.
    try nap(2000)
    let once = try bench(against + ["--timeout", "3"], status: 5)
    #expect(once["samples"] as? Int == 1)
    #expect(verdict(once) == "unknown")
    let text = try ProctorProcess(
      ["bench"] + against.dropLast() + ["--timeout", "3", "--yes"], in: workspace
    ).run()
    #expect(text.status == 0)
    #expect(
      text.text.contains("unknown against quick.json") && text.text.contains("too few samples"))
  }

  @Test func `an answer does not differ from itself`() throws {
    // The file is of this very machine; a nap of 20 ms differs by less than what counts as noise.
    try nap(20)
    try keep(["a.py", "nap", "--iterations", "30"], as: "old.json")
    let answer = try bench(["a.py", "nap", "--iterations", "30", "--compare", "old.json"])
    #expect((answer["comparison"] as? [String: Any])?["verdict"] as? String == "no_difference")
  }

  @Test(arguments: [
    ("", "not a JSON object"), ("{", "not a JSON object"), ("[1]", "not a JSON object"),
    (#"{"status": "passed"}"#, "no answer of proctor bench"),
    (#"{"status": "error", "error_type": "timeout", "message": "x"}"#, "nothing was measured"),
    (
      #"{"status": "success", "path": "a.py", "function": "f", "language": "Python", "runtime": "native", "arguments_fingerprint": "0", "machine": {"processors": 1, "architecture": "x"}, "samples_ms": [0, -1]}"#,
      "no times"
    ),
  ])
  func `what cannot be compared with is said before anything runs`(
    text: String, words: String
  ) throws {
    try nap(1)
    try folder.write(text, to: "workspace/old.json")
    let outcome = try ProctorProcess(
      ["bench", "a.py", "nap", "--compare", "old.json", "--yes"], in: workspace
    ).run()
    #expect(outcome.status == 2)
    #expect(outcome.stderr.contains(words), "\(outcome.stderr)")
  }

  @Test(arguments: [
    ["--iterations", "0"], ["--iterations", "-1"], ["--iterations", "x"], ["--timeout", "0"],
    ["--fail-if-slower"], ["--compare", "absent.json"], ["--compare", "/dev/zero"],
    ["--compare", "absent.json", "--baseline", "HEAD"], ["--baseline", "HEAD"],
  ])
  func `wrong usage`(options: [String]) throws {
    try nap(1)
    let outcome = try ProctorProcess(
      ["bench", "a.py", "nap", "--yes", "--format", "json"] + options, in: workspace
    ).run()
    #expect(outcome.status == 2)
    if !outcome.stdout.isEmpty { try Schema.validate(outcome.stdout, "benchmark") }
  }

  // MARK: another revision

  private func git(_ arguments: [String]) throws {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments =
      ["git", "-C", workspace, "-c", "user.name=x", "-c", "user.email=x@example.org"] + arguments
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "git \(arguments)")
  }

  @Test func `a revision is timed in turns with what is there now`() throws {
    try nap(1)
    try git(["init", "-q"])
    try git(["add", "-A"])
    try git(["commit", "-qm", "one"])
    try nap(5)
    let arguments = ["a.py", "nap", "--iterations", "62", "--baseline", "HEAD"]
    let answer = try bench(arguments + ["--fail-if-slower"], status: 1)
    #expect(answer["iterations"] as? Int == 62)
    let comparison = try #require(answer["comparison"] as? [String: Any])
    #expect(comparison["verdict"] as? String == "slower")
    #expect(comparison["baseline"] as? String == "HEAD")
    let rounds = try #require(comparison["round_ratios"] as? [Double])
    #expect(rounds.count == 6 && rounds.allSatisfy { $0 > 1.5 })
    let text = try String(contentsOfFile: "\(workspace)/a.py", encoding: .utf8)
    #expect(text.contains("sleep(5"))

    try folder.write("def fresh(): pass\n", to: "workspace/a.py")
    let absent = try bench(["a.py", "fresh", "--baseline", "HEAD"], status: 2)
    #expect((absent["message"] as? String)?.hasPrefix("in HEAD: ") == true)
    let unknown = try bench(["a.py", "fresh", "--baseline", "nothing"], status: 2)
    #expect((unknown["message"] as? String)?.contains("nothing") == true)
  }

  @Test(arguments: ["a.rs", "a.swift", "p/Sources/P/P.swift"])
  func `compiled revisions each have their own build`(file: String) throws {
    try folder.write(
      """
      // swift-tools-version: 5.9
      import PackageDescription
      let package = Package(name: "p", targets: [.target(name: "P")])
      """, to: "workspace/p/Package.swift")
    func write(_ count: Int) throws {
      for path in ["a.swift", "p/Sources/P/P.swift"] {
        try folder.write(
          "import Glibc\nfunc f() -> Int { usleep(\(count)000); return \(count) }\n",
          to: "workspace/\(path)")
      }
      try folder.write(
        "fn f() -> u64 { std::thread::sleep(std::time::Duration::from_millis(\(count))); \(count) }\n",
        to: "workspace/a.rs")
    }
    try write(5)
    try git(["init", "-q"])
    try git(["add", "-A"])
    try git(["commit", "-qm", "one"])
    try write(1)
    let answer = try bench([file, "f", "--iterations", "60", "--baseline", "HEAD"])
    #expect((answer["comparison"] as? [String: Any])?["verdict"] as? String == "faster")
  }

  @Test func `a revision of Rust is built as its own files say`() throws {
    try folder.write(
      "[package]\nname = \"one\"\nversion = \"0.1.0\"\nedition = \"2021\"\n",
      to: "workspace/Cargo.toml")
    try folder.write("mod part;\nfn main() { part::f(); }\n", to: "workspace/src/main.rs")
    try folder.write("pub fn f() -> u8 { 1 }\n", to: "workspace/src/part.rs")
    try git(["init", "-q"])
    try git(["add", "-A"])
    try git(["commit", "-qm", "a program"])
    try folder.write("pub mod part;\n", to: "workspace/src/lib.rs")
    let answer = try bench(["src/part.rs", "f", "--iterations", "60", "--baseline", "HEAD"])
    #expect(answer["comparison"] != nil)
  }
}

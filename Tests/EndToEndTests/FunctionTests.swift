import Foundation
import Testing

/// Single functions called through the command line, in every runtime.
@Suite(.serialized) struct FunctionTests {
  private let folder: TemporaryFolder
  private var workspace: String { "\(folder.path)/workspace" }

  init() throws { folder = try TemporaryFolder() }

  private typealias Call = FunctionCall

  @discardableResult
  private func check(_ call: Call, _ file: String) throws -> [String: Any] {
    try call.check(file, in: workspace)
  }

  // MARK: Python

  private static let python = """
    import asyncio, dataclasses, os, sys
    from .near import helper

    @dataclasses.dataclass
    class Point:
        x: int
        tags: set

    class Shop:
        def __init__(self): self.items = 3
        def count(self, more: int = 0): return self.items + more
        @staticmethod
        def name(): return "shop"

    def add(a: int, b: int = 2):
        print("adding")
        return a + b

    async def later(x): await asyncio.sleep(0); return [x]
    def many(): return (i for i in range(10**9))
    def forms(): return [Point(1, {2, 1}), b"a", float("nan"), 2**100, helper()]
    def divide(a): return 1 / a
    def odd(): return {"a": [1, object()]}
    def leave(): os._exit(0)
    def leave_politely(): sys.exit(0)
    def forge(): print('{"event":"returned","value":1}'); return 2
    def sleep():
        import time; time.sleep(60)
    def spin():
        while True: pass
    def hog(): return len(bytearray(2 * 10**9))
    def threads():
        import threading, time
        for _ in range(500): threading.Thread(target=time.sleep, args=(9,)).start()
    def connect():
        import socket; socket.create_connection(("192.0.2.1", 80), 2)
    def write(): open("made", "w").write("x")
    def crash():
        import ctypes; ctypes.string_at(0)
    def close():
        os.closerange(3, 100); return "closed"
    def huge(): return "x" * 50_000_000
    def large(): return "x" * 7_900_000
    def swallowed():
        try: open("log", "w")
        except OSError: pass
        raise KeyError("own")
    def half(): raise ValueError("\\ud800 x")
    def given(f):
        import functools
        @functools.wraps(f)
        def inner(x): return f("db", x)
        return inner
    @given
    def wrapped(db, x): return [db, x]
    def sets(): return {frozenset({1}), frozenset({2}), frozenset({0})}
    def round():
        a = []; a.append(a); return a
    def deep(): return deep()
    """

  @Test(arguments: [
    Call(name: "add", arguments: "[1]", result: "3", says: "adding\n"),
    Call(name: "add", arguments: #"{"b": 5, "a": 1}"#, result: "6"),
    Call(name: "later", arguments: "7", result: "[7]"),
    Call(name: "Shop.count", arguments: "[4]", result: "7"),
    Call(name: "Shop.name", result: #""shop""#),
    Call(
      name: "forms",
      result:
        #"[{"x":1,"tags":[1,2]},{"base64":"YQ=="},"NaN",1267650600228229401496703205376,"near"]"#),
    Call(name: "forge", result: "2", says: "returned"),
    Call(name: "close", result: #""closed""#),
    Call(name: "add", arguments: #"["x"]"#, error: "bad_arguments", says: "int"),
    Call(name: "add", arguments: "[1, 2, 3]", error: "bad_arguments"),
    Call(name: "add", arguments: "{", error: "bad_arguments", says: "not JSON"),
    Call(name: "ad", error: "not_found"),
    Call(name: "divide", arguments: "[0]", error: "runtime_error", says: "division", line: 22),
    Call(name: "odd", error: "unserializable_result", says: "a"),
    Call(name: "round", error: "unserializable_result"),
    Call(name: "deep", error: "runtime_error", says: "RecursionError"),
    Call(name: "huge", error: "output_limit"),
    Call(name: "large"),
    Call(name: "swallowed", error: "runtime_error", says: "KeyError"),
    Call(name: "half", error: "runtime_error", says: "ValueError"),
    Call(name: "wrapped", arguments: "[1]", result: #"["db",1]"#),
    Call(name: "sets", result: "[[0],[1],[2]]"),
    Call(name: "add", arguments: "[01]", error: "bad_arguments", says: "not JSON"),
    Call(
      name: "add",
      arguments: String(repeating: "[", count: 600) + String(repeating: "]", count: 600),
      error: "bad_arguments", says: "nested deeper"),
    Call(name: "leave", error: "runtime_error", says: "exit status 0"),
    Call(name: "leave_politely", error: "runtime_error", says: "SystemExit"),
    Call(name: "sleep", error: "timeout", options: ["--timeout", "1"]),
    Call(name: "spin", error: "cpu_limit", options: ["--timeout", "30"]),
    Call(name: "hog", error: "memory_limit"),
    Call(name: "threads", error: "process_limit"),
    Call(name: "connect", error: "permission_denied", says: "max_network_requests would allow it"),
    Call(name: "write", error: "permission_denied", says: "max_file_operations would allow it"),
    Call(name: "crash", error: "crashed", says: "SIGSEGV"),
  ])
  func `Python functions`(call: FunctionCall) throws {
    try folder.write(Self.python, to: "workspace/pkg/code.py")
    try folder.write("", to: "workspace/pkg/__init__.py")
    try folder.write("def helper(): return 'near'\n", to: "workspace/pkg/near.py")
    try check(call, "pkg/code.py")
    #expect(!FileManager.default.fileExists(atPath: "\(workspace)/made"))
  }

  @Test func `sequences without end are cut and say so`() throws {
    try folder.write("def f():\n    while True: yield 1\n", to: "workspace/a.py")
    let answer = try check(Call(name: "f"), "a.py")
    #expect(answer["truncated"] as? Bool == true)
    #expect((answer["result"] as? [Int])?.count == 10_000)
  }

  // MARK: JavaScript

  private static let script = """
    function add(a, b) { console.log("adding"); return a + b }
    async function later(x) { return new Map([["x", new Set([x])]]) }
    const bad = () => { throw new TypeError("no") }
    class Shop { static name2() { return [10n, undefined, NaN] } }
    function connect() { return new Promise((_, no) => require("net").connect(80, "192.0.2.1").on("error", no)) }
    function spin() { for (;;); }
    function leave() { process.exit(0) }
    function hidden() {}
    function claim() { const e = new Error("out of memory"); e.name = "InternalError"; throw e }
    function grow() { const a = []; for (;;) a.push(new Array(1e5).fill(1)) }
    module.exports = { add, later, bad, Shop, connect, spin, leave, claim, grow, n: 1 }
    """

  @Test(arguments: [
    Call(name: "add", arguments: "[1, 2]", result: "3", says: "adding"),
    Call(name: "later", arguments: "[1]", result: #"{"x":[1]}"#),
    Call(name: "Shop.name2", result: #"[10,null,"NaN"]"#),
    Call(name: "bad", error: "runtime_error", says: "TypeError", line: 3),
    Call(name: "connect", error: "permission_denied"),
    Call(name: "spin", error: "timeout", options: ["--timeout", "1"]),
    Call(name: "leave", error: "runtime_error"),
    Call(name: "hidden", error: "not_found"),
    Call(name: "add", arguments: "[1, 2]", isolation: "vm", result: "3", says: "adding"),
    Call(name: "later", arguments: "[1]", isolation: "vm", result: #"{"x":[1]}"#),
    Call(name: "Shop.name2", isolation: "vm", result: #"[10,null,"NaN"]"#),
    Call(name: "bad", isolation: "vm", error: "runtime_error", says: "TypeError", line: 3),
    Call(name: "connect", isolation: "vm", error: "runtime_error", says: "no modules"),
    Call(name: "spin", isolation: "vm", error: "timeout", options: ["--timeout", "1"]),
    Call(name: "claim", isolation: "vm", error: "runtime_error", says: "out of memory", line: 9),
    Call(name: "grow", isolation: "vm", error: "memory_limit"),
  ])
  func `JavaScript functions`(call: FunctionCall) throws {
    try folder.write(Self.script, to: "workspace/lib/code.js")
    try check(call, "lib/code.js")
  }

  @Test(arguments: ["auto", "vm"])
  func `modules of JavaScript`(isolation: String) throws {
    try folder.write(
      "export const twice = x => 2 * x\nexport default function () { return 1 }\n",
      to: "workspace/a.mjs")
    try check(Call(name: "twice", arguments: "[4]", isolation: isolation, result: "8"), "a.mjs")
    try check(Call(name: "default", isolation: isolation, result: "1"), "a.mjs")
  }

  private func layer(_ answer: [String: Any]) -> String? {
    ((answer["sandbox"] as? [String: Any])?["layers"] as? [String])?.first
  }

  @Test func `without isolated-vm it is QuickJS`() throws {
    try folder.write("", to: "workspace/node_modules/isolated/index.js")
    try folder.write("", to: "node_modules/isolated-vm/index.js")  // the workspace's neighbour
    try folder.write("function f() { return 1 }\n", to: "workspace/a.js")
    let answer = try check(Call(name: "f", isolation: "vm", result: "1"), "a.js")
    #expect(layer(answer) == "QuickJS without files, network and modules (depth, not a wall)")
  }

  /// By node's own contexts, which are no walls: such as a project may have for its tests.
  private static let imitation = """
    const vm = require("vm");
    exports.Callback = function (call) { this.call = call };
    exports.Isolate = class {
      async createContext() {
        const inner = vm.createContext({});
        return { inner, global: { async set(name, value) { inner[name] = value.call } } };
      }
      async compileScript(source) {
        return { run: async (context) => {
          const value = vm.runInContext(source, context.inner);
          return typeof value === "function" ? { apply: async (_, list) => value(...list) } : value } };
      }
    };
    """

  /// The project's isolated-vm is used, or the call fails: nothing weaker takes its place.
  @Test(arguments: [
    ("", "Isolate is not a constructor"),
    ("exports.Isolate = class { createContext() { return {} } }", "undefined"),
    ("throw new Error('not built')", "not built"),
    ("require('./missing.node')", "missing.node"),
    ("process.exit(0)", "it ended the process"),
    ("exports.Isolate = class { createContext() { return new Promise(() => {}) } }", "not answer"),
    (
      "setTimeout(() => { throw new Error('late') }); exports.Isolate = function () { return { createContext: () => new Promise(() => {}) } }",
      "late"
    ),
    (imitation, "no isolate"),
    (nil, "Cannot find module"),
  ])
  func `an isolated-vm that is none`(source: String?, words: String) throws {
    let package = "workspace/node_modules/isolated-vm"
    try folder.write(#"{"name": "isolated-vm"}"#, to: "\(package)/package.json")
    if let source { try folder.write(source, to: "\(package)/index.js") }
    try folder.write("", to: "workspace/inner/package.json")
    for file in ["a.js", "inner/a.js"] {
      try folder.write("exports.f = () => 1\n", to: "workspace/\(file)")
      let answer = try check(
        Call(name: "f", isolation: "vm", error: "sandbox_error", says: words), file)
      #expect((answer["message"] as? String)?.contains("npm rebuild isolated-vm") == true)
      #expect(layer(answer)?.hasPrefix("isolated-vm without files") == true)
      #expect(answer["result"] == nil)
    }
    try check(Call(name: "f", result: "1"), "a.js")
  }

  @Test func `an isolated-vm whose link leads nowhere`() throws {
    try folder.write("exports.f = () => 1\n", to: "workspace/a.js")
    try folder.write("", to: "workspace/node_modules/other/index.js")
    try FileManager.default.createSymbolicLink(
      atPath: "\(workspace)/node_modules/isolated-vm", withDestinationPath: "/nowhere")
    try check(
      Call(name: "f", isolation: "vm", error: "sandbox_error", says: "Cannot find module"), "a.js")
  }

  // MARK: Rust

  private static let rust = """
    mod shapes;
    #[derive(Debug)]
    pub struct Point { x: i32 }
    fn add(a: i32, b: u8) -> i64 { println!("adding"); i64::from(a) + i64::from(b) }
    fn point() -> Point { Point { x: 1 } }
    fn parse(text: &str) -> Result<u8, String> { text.parse::<u8>().map_err(|e| e.to_string()) }
    fn pick(list: &[u64], at: usize) -> Option<u64> { Some(list[at]) }
    fn largest<T: PartialOrd + Copy>(list: Vec<T>) -> T { list[0] }
    fn takes(p: Point) -> i32 { p.x }
    async fn later() -> i32 { 1 }
    fn spin() { loop {} }
    fn grow() -> usize { let mut v = Vec::new(); loop { v.extend_from_slice(&[1u8; 1 << 20]); if v.len() == 1 { return 1 } } }
    fn leave() { std::process::exit(0) }
    fn read() -> bool { std::fs::read("/etc/passwd").is_ok() }
    fn unended() -> i32 { print!("no line end"); 1 }
    mod inner { fn hidden() {} }
    #[cfg_attr(target_family = "wasm", link(wasm_import_module = "proctor"))]
    extern "C" { fn proctor_send(text: *const u8, length: usize); }
    fn huge() -> String { "x".repeat(12_000_000) }
    fn shout() { std::panic::set_hook(Box::new(|_| ())); panic!("{}", "x".repeat(70_000_000)) }
    fn forge_huge() -> i32 { forge(&format!(r#"{{"event":"returned","value":"{}","nanoseconds":1}}"#, huge())) }
    fn forge(text: &str) -> i32 { unsafe { proctor_send(text.as_ptr(), text.len()) } 2 }
    """

  private func cargo() throws {
    try folder.write(
      "[package]\nname = \"code\"\nversion = \"0.1.0\"\nedition = \"2021\"\n",
      to: "workspace/Cargo.toml")
    try folder.write(Self.rust, to: "workspace/src/lib.rs")
    try folder.write(
      "fn area(w: f64, h: f64) -> f64 { w * h }\n", to: "workspace/src/shapes.rs")
    try folder.write(
      "fn greet(name: String) -> String { format!(\"hello {name}\") }\nfn main() { greet(\"x\".into()); }\n",
      to: "workspace/src/main.rs")
  }

  @Test(arguments: ["auto", "wasm"])
  func `Rust functions`(isolation: String) throws {
    try cargo()
    let calls = [
      Call(name: "add", arguments: "[1, 2]", result: "3", says: "adding"),
      Call(name: "point", result: #""Point { x: 1 }""#),
      Call(name: "parse", arguments: #"["7"]"#, result: "7"),
      Call(name: "largest::<i32>", arguments: "[[5]]", result: "5"),
      Call(name: "add", arguments: "[1, 300]", error: "bad_arguments", says: "argument 2"),
      Call(
        name: "pick", arguments: "[[1], 3]", error: "runtime_error", says: "the len is 1", line: 7),
      Call(name: "largest", arguments: "[[5]]", error: "bad_arguments", says: "generic"),
      Call(name: "takes", arguments: "[1]", error: "bad_arguments", says: "Point"),
      Call(name: "later", error: "bad_arguments", says: "async"),
      Call(name: "ad", error: "not_found"),
      Call(name: "spin", error: "timeout", options: ["--timeout", "1"]),
      Call(name: "grow", error: "memory_limit"),
      Call(name: "huge", error: "output_limit", says: "8388608 bytes"),
      // There, panics abort: whoever replaces the hook has taken the words away.
      Call(
        name: "shout", error: "runtime_error",
        says: isolation == "wasm" ? "unreachable" : "xxx"),
      Call(name: "forge_huge", error: "output_limit"),
      Call(name: "leave", error: "runtime_error"),
      Call(name: "unended", result: "1", says: "no line end"),
      Call(name: "inner::hidden", error: "bad_arguments", says: "private"),
      Call(
        name: "forge", arguments: #"["{\"event\":\"memory_limit\"}"]"#,
        error: isolation == "wasm" ? "runtime_error" : "sandbox_error"),
      Call(
        name: "forge", arguments: #"["{\"event\":\"returned\",\"value\":[01]}"]"#,
        error: "sandbox_error"),
      Call(name: "read", result: isolation == "wasm" ? "false" : "true"),
    ]
    for var call in calls {
      call.isolation = isolation
      try check(call, "src/lib.rs")
    }
    let failed = try check(
      Call(name: "parse", arguments: #"["x"]"#, isolation: isolation), "src/lib.rs")
    #expect(failed["result_form"] as? String == "err")
    try check(
      Call(name: "area", arguments: "[2, 3]", isolation: isolation, result: "6.0"), "src/shapes.rs")
    try check(
      Call(name: "greet", arguments: #""you""#, isolation: isolation, result: #""hello you""#),
      "src/main.rs")
    let text = try String(contentsOfFile: "\(workspace)/src/lib.rs", encoding: .utf8)
    #expect(text == Self.rust)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: workspace).sorted() == [
        "Cargo.toml", "src",
      ])
  }

  @Test func `WebAssembly has what it can address of a larger limit`() throws {
    try folder.write("[execution]\nmax_memory_mb = 8192\n", to: "workspace/proctor.toml")
    try folder.write("fn f() -> u8 { 1 }\n", to: "workspace/a.rs")
    try check(Call(name: "f", isolation: "wasm", result: "1"), "a.rs")
  }

  @Test(arguments: ["auto", "wasm"])
  func `a file of Rust alone, changed between calls`(isolation: String) throws {
    for (text, result) in [("1", "1"), ("2", "2"), ("2", "2")] {
      let file = try folder.write("fn f() -> u8 { \(text) }\n", to: "workspace/a.rs")
      // An old date is no reason to take what was compiled before.
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSince1970: 1_000_000_000)], ofItemAtPath: file)
      try check(Call(name: "f", isolation: isolation, result: result), "a.rs")
    }
    try folder.write("fn f() -> u8 { \"no\" }\n", to: "workspace/a.rs")
    try check(Call(name: "f", isolation: isolation, error: "build_error", line: 1), "a.rs")
  }

  @Test(arguments: ["protected", "read-only", "writable"])
  func `calls change no file, whatever tests may do`(access: String) throws {
    let text = "fn f() -> i32 { let _ = std::fs::write(\"made\", \"x\"); 1 }\n"
    let file = try folder.write(text, to: "workspace/a.rs")
    try folder.write(
      "[tests]\nworkspace = \"\(access)\"\n[execution]\nallow_filesystem_access = true\n",
      to: "workspace/proctor.toml")
    try check(Call(name: "f", result: "1"), "a.rs")
    #expect(try String(contentsOfFile: file, encoding: .utf8) == text)
    #expect(!FileManager.default.fileExists(atPath: "\(workspace)/made"))
  }

  @Test func `a module that is hard to see is compiled anew`() throws {
    try folder.write("mod\nother;\nfn v() -> i32 { other::v() }\n", to: "workspace/a.rs")
    for value in ["1", "2"] {
      try folder.write("pub fn v() -> i32 { \(value) }\n", to: "workspace/other.rs")
      try check(Call(name: "v", result: value), "a.rs")
    }
  }

  @Test func `lines that end as on other systems`() throws {
    try folder.write("fn f() -> i32 {\r\n  undefined\r\n}\r\n", to: "workspace/a.rs")
    try check(Call(name: "f", error: "build_error", line: 2), "a.rs")
  }

  @Test(arguments: ["namespaces", "bubblewrap", "none"])
  func `functions are called in every backend`(isolation: String) throws {
    try folder.write("def f(x): return x\n", to: "workspace/f.py")
    try folder.write("exports.f = x => x\n", to: "workspace/f.js")
    try folder.write("fn f(x: u8) -> u8 { x }\n", to: "workspace/f.rs")
    for file in ["f.py", "f.js"] + (isolation == "none" ? [] : ["f.rs"]) {
      let answer = try check(
        Call(name: "f", arguments: "[7]", isolation: isolation, result: "7"), file)
      #expect((answer["sandbox"] as? [String: Any])?["backend"] as? String == isolation)
    }
  }

  // MARK: hostile workspaces

  @Test func `a workspace's interpreter cannot write what other workspaces run`() throws {
    let cache = "\(folder.path)/cache"
    let script = """
      #!/bin/sh
      for a in "$@"; do
        case "$a" in *guest*) echo x > "$a"; echo x > "${a%/*}/poison"; echo x > "${a%/*}/../poison" ;; esac
      done
      echo tried; exit 0
      """
    let python = try folder.write(script, to: "workspace/.venv/bin/python")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: python)
    try folder.write("home = /usr/bin\nversion = 3.11.2\n", to: "workspace/.venv/pyvenv.cfg")
    try folder.write("def f(): return 1\n", to: "workspace/a.py")
    var process = ProctorProcess(["exec", "a.py", "f", "--yes", "--format", "json"], in: workspace)
    process.environment["PROCTOR_CACHE_DIR"] = cache
    let outcome = try process.run()
    // It is only this workspace's answer that it spoils, and an answer that was not given is none.
    #expect(outcome.status == 1)
    #expect(try outcome.json()["stdout"] as? String == "tried\n")
    let shared = FileManager.default.enumerator(atPath: "\(cache)/shared")?.compactMap { "\($0)" }
    #expect(shared?.contains { $0.contains("poison") || $0.contains("guest/") } != true)
  }

  @Test func `a build script cannot write native code for the WebAssembly runtime`() throws {
    let cache = "\(folder.path)/cache"
    try cargo()
    try folder.write(
      """
      fn main() {
          let out = std::path::PathBuf::from(std::env::var("OUT_DIR").unwrap());
          let folder = out.ancestors().find(|p| p.ends_with("target")).unwrap().parent().unwrap();
          for place in [folder.to_path_buf(), format!("{}-module", folder.display()).into()] {
              let _ = std::fs::create_dir_all(&place);
              for name in ["guest.cwasm", "module"] { let _ = std::fs::write(place.join(name), "code"); }
          }
      }
      """, to: "workspace/build.rs")
    var process = ProctorProcess(
      ["exec", "src/lib.rs", "add", "[1, 2]", "--yes", "--isolation", "wasm"], in: workspace)
    process.environment["PROCTOR_CACHE_DIR"] = cache
    #expect(try process.run().status == 0)
    let modules =
      FileManager.default.enumerator(atPath: cache)?.compactMap { "\($0)" }
      .filter { $0.hasSuffix("-module/guest.cwasm") } ?? []
    #expect(modules.count == 1)
    for module in modules {
      let data = try Data(contentsOf: URL(filePath: "\(cache)/\(module)"))
      #expect(data.starts(with: [0x7f] + Data("ELF".utf8)), "not what the runtime compiled")
    }
  }

  @Test func `calls of one function at once`() throws {
    try folder.write("fn f(x: u32) -> u32 { x + 1 }\n", to: "workspace/a.rs")
    let running = try (0..<4).map { number in
      try ProctorProcess(
        ["exec", "a.rs", "f", "[\(number)]", "--yes", "--format", "json"], in: workspace
      ).start()
    }
    for (number, call) in running.enumerated() {
      #expect(try call.wait().json()["result"] as? Int == number + 1)
    }
  }

  // MARK: what is not called

  @Test func `nobody runs code without being asked`() throws {
    try folder.write("def f(): open('/tmp/x', 'w')\n", to: "workspace/a.py")
    let refused = try ProctorProcess(["exec", "a.py", "f", "--format", "json"], in: workspace).run()
    #expect(refused.status == 8)
    try Schema.validate(refused.stdout, "execute_function")
    #expect(try refused.json()["error_type"] as? String == "refused")
    try folder.write(
      "[execution]\nrequire_user_confirmation = false\nmax_file_operations = 1\n",
      to: "workspace/proctor.toml")
    #expect(try ProctorProcess(["exec", "a.py", "f"], in: workspace).run().status == 0)
    try folder.write("[execution]\nenabled = false\n", to: "workspace/proctor.toml")
    let off = try ProctorProcess(["exec", "a.py", "f", "--yes"], in: workspace).run()
    #expect(off.status == 2)
    #expect(off.stderr.contains("switched off"))
  }

  @Test(arguments: [
    (["a.py", "f", "--isolation", "wasm"], Int32(7), "Use --isolation auto or vm."),
    (["a.rs", "f", "--isolation", "vm"], 7, "Use --isolation auto or wasm."),
    (["a.rs", "f", "--isolation", "none"], 7, "in a sandbox only"),
    (["a.rb", "f"], 2, "Functions of these languages can be called"),
    (["../outside.py", "f"], 2, "outside the workspace"),
    (["/etc/passwdx", "f"], 2, "outside the workspace"),
    (["pipe.rs", "f"], 2, "no regular file"),
    (["link.py", "f"], 2, "outside the workspace"),
    (["b.py", "f"], 2, "a.py"),
  ])
  func `what cannot be called is said clearly`(
    arguments: [String], status: Int32, words: String
  ) throws {
    for name in ["a.py", "a.rs", "a.rb"] { try folder.write("\n", to: "workspace/\(name)") }
    try folder.write("def f(): pass\n", to: "outside.py")
    #expect(mkfifo("\(workspace)/pipe.rs", 0o600) == 0)
    try FileManager.default.createSymbolicLink(
      atPath: "\(workspace)/link.py", withDestinationPath: "\(folder.path)/outside.py")
    let outcome = try ProctorProcess(["exec"] + arguments + ["--yes"], in: workspace).run()
    #expect(outcome.status == status)
    #expect((outcome.text + outcome.stderr).contains(words), "\(outcome.text)\(outcome.stderr)")
  }

  @Test func `runs of tests are not isolated with runtimes of functions`() throws {
    try folder.write("def test_a(): pass\n", to: "workspace/test_a.py")
    for isolation in ["wasm", "vm"] {
      let outcome = try ProctorProcess(["run", "--isolation", isolation], in: workspace).run()
      #expect(outcome.status == 7)
    }
  }

  // MARK: the runtimes

  @Test(arguments: [("vm", 60), ("wasm", 20)])
  func `no attack gets out of a runtime`(isolation: String, count: Int) throws {
    try folder.write("", to: "workspace/empty")
    var process = ProctorProcess(
      ["selftest", "--isolation", isolation, "--format", "json"], in: workspace)
    // Attacks lie in the cache folder, which may be a long way from the root.
    process.environment["PROCTOR_CACHE_DIR"] = "\(folder.path)/a/b/c/d/e/f/g/h"
    let outcome = try process.run()
    try Schema.validate(outcome.stdout, "selftest")
    #expect(outcome.status == 0)
    let attacks = try outcome.json()["attacks"] as? [[String: Any]] ?? []
    let blocked = attacks.filter { $0["outcome"] as? String == "blocked" }
    #expect(blocked.count >= count && blocked.count == attacks.count, "\(attacks)")
    #expect(blocked.allSatisfy { $0["control_succeeded"] as? Bool == true })
  }

  @Test func `the hosts of Python and JavaScript`() throws {
    // They look for variables whose names begin as proctor's do.
    let variables = ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? ""]
    try PythonScript(name: "function_hosts.py", variables: variables).check()
  }
}

import Foundation
import Testing

/// Pieces of code run through the command line, in every language.
@Suite(.serialized) struct CodeTests {
  private let folder: TemporaryFolder
  private var workspace: String { "\(folder.path)/workspace" }

  init() throws {
    folder = try TemporaryFolder()
    try FileManager.default.createDirectory(
      atPath: "\(folder.path)/workspace", withIntermediateDirectories: true)
  }

  /// One piece and what must come of it.
  struct Piece: Sendable, CustomTestStringConvertible {
    var code: String
    /// The JSON text of the result; nil when it must have none.
    var result: String?
    var error: String?
    /// Part of the message, or of stdout where there is no error.
    var says: String?
    var line: Int?
    var exit: Int?
    var options: [String] = []

    var testDescription: String { "\(code) \(options.joined(separator: " "))" }
  }

  private static let exits: [String: Int32] = [
    "build_error": 3, "timeout": 6, "bad_arguments": 2, "refused": 8, "sandbox_error": 7,
  ]

  @discardableResult
  private func check(
    _ piece: Piece, _ language: String, status: Int32 = 0
  ) throws -> [String: Any] {
    let outcome = try ProctorProcess(
      ["eval", "--language", language, "--code", piece.code, "--yes", "--format", "json"]
        + piece.options, in: workspace
    ).run()
    try Schema.validate(outcome.stdout, "execute_code")
    let answer = try outcome.json()
    let comment = Comment(rawValue: "\(piece.testDescription): \(outcome.text.prefix(3000))")
    #expect(answer["error_type"] as? String == piece.error, comment)
    #expect(outcome.status == piece.error.map { Self.exits[$0] ?? 1 } ?? status, comment)
    if let result = piece.result {
      #expect(outcome.text.contains("\"result\" : \(result),"), comment)
    } else {
      #expect(answer["result"] == nil, comment)
    }
    let text = answer[piece.error == nil ? "stdout" : "message"] as? String ?? ""
    if let words = piece.says { #expect(text.contains(words), comment) }
    if let line = piece.line {
      #expect(answer["line"] as? Int == line, comment)
      #expect(answer["file"] as? String == "<code>", comment)
    }
    if let exit = piece.exit { #expect(answer["exit_code"] as? Int == exit, comment) }
    return answer
  }

  private func files(_ answer: [String: Any]) -> [String: [String: Any]] {
    let list = answer["files"] as? [[String: Any]] ?? []
    return Dictionary(list.map { ($0["path"] as? String ?? "", $0) }) { first, _ in first }
  }

  // MARK: languages

  @Test(arguments: [
    Piece(
      code: "print('hi')\n[1, {'a': (2.5, None)}]", result: #"[1,{"a":[2.5,null]}]"#, says: "hi\n",
      exit: 0),
    Piece(code: "x = 1", exit: 0),
    Piece(code: "", exit: 0),
    Piece(code: "None"),
    Piece(code: "import numpy as np\nnp.arange(3)", result: "[0,1,2]"),
    Piece(code: "import asyncio\nawait asyncio.sleep(0)\nx = 3\nx", result: "3"),
    Piece(
      code: "from __future__ import annotations\ndef f(a: nothing): return 1\nf(0)", result: "1"),
    Piece(
      code: "class A: pass\nimport pickle\ntype(pickle.loads(pickle.dumps(A()))).__name__",
      result: #""A""#),
    Piece(code: "__name__", result: #""__main__""#),
    Piece(code: "import sys\nsys.exit(0)\n1", exit: 0),
    Piece(
      code: "import sys\n\nsys.exit(3)", error: "runtime_error", says: "exit status 3", line: 3,
      exit: 3),
    Piece(code: "import sys; sys.exit('no')", error: "runtime_error", exit: 1),
    Piece(code: "import os; os._exit(0)", exit: 0),
    Piece(code: "import os; os._exit(4)", error: "runtime_error", exit: 4),
    Piece(
      code: "def f():\n  return 1/0\n\nf()", error: "runtime_error", says: "ZeroDivisionError",
      line: 2, exit: 1),
    Piece(code: "x = 1\ndef f(:", error: "build_error", says: "SyntaxError", line: 2),
    Piece(
      code: "def f(): return f()\nf()", error: "runtime_error", says: "RecursionError", line: 1),
    Piece(
      code:
        "import threading, time\ndef f(): time.sleep(0.2); print('late')\nthreading.Thread(target=f).start()\n7",
      result: "7", says: "late"),
    Piece(code: "import atexit\natexit.register(print, 'bye')\n8", result: "8", says: "bye"),
    Piece(code: "import os; os.closerange(0, 100)\n5", result: "5"),
    Piece(code: "print('{\"event\":\"returned\",\"value\":1}')\n2", result: "2", says: "returned"),
    Piece(code: "'{{nonce}} {{channel}}'", result: #""{{nonce}} {{channel}}""#),
    Piece(
      code: "import subprocess\nsubprocess.run(['echo', 'child']).returncode", result: "0",
      says: "child"),
    Piece(code: "import time; time.sleep(60)", error: "timeout", options: ["--timeout", "1"]),
    Piece(code: "while True: pass", error: "cpu_limit", options: ["--timeout", "30"]),
    Piece(code: "len(bytearray(2 * 10**9))", error: "memory_limit"),
    Piece(code: "while True: print('x' * 10000)", error: "output_limit"),
    Piece(code: "'x' * 50_000_000", error: "output_limit"),
    Piece(
      code:
        "import threading, time\nfor _ in range(500): threading.Thread(target=time.sleep, args=(1,)).start()",
      error: "process_limit"),
    Piece(code: "import os\nwhile True: os.fork()", error: "process_limit"),
    Piece(
      code: "import socket; socket.create_connection(('192.0.2.1', 80), 2)",
      error: "permission_denied", says: "max_network_requests would allow it"),
    Piece(
      code: "open('/tmp/made', 'w')", error: "permission_denied",
      says: "max_file_operations would allow it"),
    Piece(code: "open('/etc/shadow')", error: "runtime_error", says: "FileNotFoundError"),
    Piece(code: "import ctypes; ctypes.string_at(0)", error: "crashed", says: "SIGSEGV"),
  ])
  func `Python`(piece: Piece) throws { try check(piece, "python") }

  @Test(arguments: [
    (Data("x = 1\0".utf8), "build_error"),
    (Data("# -*- coding: latin-1 -*-\nx = '\u{e9}'\nx".utf8), nil),
    (Data([0x22, 0xff, 0x22]), "build_error"), (Data(), nil),
  ])
  func `bytes of any kind are a piece`(source: Data, error: String?) throws {
    try folder.write(source, to: "workspace/a.py")
    let outcome = try ProctorProcess(
      ["eval", "a.py", "--yes", "--format", "json"], in: workspace
    ).run()
    try Schema.validate(outcome.stdout, "execute_code")
    #expect(try outcome.json()["error_type"] as? String == error, "\(outcome.text)")
  }

  @Test func `what has no JSON form is shown as text`() throws {
    let answer = try check(
      Piece(code: "class A:\n  def __repr__(self): return 'an A'\nA()", result: #""an A""#), "py")
    #expect(answer["result_form"] as? String == "repr")
  }

  @Test(arguments: [
    Piece(code: "const x = 3; console.log('hi'); x * 2", result: "6", says: "hi", exit: 0),
    Piece(code: "let y = 1", exit: 0),
    Piece(
      code: "async function main() { return new Map([['a', 1n]]) }\nmain()", result: #"{"a":1}"#),
    Piece(code: "require('path').basename(__filename); module.exports.x = 4", result: "4"),
    Piece(code: "import os from 'node:os'\nexport default typeof os.cpus", result: #""function""#),
    Piece(code: "const v = await Promise.resolve(5)\nconsole.log(v)", says: "5"),
    Piece(code: "setTimeout(() => console.log('late'), 50); 1", result: "1", says: "late"),
    Piece(code: "process.exit(0)", exit: 0),
    Piece(code: "process.exitCode = 3", error: "runtime_error", says: "exit status 3", exit: 3),
    Piece(code: "let a = 1\nnull.x", error: "runtime_error", says: "TypeError", line: 2, exit: 1),
    Piece(
      code: "let a = 1\nsetTimeout(() => { throw new RangeError('later') }, 1)",
      error: "runtime_error", says: "RangeError: later", line: 2),
    Piece(code: "Promise.reject(new Error('lost'))", error: "runtime_error", says: "lost"),
    Piece(code: "let a = 1\nlet b = ;", error: "build_error", says: "SyntaxError", line: 2),
    Piece(
      code: "import os from 'node:os'\n\nexport const b = ;", error: "build_error",
      says: "SyntaxError", line: 3),
    Piece(code: "import 'nope'", error: "runtime_error", says: "imported from <code>"),
    Piece(code: "await new Promise(() => {})", error: "runtime_error", says: "never settles"),
    Piece(code: "for (;;);", error: "cpu_limit", options: ["--timeout", "30"]),
    Piece(code: "const a = []; for (;;) a.push(Buffer.alloc(1 << 20, 1))", error: "memory_limit"),
    Piece(code: "require('fs').writeFileSync('/tmp/x', '')", error: "permission_denied"),
  ])
  func `JavaScript`(piece: Piece) throws { try check(piece, "javascript") }

  @Test func `TypeScript as far as node takes it`() throws {
    let piece = Piece(code: "const x: number = 2; x", result: "2")
    let outcome = try ProctorProcess(
      ["eval", "-l", "ts", "--code", piece.code, "--yes", "--format", "json"], in: workspace
    ).run()
    try Schema.validate(outcome.stdout, "execute_code")
    if outcome.status == 0 {
      #expect(try outcome.json()["result"] as? Int == 2)
    } else {
      #expect(outcome.text.contains("npm install --save-dev typescript"))
    }
  }

  @Test func `JavaScript finds the packages of its workspace`() throws {
    try folder.write(
      "module.exports = 'here'\n", to: "workspace/node_modules/thing/index.js")
    try check(Piece(code: "require('thing')", result: #""here""#), "js")
    try check(
      Piece(code: "import thing from 'thing'\nexport default thing", result: #""here""#), "js")
  }

  @Test func `Python finds the modules of its workspace and changes none`() throws {
    try folder.write("value = 'here'\n", to: "workspace/src/thing.py")
    try check(Piece(code: "import thing\nthing.value", result: #""here""#), "py")
    try check(
      Piece(code: "open('\(workspace)/src/thing.py', 'w')", error: "permission_denied"), "py")
    #expect(
      try FileManager.default.subpathsOfDirectory(atPath: workspace).sorted() == [
        "src", "src/thing.py",
      ])
  }

  @Test(arguments: [
    Piece(code: "println!(\"{}\", 6 * 7)", says: "42\n", exit: 0),
    Piece(
      code:
        "// fn main() {}\nlet s = \"fn main() {\";\nlet n: i32 = \"7\".parse()?;\nprintln!(\"{n} {}\", s.len());",
      says: "7 11"),
    Piece(
      code:
        "use std::fmt::Write;\nfn main() { let mut s = String::new(); write!(s, \"{}\", 'x').unwrap(); print!(\"{s}\") }",
      says: "x"),
    Piece(
      code: "let v: Vec<i32> = vec![];\nprintln!(\"{}\", v[0]);", error: "runtime_error",
      says: "index out of bounds", line: 2, exit: 101),
    Piece(
      code: "let n: i32 = \"x\".parse()?;", error: "runtime_error", says: "ParseIntError", exit: 1),
    Piece(
      code: "let a = 1;\nlet b: i32 = \"no\";", error: "build_error", says: "mismatched types",
      line: 2),
    Piece(code: "let a = (", error: "build_error"),
    Piece(
      code: "fn main() { std::process::exit(3) }", error: "runtime_error", says: "exit status 3",
      exit: 3),
    Piece(code: "std::process::abort()", error: "crashed", says: "SIGABRT"),
    Piece(code: "loop {}", error: "timeout", options: ["--timeout", "1"]),
    Piece(
      code: "let mut v = Vec::new(); loop { v.extend_from_slice(&[1u8; 1 << 20]) }",
      error: "memory_limit"),
    Piece(
      code: "std::fs::write(\"/tmp/x\", \"\").unwrap()", error: "permission_denied",
      says: "max_file_operations"),
    Piece(
      code: "std::fs::write(\"output/x\", \"\").unwrap(); std::io::stdin().lines().count();",
      exit: 0),
  ])
  func `Rust`(piece: Piece) throws { try check(piece, "rust") }

  @Test(arguments: [
    Piece(code: "let a = [1, 2].map { $0 * 2 }\nprint(a)", says: "[2, 4]", exit: 0),
    Piece(code: "@main struct Main { static func main() async { print(\"main\") } }", says: "main"),
    Piece(
      code: "let a = 1\nlet b: Int = \"no\"", error: "build_error", says: "cannot convert", line: 2),
    Piece(
      code: "let a = 1\nfatalError(\"no \\(a)\")", error: "runtime_error",
      says: "Fatal error: no 1", line: 2),
    Piece(
      code: "struct E: Error {}\nthrow E()", error: "runtime_error",
      says: "Error raised at top level"),
    Piece(code: "import Glibc\nexit(3)", error: "runtime_error", says: "exit status 3", exit: 3),
    Piece(code: "while true {}", error: "timeout", options: ["--timeout", "1"]),
  ])
  func `Swift`(piece: Piece) throws { try check(piece, "swift") }

  // MARK: what goes in

  @Test func `the code of a file, with its stdin and other files`() throws {
    try folder.write(
      "import helper\nn = int(input())\nhelper.twice(n, open('data.txt').read())\n",
      to: "outside/piece.py")
    try folder.write("def twice(n, text): return [2 * n, text]\n", to: "outside/helper.py")
    try folder.write("text", to: "outside/data.txt")
    let input = try folder.write("21\n", to: "outside/numbers")
    let outcome = try ProctorProcess(
      [
        "eval", "../outside/piece.py", "--file", "../outside/helper.py", "--file",
        "../outside/data.txt",
      ]
        + ["--stdin", input, "--yes", "--format", "json"], in: workspace
    ).run()
    #expect(outcome.text.contains(#""result" : [42,"text"],"#), "\(outcome.text)")
    let failed = try ProctorProcess(
      ["eval", "../outside/piece.py", "--file", "../outside/helper.py", "--stdin", input, "--yes"]
        + ["--format", "json"], in: workspace
    ).run().json()
    #expect(failed["file"] as? String == "../outside/piece.py")
    #expect(failed["line"] as? Int == 3)
  }

  @Test func `proctor's own stdin is passed on, or holds the code`() throws {
    func run(_ arguments: [String], _ input: String) throws -> String {
      let path = try folder.write(input, to: "input")
      let process = Process()
      process.executableURL = URL(filePath: "/bin/sh")
      process.arguments =
        ["-c", #"input=$1; shift; cat "$input" | "$@""#, "sh", path, ProctorProcess.binary]
        + arguments
      process.currentDirectoryURL = URL(filePath: workspace)
      process.environment = ProctorProcess.environment
      let output = Pipe()
      process.standardOutput = output
      try process.run()
      let data = output.fileHandleForReading.readDataToEndOfFile()
      process.waitUntilExit()
      return String(decoding: data, as: UTF8.self)
    }
    let many = String(repeating: "0123456789\n", count: 100_000)
    let count = "import sys\nlen(sys.stdin.read())"
    let options = ["--yes", "--format", "json"]
    #expect(
      try run(["eval", "-l", "py", "--code", count] + options, many).contains(
        "\"result\" : 1100000,"))
    #expect(try run(["eval", "-l", "py", "-"] + options, count).contains("\"result\" : 0,"))
    // Whoever does not read it is not kept waiting, and harms nobody.
    #expect(
      try run(["eval", "-l", "py", "--code", "1"] + options, many).contains("\"result\" : 1,"))
    #expect(
      try run(["eval", "-l", "py", "--code", count, "--isolation", "none"] + options, many)
        .contains("\"result\" : 1100000,"))
    #expect(
      try run(["eval", "-l", "py", "--code", count, "--isolation", "bubblewrap"] + options, many)
        .contains("\"result\" : 1100000,"))
  }

  // MARK: what comes out

  private func picture(_ entry: [String: Any]) throws -> (width: Int, height: Int) {
    let text = try #require(entry["base64"] as? String)
    let data = try #require(Data(base64Encoded: text))
    #expect(data.count == entry["bytes"] as? Int)
    #expect(data.starts(with: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]))
    func number(_ at: Int) -> Int { data[at..<(at + 4)].reduce(0) { $0 << 8 | Int($1) } }
    return (number(16), number(20))
  }

  @Test func `figures are pictures`() throws {
    let answer = try check(
      Piece(
        code: """
          import matplotlib.pyplot as plt
          plt.figure(figsize=(3, 2), dpi=100)
          plt.plot([1, 3, 2])
          plt.show()
          assert not plt.get_fignums()
          plt.figure(figsize=(4, 5), dpi=50)
          plt.bar(["a", "b"], [1, 2])
          plt.title("still open at the end")
          None
          """), "python")
    let pictures = try #require(answer["pictures"] as? [[String: Any]])
    #expect(pictures.map { $0["name"] as? String } == ["figure-001.png", "figure-002.png"])
    #expect(try pictures.map { try picture($0).width } == [300, 200])
    #expect(try pictures.map { try picture($0).height } == [200, 250])
    #expect((answer["stderr"] as? String) == "")
    let failed = try check(
      Piece(
        code: "import matplotlib; matplotlib.use('Agg')\nimport matplotlib.pyplot as plt\n"
          + "for i in range(22):\n  plt.figure(figsize=(1, 1), dpi=20)\n  plt.show()\n1/0",
        error: "runtime_error", line: 6), "python")
    #expect((failed["pictures"] as? [Any])?.count == 20)
    #expect(failed["pictures_omitted"] as? Int == 2)
  }

  @Test func `files written to output come back`() throws {
    let answer = try check(
      Piece(
        code: """
          import os
          os.makedirs("output/deep/er")
          open("output/a.csv", "w").write("x,y\\n")
          open("output/deep/er/b.bin", "wb").write(bytes([0, 255]))
          open("beside", "w").write("not asked for")
          os.rename("beside", "output/moved")
          import tempfile
          tempfile.NamedTemporaryFile().name.startswith(os.environ["TMPDIR"])
          """, result: "true"), "python")
    let files = files(answer)
    #expect(files.keys.sorted() == ["a.csv", "deep/er/b.bin", "moved"])
    #expect(files["a.csv"]?["text"] as? String == "x,y\n")
    #expect(files["a.csv"]?["media_type"] as? String == "text/csv")
    #expect(files["deep/er/b.bin"]?["base64"] as? String == "AP8=")
    #expect(files["moved"]?["media_type"] as? String == "text/plain")
  }

  private static let hostile = """
    import os, socket
    os.chdir("output")
    os.symlink("/etc/shadow", "shadow")
    os.symlink("/", "root")
    os.mkfifo("fifo")
    open("sparse", "w").truncate(1 << 40)
    open("large", "wb").write(b"x" * (9 << 20))
    socket.socket(socket.AF_UNIX).bind("socket")
    open(b"bad\\xff", "w").write("x")
    open("new\\nline\\x1b[2J", "w").write("x")
    os.link("large", "link")
    for i in range(100): open(f"z{i:03}", "w")
    for _ in range(DEPTH):
        os.mkdir("d"); os.chdir("d")
    None
    """

  @Test(arguments: ["auto", "bubblewrap", "none"])
  func `nothing of the output folder is believed`(isolation: String) throws {
    // Deeper than paths can say, where no call has to be understood.
    let code = Self.hostile.replacing("DEPTH", with: isolation == "auto" ? "500" : "3000")
    let answer = try check(
      Piece(code: code, exit: 0, options: ["--isolation", isolation, "--timeout", "30"]), "python")
    let files = files(answer)
    for (name, why) in [
      ("shadow", "a symbolic link"), ("root", "a symbolic link"), ("fifo", "a named pipe"),
      ("sparse", "larger than 8 MB"), ("large", "larger than 8 MB"), ("link", "larger than 8 MB"),
      ("socket", "a socket"), ("bad\u{fffd}", "its name is not UTF-8"),
    ] {
      #expect(files[name]?["omitted"] as? String == why, "\(name): \(files[name] ?? [:])")
    }
    #expect(files["new\nline\u{1b}[2J"]?["text"] as? String == "x")
    #expect(files.count == 64)
    #expect(answer["files_omitted"] as? Int ?? 0 > 40)
    let runs = try FileManager.default.contentsOfDirectory(atPath: "\(ProctorProcess.cache)/runs")
    let left = runs.filter { name in
      FileManager.default.fileExists(atPath: "\(ProctorProcess.cache)/runs/\(name)/code")
    }
    #expect(left.isEmpty, "the folder of the run is still there: \(left)")
  }

  @Test(arguments: [
    "import os, shutil; shutil.rmtree('output'); os.symlink('/etc', 'output')",
    "import os, shutil; os.rename('../work', '../other'); os.symlink('/', '../work')",
    "import os; os.rmdir('output'); open('output', 'w').write('x')",
    "import os; os.chmod('output', 0)",
  ])
  func `a folder that is replaced gives nothing`(code: String) throws {
    let answer = try check(Piece(code: code + "\nNone"), "python")
    #expect(answer["files"] == nil)
  }

  @Test func `what fills the disk is stopped`() throws {
    try check(
      Piece(
        code: "f = open('big', 'wb')\nwhile True: f.write(b'x' * (1 << 20))",
        error: "output_limit", says: "written to disk"), "python")
  }

  @Test func `processes that stay behind are ended`() throws {
    let mark = "97531.\(getpid())"
    let answer = try check(
      Piece(
        code: """
          import subprocess
          subprocess.Popen(["sh", "-c", "sleep 0.5; echo late > output/late"])
          subprocess.Popen(["sleep", "\(mark)"], start_new_session=True).poll()
          """), "python")
    #expect(answer["files"] == nil)
    let left = try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { process in
      let line = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") ?? Data()
      return Int(process) != nil && line.starts(with: Data("sleep\0\(mark)".utf8))
    }
    #expect(left.isEmpty)
  }

  @Test func `files are written where the user says, and nowhere else`() throws {
    let code = """
      import os
      os.mkdir("output/sub")
      open("output/sub/a", "w").write("a")
      open("output/b", "w").write("b")
      None
      """
    let target = "\(folder.path)/results"
    func run(_ more: [String] = []) throws -> ProctorProcess.Outcome {
      try ProctorProcess(
        ["eval", "-l", "py", "--code", code, "--yes", "--output", target] + more, in: workspace
      ).run()
    }
    #expect(try run().status == 0)
    #expect(try String(contentsOfFile: "\(target)/sub/a", encoding: .utf8) == "a")
    let again = try run()
    #expect(again.status == 2)
    #expect(again.stderr.contains("not empty"))
    #expect(try run(["--force"]).status == 0)
    // A link that lies there leads nowhere.
    try FileManager.default.removeItem(atPath: "\(target)/sub")
    try FileManager.default.createSymbolicLink(
      atPath: "\(target)/sub", withDestinationPath: workspace)
    let linked = try run(["--force"])
    #expect(linked.status == 5)
    #expect(linked.text.contains("sub/a (1 bytes, not written: "))
    #expect(try FileManager.default.contentsOfDirectory(atPath: workspace).isEmpty)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: target).allSatisfy {
        !$0.hasPrefix(".proctor")
      })
  }

  @Test func `a folder that cannot be made is refused before the code runs`() throws {
    try folder.write("x", to: "workspace/file")
    try FileManager.default.createSymbolicLink(
      atPath: "\(workspace)/dangling", withDestinationPath: "nowhere")
    for target in ["a/b", "file/b", "dangling", ""] {
      let outcome = try ProctorProcess(
        ["eval", "-l", "py", "--code", "print('it ran')", "--yes", "--output", target],
        in: workspace
      ).run()
      #expect(outcome.status == 2, "\(target)")
      #expect(outcome.stderr.contains("cannot be made"), "\(target): \(outcome.stderr)")
      #expect(!outcome.text.contains("it ran"))
    }
    #expect(!FileManager.default.fileExists(atPath: "\(workspace)/a"))
  }

  @Test func `a file that cannot be written costs neither the answer nor the others`() throws {
    try FileManager.default.createDirectory(
      atPath: "\(workspace)/results/b", withIntermediateDirectories: true)
    let code = "for n in 'abc': open('output/' + n, 'w').write(n)\nprint('printed')\n6 * 7"
    let answer = try check(
      Piece(
        code: code, result: "42", exit: 0, options: ["--output", "results", "--force"]), "python",
      status: 5)
    #expect(answer["stdout"] as? String == "printed\n")
    let files = files(answer)
    #expect(
      files["a"]?["written_to"] as? String == "a" && files["c"]?["written_to"] as? String == "c")
    #expect(files["b"]?["text"] as? String == "b")
    #expect(files["b"]?["not_written"] as? String == "Is a directory")
    #expect(try String(contentsOfFile: "\(workspace)/results/c", encoding: .utf8) == "c")
    // What failed by itself says so first.
    try check(
      Piece(
        code: code + "\n1/0", error: "runtime_error", options: ["--output", "results", "--force"]),
      "python")
  }

  @Test(arguments: [
    "os.mkdir('output/pictures'); open('output/pictures/figure-001.png', 'w')",
    "open('output/pictures', 'w')",
  ])
  func `pictures take no file's place`(own: String) throws {
    let answer = try check(
      Piece(
        code: """
          import os
          import matplotlib.pyplot as plt
          plt.figure(figsize=(1, 1), dpi=20)
          plt.show()
          \(own).write("own")
          None
          """, options: ["--output", "results", "--force"]), "python")
    let pictures = try #require(answer["pictures"] as? [[String: Any]])
    #expect(pictures.first?["written_to"] as? String == "pictures-2/figure-001.png")
    let file = try #require((answer["files"] as? [[String: Any]])?.first)
    let path = try #require(file["written_to"] as? String)
    #expect(try String(contentsOfFile: "\(workspace)/results/\(path)", encoding: .utf8) == "own")
    let picture = try #require(
      FileManager.default.contents(atPath: "\(workspace)/results/pictures-2/figure-001.png"))
    #expect(picture.count == pictures.first?["bytes"] as? Int)
  }

  @Test func `nothing is said to be written when nothing was`() throws {
    let outcome = try ProctorProcess(
      [
        "eval", "-l", "py", "--code", "import os; os.symlink('/', 'output/root')", "--yes",
        "--output", "results",
      ], in: workspace
    ).run()
    #expect(outcome.status == 0)
    #expect(outcome.text.contains("root (a symbolic link)") && !outcome.text.contains("written"))
    #expect(!FileManager.default.fileExists(atPath: "\(workspace)/results"))
  }

  // MARK: what is not run

  @Test func `nobody runs code without being asked`() throws {
    let refused = try ProctorProcess(
      ["eval", "-l", "py", "--code", "1", "--format", "json"], in: workspace
    ).run()
    #expect(refused.status == 8)
    try Schema.validate(refused.stdout, "execute_code")
    #expect(try refused.json()["error_type"] as? String == "refused")
    try folder.write(
      "[execution]\nrequire_user_confirmation = false\n", to: "workspace/proctor.toml")
    #expect(
      try ProctorProcess(["eval", "-l", "py", "--code", "1"], in: workspace).run().status == 0)
    // The validator's word still counts.
    let risky = try ProctorProcess(["eval", "-l", "py", "--code", "eval('1')"], in: workspace).run()
    #expect(risky.status == 8)
    try folder.write("[execution]\nenabled = false\n", to: "workspace/proctor.toml")
    let off = try ProctorProcess(
      ["eval", "-l", "py", "--code", "1", "--yes"], in: workspace
    ).run()
    #expect(off.status == 2)
    #expect(off.stderr.contains("switched off"))
  }

  @Test(arguments: [
    (["missing.py"], Int32(2), "No such file"),
    (["."], 2, "Name the language"),
    ([".", "-l", "py"], 2, "no regular file"),
    (["a.rb"], 2, "The languages are"),
    (["a.py", "--code", "1"], 2, "Give the code"),
    (["-l", "py"], 2, "Give the code"),
    (["a.py", "--file", "a.rb", "--file", "b/a.rb"], 2, "two files have the name"),
    (["a.py", "--file", "b/main.py"], 2, "cannot be given to the piece as main.py"),
    (["a.py", "--file", "b"], 2, "no regular file"),
    (["a.py", "--stdin", "missing"], 2, "cannot be read"),
    (["a.py", "--force"], 2, "goes with --output"),
    (["a.py", "--output", "a.rb"], 2, "is no folder"),
    (["large.py"], 2, "larger than 4 MB"),
    (["a.py", "--isolation", "wasm"], 7, "Use --isolation auto"),
    (["a.py", "--timeout", "0"], 2, "above 0"),
  ])
  func `wrong usage is said clearly`(arguments: [String], status: Int32, words: String) throws {
    for name in ["a.py", "a.rb", "b/a.rb", "b/main.py"] {
      try folder.write("\n", to: "workspace/\(name)")
    }
    try folder.write(Data(count: 5 << 20), to: "workspace/large.py")
    let outcome = try ProctorProcess(["eval"] + arguments + ["--yes"], in: workspace).run()
    #expect(outcome.status == status)
    #expect((outcome.text + outcome.stderr).contains(words), "\(outcome.text)\(outcome.stderr)")
  }
}

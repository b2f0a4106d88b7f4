import Foundation
import Testing

/// Whether workspaces compile and import, on the real tools of all four languages.
@Suite(.serialized) struct CheckTests {
  private let folder: TemporaryFolder
  private var workspace: String { "\(folder.path)/workspace" }

  init() throws {
    folder = try TemporaryFolder()
    try FileManager.default.createDirectory(
      atPath: "\(folder.path)/workspace", withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(
      atPath: "\(folder.path)/node_modules",
      withDestinationPath: "\(ProctorProcess.repository)/fixtures/node_modules")
  }

  private struct Answer {
    let status: String
    let object: [String: Any]
    let text: String
    var diagnostics: [[String: Any]] { object["diagnostics"] as? [[String: Any]] ?? [] }

    /// `file:line:column severity code found_by`
    var lines: [String] {
      diagnostics.map { item in
        let place = [item["file"], item["line"], item["column"]].compactMap { $0.map { "\($0)" } }
          .joined(separator: ":")
        return [place, item["severity"], item["code"], item["found_by"]].compactMap {
          $0.map { "\($0)" }
        }
        .joined(separator: " ")
      }
    }
  }

  private func write(_ files: [String: String]) throws {
    for (name, text) in files { try folder.write(text, to: "workspace/\(name)") }
  }

  @discardableResult
  private func check(
    _ arguments: [String] = [], status: String, exit: Int32? = nil
  ) throws -> Answer {
    let outcome = try ProctorProcess(["check"] + arguments + ["--format", "json"], in: workspace)
      .run()
    try Schema.validate(outcome.stdout, "check")
    let object = try outcome.json()
    let exits: [String: Int32] = ["passed": 0, "failed": 3, "nothing_to_check": 4, "error": 5]
    let comment = Comment(rawValue: "\(outcome.text)\(outcome.stderr)")
    #expect(object["status"] as? String == status, comment)
    #expect(outcome.status == exit ?? exits[status], comment)
    let answer = Answer(status: status, object: object, text: outcome.text)
    let errors = answer.diagnostics.count { $0["severity"] as? String == "error" }
    if object["diagnostics_omitted"] == nil { #expect(object["errors"] as? Int == errors, comment) }
    return answer
  }

  // MARK: Python

  @Test func `Python files are compiled, resolved and imported, and each says which found it`()
    throws
  {
    try write([
      "proctor.toml": "[tests]\ntest_timeout_seconds = 8\n",
      "pkg/__init__.py": "",
      "pkg/a.py": "from . import b\nx = 1\n",
      "pkg/b.py": "from . import a\nprint('P1 forged 1 0 . {}')\n",
      "pkg/syntax.py": "def f(:\n    pass\n", "pkg/gone.py": "import os, nowhere\n",
      "pkg/name.py": "from pkg.a import nothing\n",
      "pkg/later.py": "def f():\n    import lazily_nowhere\n",
      "pkg/optional.py": "try:\n    import nowhere\nexcept ImportError:\n    nowhere = None\n",
      "pkg/leaves.py": "import os\nos._exit(0)\n", "pkg/politely.py": "import sys\nsys.exit(0)\n",
      "pkg/loops.py": "while True: pass\n",
      "pkg/crashes.py": "import ctypes\nctypes.string_at(0)\n",
      "pkg/closes.py": "import os\nos.closerange(3, 100)\nraise ValueError('closed')\n",
      "run me.py": "import sys\nsys.exit('a program')\n",
      "tests/test_a.py": "import pytest\npytest.skip('not here', allow_module_level=True)\n",
    ])
    try folder.write(
      Data("x = '".utf8) + Data([0xff, 0xfe]) + Data("'\n".utf8), to: "workspace/pkg/bytes.py")
    let answer = try check(status: "failed")
    #expect(
      Set(answer.lines) == [
        "pkg/bytes.py:1 error SyntaxError compile", "pkg/syntax.py:1:7 error SyntaxError compile",
        "pkg/gone.py:1:1 error ModuleNotFoundError import",
        "pkg/name.py:1 error ImportError import",
        "pkg/later.py:2:5 warning ModuleNotFoundError resolve", "pkg/leaves.py error exited import",
        "pkg/politely.py:2 error SystemExit import", "pkg/loops.py error timeout import",
        "pkg/crashes.py error crashed import", "pkg/closes.py error exited import",
      ], "\(answer.lines)")
    #expect(answer.text.contains("did not import within 8 seconds"))
    let only = try check(["pkg/later.py"], status: "passed")
    #expect(only.lines.count == 1)
    #expect(!FileManager.default.fileExists(atPath: "\(workspace)/pkg/__pycache__"))
  }

  @Test func `Python projects that work are green, circles and src layouts too`() throws {
    try write([
      "pyproject.toml": "[tool.pytest.ini_options]\npythonpath = [\"lib\"]\n",
      "src/app/__init__.py": "from .one import a\n", "src/app/one.py": "from . import two\na = 1\n",
      "src/app/two.py": "from . import one\n", "lib/helper.py": "",
      "tests/conftest.py": "import helper\n",
      "tests/sub/conftest.py": "import app\n", "tests/test_it.py": "from app.one import a\n",
      "space/deep/mod.py": "from . import other\n", "space/deep/other.py": "",
    ])
    let answer = try check(status: "passed")
    #expect(answer.lines == [])
    let parts = answer.object["adapters"] as? [[String: Any]] ?? []
    #expect(parts.first?["checked"] as? Int == 9)
  }

  /// It says that all is well, and goes.
  @Test func `a module that ends the process between two others hides none of them`() throws {
    try write([
      "a.py": """
      import os, stat
      for fd in range(3, 30):
          try:
              if stat.S_ISFIFO(os.fstat(fd).st_mode):
                  os.write(fd, b"".join(b'{"index": %d}\\n' % i for i in range(50)))
          except OSError:
              pass
      os._exit(0)
      """, "b.py": "raise ValueError('seen')\n", "c.py": "x = 1\n", "d.py": "import nowhere\n",
    ])
    #expect(
      try check(status: "failed").lines == [
        "b.py:1 error ValueError import", "d.py:1:1 error ModuleNotFoundError import",
      ])
  }

  @Test func `many diagnostics are cut, and the cut is said`() throws {
    for index in 0..<1500 { try folder.write("x = (\n", to: "workspace/many/m\(index).py") }
    let answer = try check(status: "failed")
    #expect(answer.diagnostics.count == 1000)
    #expect(answer.object["errors"] as? Int == 1500)
    #expect(answer.object["diagnostics_omitted"] as? Int == 500)
  }

  // MARK: JavaScript

  @Test func `JavaScript is read as scripts and modules, and relative imports are found`() throws {
    try write([
      "package.json": #"{"devDependencies": {"jest": "*", "absent-package": "*"}}"#,
      "ok.js": "const x = require('./data'); module.exports = x; // require('./comment')\n",
      "data.json": "{}", "folder/index.js": "return 1;\n",
      "string.js":
        "const s = \"require('./string')\"; const r = /require('.\\/x')/;\nrequire('./folder');\n",
      "try.js": "try { require('./optional') } catch {}\nrequire('./missing');\n",
      "bad.js": "let x = 1;\nlet y = ;\n", "bad.mjs": "import './ok.js';\nexport const y = 3 +;\n",
      "gone.mjs": "import a from './nowhere.js';\nexport * from './ok.js';\n",
      "esm/package.json": #"{"type": "module"}"#, "esm/a.js": "import '../ok.js';\nawait 1;\n",
      "package.js": "require('absent-package');\n",
      "deep.js": "x" + String(repeating: "[", count: 50_000),
    ])
    let answer = try check(status: "failed")
    let expected: Set = [
      "try.js:2:10 error MODULE_NOT_FOUND resolve", "bad.js:2:9 error SyntaxError compile",
      "bad.mjs:2:21 error SyntaxError compile", "gone.mjs:1:16 error MODULE_NOT_FOUND resolve",
      "package.js:1:10 error MODULE_NOT_FOUND resolve",
    ]
    #expect(Set(answer.lines.filter { !$0.hasPrefix("deep.js") }) == expected, "\(answer.lines)")
  }

  /// Its settings are programs of the project.
  @Test(arguments: ["process.exit(0)", "process.kill(process.pid, 'SIGKILL')", ""])
  func `babel has no part in the report`(ending: String) throws {
    try write([
      "package.json": "{}", "a.jsx": "const a = <p/>;\n",
      "bad.mjs": "import './ok.js';\nlet x = ;\n",
      "ok.js": "module.exports = 1;\n",
      "babel.config.js": """
      const fs = require('fs');
      const initial = fs.readFileSync('/proc/self/environ', 'latin1').split('\\0');
      const own = Object.entries(process.env).map((pair) => pair.join('='));
      const value = (name) => [...initial, ...own].find((text) => text.startsWith(name + '='))?.slice(name.length + 1);
      const [channel, nonce] = ['PROCTOR_CHANNEL', 'PROCTOR_NONCE'].map(value);
      if (channel && nonce) {
        fs.appendFileSync(channel, `P1 ${nonce} x 0 . {"event":"end","compiled":4}\\n`);
        process.exit(0);
      }
      \(ending);
      module.exports = { parserOpts: { plugins: ['jsx'] } };
      """,
    ])
    let answer = try check(status: "failed")
    #expect(answer.lines.contains("bad.mjs:2:9 error SyntaxError compile"), "\(answer.lines)")
    #expect(answer.lines.contains("a.jsx error exited compile") == !ending.isEmpty)
  }

  @Test func `TypeScript is checked by the project's compiler`() throws {
    try write([
      "package.json": "{}",
      "tsconfig.json": #"{"compilerOptions": {"strict": true, "types": []}, "include": ["src"]}"#,
      "src/a.ts": "export const n: number = 'text';\nnowhere();\n", "loose.ts": "const x: = 1;\n",
      "src/b.ts": "import { n } from './a';\nexport const m: number = n;\n",
    ])
    let answer = try check(status: "failed")
    #expect(
      Set(answer.lines) == [
        "src/a.ts:1:14 error TS2322 compile", "src/a.ts:2:1 error TS2304 compile",
        "loose.ts:1:10 error TS1110 compile",
      ], "\(answer.lines)")
    #expect(
      answer.diagnostics.first { $0["code"] as? String == "TS2304" }?["end_column"] as? Int == 8)
  }

  /// `include` of a configuration that only refers to others says nothing.
  @Test func `TypeScript projects that a configuration refers to are checked, each once`() throws {
    func configuration(_ folder: String, _ references: String = "") -> String {
      """
      {"compilerOptions": {"composite": true, "strict": true, "types": [], "rootDir": "\(folder)"},
       "include": ["\(folder)"], "references": [\(references)]}
      """
    }
    try write([
      "package.json": "{}",
      "tsconfig.json": #"{"files": [], "references": [{"path": "./tsconfig.app.json"}]}"#,
      "tsconfig.app.json": configuration(
        "src", #"{"path": "./tsconfig.lib.json"}, {"path": "deep"}"#),
      "tsconfig.lib.json": configuration(
        "lib", #"{"path": "deep"}, {"path": "./tsconfig.app.json"}"#),
      "deep/tsconfig.json": configuration("."), "deep/c.ts": "export const d: number = 1;\n",
      "src/a.ts": "import { n } from '../lib/b';\nexport const a: number = n;\n",
      "lib/b.ts": "import { d } from '../deep/c';\nexport const n: number = d;\n",
    ])
    #expect(try check(status: "passed").lines == [])
    try write([
      "deep/c.ts": "export const d: number = 'text';\n", "src/a.ts": "nowhere();\n",
      "lib/b.ts": "export const n: string = 1;\n",
    ])
    #expect(
      Set(try check(status: "failed").lines) == [
        "src/a.ts:1:1 error TS2304 compile", "deep/c.ts:1:14 error TS2322 compile",
        "lib/b.ts:1:14 error TS2322 compile",
      ])
    try write([
      "tsconfig.json": #"{"files": [], "references": [{"path": "./gone"}]}"#,
      "src/a.ts": "export const a = 1;\n", "lib/b.ts": "export const b = 1;\n",
      "deep/c.ts": "export const c = 1;\n",
    ])
    #expect(try check(status: "failed").text.contains("gone"))
  }

  // MARK: Rust and Swift

  @Test func `Rust is checked with its tests, each diagnostic once`() throws {
    try write([
      "Cargo.toml": "[package]\nname = \"sum\"\nversion = \"0.1.0\"\nedition = \"2021\"\n",
      "src/lib.rs": "pub fn f() -> i32 {\n    let unused = 1;\n    2\n}\n",
      "tests/t.rs": "#[test]\nfn t() {\n    nowhere();\n}\n",
    ])
    let answer = try check(status: "failed")
    #expect(
      answer.lines == [
        "tests/t.rs:3:5 error E0425 compile", "src/lib.rs:2:9 warning unused_variables compile",
      ])
    #expect(answer.diagnostics.first?["end_column"] as? Int == 12)
    #expect(answer.diagnostics.first?["source"] as? String == "    nowhere();")
    try write(["tests/t.rs": "#[test]\nfn t() {}\n"])
    let again = try check(status: "passed")
    #expect(again.object["warnings"] as? Int == 1)
    try write(["Cargo.toml": "[package\n"])
    #expect(try check(status: "failed").lines.first?.hasPrefix("Cargo.toml:1") == true)
  }

  @Test func `Swift is checked with its tests`() throws {
    try write([
      "Package.swift": """
      // swift-tools-version: 6.0
      import PackageDescription
      let package = Package(name: "Sum", targets: [.target(name: "Sum"), .testTarget(name: "SumTests", dependencies: ["Sum"])])
      """,
      "Sources/Sum/Sum.swift": "public func f() -> Int {\n  let unused = 1\n  return nowhere\n}\n",
      "Tests/SumTests/T.swift":
        "import Testing\n@testable import Sum\n@Test func t() { #expect(f() == 1) }\n",
    ])
    let answer = try check(status: "failed")
    #expect(answer.lines.contains("Sources/Sum/Sum.swift:3:10 error compile"), "\(answer.lines)")
    try write(["Sources/Sum/Sum.swift": "public func f() -> Int { 1 }\n"])
    let parts = try check(status: "passed").object["adapters"] as? [[String: Any]] ?? []
    #expect((parts.first?["checked"] as? Int ?? 0) >= 2)
  }

  // MARK: never green without having looked

  @Test func `a Rust file that no target has is not green`() throws {
    try write([
      "Cargo.toml":
        "[workspace]\nmembers = [\"crates/in-ner\"]\n[package]\nname = \"sum\"\nversion = \"0.1.0\"\nedition = \"2021\"\n",
      "build.rs": "fn main() {}\n", "src/main.rs": "mod used;\nfn main() {}\n",
      "src/used.rs": "", "src/new.rs": "fn broken( {\n",
      "src/lib.rs": "#[path = \"o dd.rs\"]\npub mod odd;\n",
      "src/o dd.rs": "", "tests/t.rs": "mod common;\n#[test]\nfn t() {}\n",
      "tests/common/mod.rs": "",
      "left/a.rs": "fn broken( {\n", "examples/e.rs": "fn main() {}\n",
      "crates/in-ner/Cargo.toml":
        "[package]\nname = \"in-ner\"\nversion = \"0.1.0\"\nedition = \"2021\"\n",
      "crates/in-ner/src/lib.rs": "mod deep;\n", "crates/in-ner/src/deep.rs": "",
    ])
    for path in [
      "build.rs", "src/main.rs", "src/used.rs", "src/o dd.rs", "tests/common/mod.rs",
      "examples/e.rs", "crates/in-ner/src/deep.rs", "crates",
    ] { #expect(try check([path], status: "passed").lines == [], "\(path)") }
    for path in ["src/new.rs", "left"] {
      let answer = try check([path], status: "error")
      #expect(answer.object["reason"] as? String == "empty_selection")
      #expect(answer.text.contains("was not compiled"))
    }
    #expect(try check(["src"], status: "passed").lines == ["src/new.rs warning resolve"])
    #expect(try check(status: "passed").lines == [])
  }

  @Test func `a Swift file that no target has is not green`() throws {
    try write([
      "Package.swift": """
      // swift-tools-version: 6.0
      import PackageDescription
      let package = Package(name: "Sum", targets: [.target(name: "Sum"), .plugin(name: "Plug", capability: .buildTool())])
      """,
      "Sources/Sum/Sum.swift": "public func f() -> Int { 1 }\n",
      "Plugins/Plug/Plug.swift": """
      import PackagePlugin
      @main struct Plug: BuildToolPlugin {
        func createBuildCommands(context: PluginContext, target: Target) -> [Command] { [] }
      }
      """,
      "Sources/Other/New.swift": "func broken( {\n",
    ])
    for path in [
      "Sources/Sum/Sum.swift", "Package.swift", "Plugins/Plug/Plug.swift", "Sources/Sum",
    ] {
      #expect(try check([path], status: "passed").lines == [], "\(path)")
    }
    let answer = try check(["Sources/Other/New.swift"], status: "error")
    #expect(answer.object["reason"] as? String == "empty_selection")
    #expect(
      try check(["Sources"], status: "passed").lines == ["Sources/Other/New.swift warning resolve"])
  }

  private static func manifest(_ name: String, builds: Bool) -> String {
    """
    name = "\(name)"
    extensions = ["txt"]
    [detect]
    files = ["\(name).mark"]
    [tool]
    program = "sh"
    install = "apt install dash"
    \(builds ? "[build]\ncommand = [\"true\"]" : "")
    [run]
    command = ["{tool}", "run.sh"]
    format = "tap"
    """
  }

  /// The build step of a described runner says nothing of files.
  @Test func `a described runner claims no file that it cannot know`() throws {
    try write([
      ".proctor/adapters/lines.toml": Self.manifest("lines", builds: true), "one/lines.mark": "",
      "one/a.txt": "", "one/sub/b.txt": "",
    ])
    let parts = try check(["one"], status: "passed").object["adapters"] as? [[String: Any]] ?? []
    #expect(parts.first?["unit"] as? String == "builds" && parts.first?["checked"] as? Int == 1)
    for path in ["one/a.txt", "one/sub"] {
      let answer = try check([path], status: "error")
      #expect(answer.object["reason"] as? String == "tool_missing")
      #expect(answer.text.contains("does not say which files it compiles"), "\(answer.text)")
    }
  }

  /// Another project's files may have the same endings.
  @Test func `a project that nothing checks is not covered by another of its kind`() throws {
    try write([
      ".proctor/adapters/lines.toml": Self.manifest("lines", builds: true), "one/lines.mark": "",
      ".proctor/adapters/words.toml": Self.manifest("words", builds: false), "two/words.mark": "",
      "one/a.txt": "", "two/b.txt": "",
    ])
    let answer = try check(status: "error")
    #expect(answer.object["reason"] as? String == "tool_missing")
    #expect((answer.object["message"] as? String)?.contains("words") == true, "\(answer.text)")
    try check(["one"], status: "passed")
  }

  @Test func `nothing, and what cannot be looked at, is not green`() throws {
    try check(status: "nothing_to_check")
    try write(["a.py": "x = 1\n", "lone.rs": "fn main() {}\n"])
    try check(["lone.rs"], status: "nothing_to_check")
    try check(["nowhere"], status: "error", exit: 2)
    try check(status: "passed")
    try write(["proctor.toml": "[tests.pytest]\ninterpreter = \"/nowhere/python\"\n"])
    #expect(try check(status: "error").object["reason"] as? String == "tool_missing")
    try write(["proctor.toml": "", "go.mod": "module x\n", "a_test.go": "package x\n"])
    #expect(try check(status: "error").object["reason"] as? String == "tool_missing")
    try check(["a.py"], status: "passed")
  }

  @Test func `a time limit is told with the module it met`() throws {
    try write(["slow.py": "import time\ntime.sleep(60)\n"])
    let answer = try check(["--timeout", "2"], status: "error", exit: 6)
    #expect(answer.text.contains("slow.py"))
  }

  @Test func `a patch is checked before it is applied`() throws {
    try write(["a.py": "x = 1\n"])
    let patch = try folder.write("--- a.py\n+++ a.py\n@@ -1 +1 @@\n-x = 1\n+x = (\n", to: "p.diff")
    let answer = try check(["--patch", patch], status: "failed")
    #expect(answer.lines.first?.hasPrefix("a.py:1:5 error SyntaxError") == true)
    #expect(answer.diagnostics.first?["source"] as? String == "x = (")
    #expect((answer.object["patch"] as? [String: Any])?["files_changed"] as? Int == 1)
    try check(status: "passed")
  }

  @Test func `what a link leads to elsewhere is not shown`() throws {
    let outside = try folder.write("SECRET = 'kept'\n", to: "outside.py")
    try write([
      "pytest.ini": "[pytest]\n",
      "b.py": "import os\nexec(compile('1/0', os.path.abspath('a.py'), 'exec'))\n",
    ])
    try FileManager.default.createSymbolicLink(
      atPath: "\(workspace)/a.py", withDestinationPath: outside)
    for format in ["text", "json"] {
      let outcome = try ProctorProcess(["check", "--format", format], in: workspace).run()
      #expect(outcome.text.contains("division by zero"), "\(outcome.text)")
      #expect(!outcome.text.contains("kept"), "\(outcome.text)")
    }
  }

  @Test func `text shows the place and the line`() throws {
    try write(["a.py": "def f(:\n"])
    let outcome = try ProctorProcess(["check"], in: workspace).run()
    #expect(
      outcome.text.contains(
        "a.py:1:7: error[SyntaxError]: invalid syntax\n  1 | def f(:\n            ^"),
      "\(outcome.text)")
  }
}

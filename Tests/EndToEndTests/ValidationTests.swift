import Foundation
import Testing

/// Code judged without being run, through the command line.
@Suite(.serialized) struct ValidationTests {
  private let folder: TemporaryFolder
  private var workspace: String { "\(folder.path)/workspace" }

  init() throws {
    folder = try TemporaryFolder()
    try folder.write("", to: "workspace/.keep")
  }

  private struct Judged {
    let outcome: ProctorProcess.Outcome
    let answer: [String: Any]
    var level: String? { answer["risk_level"] as? String }
    var score: Int { answer["risk_score"] as? Int ?? -1 }
    var findings: [[String: Any]] { answer["findings"] as? [[String: Any]] ?? [] }
    var rules: [String] { findings.compactMap { $0["rule"] as? String } }
  }

  private func judge(_ arguments: String..., expecting status: Int32 = 0) throws -> Judged {
    let outcome = try ProctorProcess(
      ["validate"] + arguments + ["--format", "json"], in: workspace
    ).run()
    try Schema.validate(outcome.stdout, "validate_code")
    #expect(outcome.status == status, "\(outcome.text)\(outcome.stderr)")
    return Judged(outcome: outcome, answer: try outcome.json())
  }

  private func write(_ text: String, _ name: String = "a.py") throws {
    try folder.write(text, to: "workspace/\(name)")
  }

  // MARK: the rules

  private func script(_ name: String, _ arguments: [String]) throws -> (Int32, String) {
    let repository = ProctorProcess.repository
    let process = Process()
    process.executableURL = URL(filePath: "\(repository)/.cache/python/bin/python")
    process.arguments = ["-B", "\(repository)/\(name)"] + arguments
    process.environment = ProctorProcess.environment
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let words = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, words)
  }

  @Test func `every rule matches its examples and not its counter-examples`() throws {
    let (status, words) = try script(
      "Tests/Support/rule_examples.py", [ProctorProcess.binary])
    #expect(status == 0, "\(words)")
  }

  @Test func `precision and recall are as published, and above their floors`() throws {
    let (status, words) = try script(
      "Tests/Support/validation_score.py", [ProctorProcess.binary, "--check"])
    #expect(status == 0, "\(words)")
  }

  // MARK: answers

  @Test func `a finding has its place, its line of code and its rule`() throws {
    try write("import os\n\ndef f(x):\n    é = 'ü'; return eval(x)\n")
    let judged = try judge("a.py")
    #expect(judged.level == "high" && judged.score == 55)
    let finding = try #require(judged.findings.first)
    #expect(judged.findings.count == 1)
    #expect(finding["file"] as? String == "a.py")
    #expect(finding["line"] as? Int == 4 && finding["column"] as? Int == 21)
    #expect(finding["rule"] as? String == "py-eval")
    #expect(finding["category"] as? String == "code_evaluation")
    #expect(finding["code"] as? String == "    é = 'ü'; return eval(x)")
  }

  @Test func `harmless code is low, worse code never scores less`() throws {
    var last = -1
    var text = "def f(x):\n    return x + 1\n"
    for line in [
      "", "open('a')", "open('b')", "open('c', 'w')", "import socket; socket.socket()", "eval(x)",
      "import os; os.system('ls')", "import ctypes; ctypes.CDLL(None)", "exec(b64decode(x))",
    ] {
      text += line + "\n"
      try write(text)
      let score = try judge("a.py").score
      #expect(score >= last, "\(text)")
      last = score
    }
    #expect(last == 100)
    try write("def f(x):\n    return x + 1\n")
    let harmless = try judge("a.py")
    #expect(harmless.score == 0 && harmless.level == "low" && harmless.findings.isEmpty)
  }

  @Test func `a folder is judged without what git ignores and what was installed`() throws {
    for name in ["a.py", "sub/b.js", "sub/c.ts", "d.rs", "e.swift"] { try write("\n", name) }
    try write("eval(x)\n", "ignored.py")
    try write("eval(x)\n", "node_modules/m/index.js")
    try write("ignored.py\n", ".gitignore")
    let judged = try judge(".")
    #expect(judged.score == 0)
    #expect(judged.answer["files_examined"] as? Int == 5)
    #expect(
      judged.answer["languages"] as? [String]
        == ["javascript", "python", "rust", "swift", "typescript"])
    // Named, they are judged.
    #expect(try judge("ignored.py").level == "high")
    #expect(try judge("node_modules").level == "high")
  }

  @Test func `findings are bounded, what was cut is said and still counts`() throws {
    try write(String(repeating: "x = open('a')\n", count: 300) + "eval(x)\n")
    let judged = try judge("a.py")
    #expect(judged.findings.count == 200)
    #expect(judged.answer["findings_omitted"] as? Int == 101)
    #expect(judged.level == "high")
    let none = try judge("a.py", "--max-findings", "0")
    #expect(none.findings.isEmpty && none.answer["findings_omitted"] as? Int == 301)
  }

  @Test func `comments for ast-grep hide nothing`() throws {
    try write("# ast-grep-ignore\n\nx = 1\neval(x) # ast-grep-ignore\n# ast-grep-ignore\nexec(x)\n")
    let judged = try judge("a.py")
    #expect(judged.rules == ["py-eval", "py-eval"])
    #expect(judged.findings.first?["code"] as? String == "eval(x) # ast-grep-ignore")
    // Nor do its settings in the workspace.
    try write("ruleDirs: []\nlanguageGlobs: {json: ['*.py']}\n", "sgconfig.yml")
    try write("*\n", ".ignore")
    #expect(try judge("a.py").rules.count == 2)
  }

  @Test func `the text output shows the code and obeys no control character of it`() throws {
    try write("eval('\u{1b}[2J\u{7}')\n")
    let outcome = try ProctorProcess(["validate", "a.py"], in: workspace).run()
    #expect(outcome.status == 0)
    #expect(outcome.text.contains(#"high a.py:1:1 evaluates text as code [py-eval]"#))
    #expect(outcome.text.contains(#"eval('\e[2J\x07')"#))
    #expect(!outcome.text.contains("\u{1b}") && !outcome.text.contains("\u{7}"))
    #expect(outcome.text.contains("high risk, 55 of 100: 1 finding in 1 file"))
  }

  @Test func `standard input`() throws {
    let file = try folder.write("process.env\n", to: "code")
    for (language, level) in [("javascript", "low"), ("typescript", "low"), ("rust", "medium")] {
      let process = Process()
      process.executableURL = URL(filePath: ProctorProcess.binary)
      process.arguments = ["validate", "-", "--language", language, "--format", "json"]
      process.currentDirectoryURL = URL(filePath: workspace)
      process.environment = ProctorProcess.environment
      process.standardInput = FileHandle(forReadingAtPath: file)
      let output = Pipe()
      process.standardOutput = output
      try process.run()
      let data = output.fileHandleForReading.readDataToEndOfFile()
      process.waitUntilExit()
      try Schema.validate(data, "validate_code")
      let answer = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
      #expect(answer["risk_level"] as? String == level, "\(language): \(answer)")
    }
  }

  @Test func `a gate fails at its level`() throws {
    try write("eval(x)\n")
    for (level, status) in [("low", 1), ("medium", 1), ("high", 1), ("critical", 0)] as [(_, Int32)]
    {
      _ = try judge("a.py", "--fail-at", level, expecting: status)
    }
    try write("")
    _ = try judge("a.py", "--fail-at", "medium")
  }

  // MARK: bad input

  @Test func `what does not parse is no low risk`() throws {
    for (name, text) in [
      ("a.py", "def f(:\n  pass\n"), ("a.js", "function f( {"), ("a.ts", "let = = 2"),
      ("a.rs", "fn f( {"), ("a.swift", "func f( {"),
    ] {
      try write(text, name)
      let judged = try judge(name)
      #expect(judged.level == "medium", "\(name): \(judged.outcome.text)")
      #expect(judged.answer["parse_errors"] != nil)
    }
  }

  @Test func `empty, binary, huge and badly encoded files`() throws {
    try write("")
    #expect(try judge("a.py").score == 0)
    try folder.write(Data([0, 1, 2, 0xff]), to: "workspace/b.py")
    try folder.write(Data(count: 3 << 20), to: "workspace/c.py")
    for (name, reason) in [("b.py", "binary"), ("c.py", "too_large")] {
      let judged = try judge(name)
      #expect(judged.level == "medium")
      let cases = judged.answer["not_examined"] as? [[String: String]]
      #expect(cases == [["file": name, "reason": reason]])
    }
    try folder.write(Data("x = '".utf8) + [0xe9] + Data("'\neval(x)\n".utf8), to: "workspace/d.py")
    let judged = try judge("d.py")
    #expect(judged.rules == ["py-eval"] && judged.score > 55)
    #expect((judged.answer["parse_errors"] as? [[String: Any]])?.first?["line"] as? Int == 1)
  }

  @Test func `code that ast-grep does not get through is no low risk, and hides no other file`()
    throws
  {
    try write(
      String(repeating: "eval(", count: 50_000) + String(repeating: ")", count: 50_000) + "\n")
    try write("eval(x)\n", "b.py")
    let judged = try judge(".")
    #expect(judged.rules.contains("py-eval"))
    let cases = judged.answer["not_examined"] as? [[String: String]]
    #expect(cases == [["file": "a.py", "reason": "unfinished"]])
    #expect(judged.level == "high")
  }

  @Test func `an interrupted judgement names no risk`() async throws {
    try write(
      String(repeating: "eval(", count: 50_000) + String(repeating: ")", count: 50_000) + "\n")
    let running = try ProctorProcess(["validate", "a.py", "--format", "json"], in: workspace)
      .start()
    try await Task.sleep(for: .seconds(2))
    kill(running.process.processIdentifier, SIGINT)
    let outcome = try running.wait()
    #expect(outcome.status == 130)
    try Schema.validate(outcome.stdout, "validate_code")
    let answer = try outcome.json()
    #expect(answer["status"] as? String == "error" && answer["risk_level"] == nil)
  }

  @Test func `long files of ordinary code are examined`() throws {
    // Rules that look for an import at each call took the square of the length.
    try write(
      "import json as j\n"
        + (0..<3000).map {
          "def f\($0)(d):\n    x = d.get('a')\n    return x.run(j, d.load(\($0)))\n"
        }
        .joined())
    try write((0..<3000).map { "f(a.get(\($0)) + b[\($0)]);\n" }.joined(), "b.js")
    try write((0..<3000).map { "fn f\($0)() { a::get(\($0)).run(); }\n" }.joined(), "c.rs")
    try write((0..<3000).map { "func f\($0)() { a.get(\($0)).run() }\n" }.joined(), "d.swift")
    let judged = try judge(".")
    #expect(judged.score == 0 && judged.answer["files_examined"] as? Int == 4)
  }

  @Test func `files with hostile names, and links that lead out`() throws {
    try write("eval(x)\n", "new\nline --rule x.py")
    try write("eval(x)\n", "-c.py")
    try FileManager.default.createSymbolicLink(
      atPath: "\(workspace)/link.py", withDestinationPath: "/etc/passwd")
    let judged = try judge(".")
    #expect(judged.findings.count == 2)
    let cases = judged.answer["not_examined"] as? [[String: String]]
    #expect(cases == [["file": "link.py", "reason": "unreadable"]])
    #expect(try ProctorProcess(["validate", "./-c.py"], in: workspace).run().status == 0)
  }

  @Test(arguments: [
    (["none.py"], Int32(2), "no file or folder"), (["-"], 2, "--language"),
    (["a.txt"], 2, "--language"), (["a.py", "--language", "cobol"], 2, "cobol is not known"),
    ([".", "--language", "rust"], 2, "Leave --language out"), (["empty"], 2, "no code"),
    (["/etc/passwd", "--language", "rust"], 2, "outside the workspace"),
    (["pipe.py"], 2, "no regular file"), (["a.py", "--fail-at", "dire"], 2, "dire"),
    (["a.py", "--max-findings", "-1"], 2, "max-findings"),
  ])
  func `wrong usage is said clearly`(
    arguments: [String], status: Int32, words: String
  ) throws {
    for name in ["a.txt", "a.py", "empty/x.md"] { try write("\n", name) }
    #expect(mkfifo("\(workspace)/pipe.py", 0o600) == 0)
    let outcome = try ProctorProcess(["validate"] + arguments, in: workspace).run()
    #expect(outcome.status == status)
    #expect(outcome.stderr.contains(words), "\(outcome.stderr)")
  }

  // MARK: modules

  @Test func `lists of modules`() throws {
    try write("import socket\nfrom os import path\nimport json as j\nsocket.socket()\n")
    try write("use std::{fs, net::{IpAddr, TcpStream as T}};\n", "b.rs")
    try write("import x from 'node:fs/promises';\nconst n = require('net');\n", "c.js")
    try write("import struct Foundation.Data\n", "d.swift")
    func rules(_ settings: String, _ file: String) throws -> [String] {
      try write("[validation]\n\(settings)\n", "proctor.toml")
      return try judge(file).rules
    }
    #expect(try rules("", "a.py") == ["py-import-notable", "py-network"])
    #expect(try rules(#"allow_modules = ["socket"]"#, "a.py") == ["py-network"])
    #expect(
      try rules(#"deny_modules = ["os", "json"]"#, "a.py")
        == ["py-import-notable", "denied-module", "denied-module", "py-network"])
    // Denied wins, and only once.
    #expect(
      try rules("allow_modules = [\"socket\"]\ndeny_modules = [\"socket\"]", "a.py")
        == ["denied-module", "py-network"])
    #expect(try rules(#"deny_modules = ["sock", "os.pa", "js"]"#, "a.py").count == 2)
    #expect(try rules(#"deny_modules = ["std::net"]"#, "b.rs").contains("denied-module"))
    #expect(try !rules(#"deny_modules = ["std::net::Udp"]"#, "b.rs").contains("denied-module"))
    #expect(try rules(#"deny_modules = ["fs"]"#, "c.js").contains("denied-module"))
    #expect(try rules(#"deny_modules = ["Foundation"]"#, "d.swift") == ["denied-module"])
  }

  @Test(arguments: [
    ("confirm_at = \"often\"", "proctor.toml:2: validation.confirm_at must be one of"),
    ("deny = []", "unknown key validation.deny"),
    ("deny_modules = \"os\"", "validation.deny_modules must be a list"),
    ("\nallow_modules = [\"a b\"]", "proctor.toml:3: validation.allow_modules must be a list of"),
  ])
  func `broken settings are said with their line`(settings: String, words: String) throws {
    try write("\n")
    try write("[validation]\n\(settings)\n", "proctor.toml")
    let outcome = try ProctorProcess(["validate", "a.py"], in: workspace).run()
    #expect(outcome.status == 2)
    #expect(outcome.stderr.contains(words), "\(outcome.stderr)")
  }

  // MARK: routing

  private func exec(
    _ file: String, _ settings: String, _ options: [String] = [],
    environment: [String: String] = [:]
  ) throws -> (status: Int32, answer: [String: Any]) {
    try write("[execution]\nrequire_user_confirmation = false\n\(settings)\n", "proctor.toml")
    var process = ProctorProcess(
      ["exec", file, "f", "--format", "json"] + options, in: workspace)
    process.environment.merge(environment) { $1 }
    let outcome = try process.run()
    try Schema.validate(outcome.stdout, "execute_function")
    return (outcome.status, try outcome.json())
  }

  @Test func `risky code is asked about where nothing else is`() throws {
    try write("def f(): return eval('1 + 1')\n")
    try write("def f(): return 2\n", "b.py")
    #expect(try exec("b.py", "").status == 0)
    let refused = try exec("a.py", "")
    #expect(refused.status == 8)
    let message = refused.answer["message"] as? String ?? ""
    #expect(message.contains("its risk is high: evaluates text as code (line 1)"))
    #expect(message.contains("confirm_at"))
    #expect(try exec("a.py", "", ["--yes"]).answer["result"] as? Int == 2)
    for level in ["critical", "never"] {
      #expect(try exec("a.py", "[validation]\nconfirm_at = \"\(level)\"").status == 0)
    }
    #expect(try exec("b.py", "[validation]\nconfirm_at = \"low\"").status == 8)
    // What is not there is not found, not refused.
    #expect(try exec("c.py", "").status == 2)
  }

  @Test func `without ast-grep code is as if it were risky`() throws {
    try write("def f(): return 2\n")
    let without = ["VIRTUAL_ENV": "\(folder.path)/none", "PATH": "/usr/sbin:/sbin"]
    let refused = try exec("a.py", "", environment: without)
    #expect(refused.status == 8)
    let message = refused.answer["message"] as? String ?? ""
    #expect(message.contains("cannot be judged") && message.contains("pip install ast-grep-cli"))
    var process = ProctorProcess(["validate", "a.py"], in: workspace)
    process.environment.merge(without) { $1 }
    let outcome = try process.run()
    #expect(outcome.status == 7)
    #expect(outcome.stderr.contains("pip install ast-grep-cli"))
    // One that the workspace brings along is not asked.
    let own = try folder.write("#!/bin/sh\nexit 0\n", to: "workspace/.venv/bin/ast-grep")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: own)
    #expect(try process.run().status == 7)
    // One that does nothing is not believed.
    process.environment["VIRTUAL_ENV"] = "\(workspace)/.venv"
    let silent = try process.run()
    #expect(silent.text.contains("not examined a.py: unfinished"), "\(silent.text)")
  }

  // MARK: not the wall

  @Test func `what the validator does not see is contained all the same`() throws {
    let secret = try folder.write("the secret\n", to: "outside.txt")
    let path = secret.map { String($0.unicodeScalars.first?.value ?? 0) }.joined(separator: ", ")
    // Nothing here is anything that a rule knows.
    try write(
      """
      from linecache import getlines
      from logging.handlers import SocketHandler

      def f():
          return getlines(bytearray((\(path))).decode())

      def g():
          SocketHandler("192.0.2.1", 80).makeSocket(1)
      """)
    let judged = try judge("a.py")
    #expect(judged.level == "low" && judged.findings.isEmpty, "\(judged.outcome.text)")
    // Without walls it succeeds; inside there is nothing to read.
    let bare = try exec("a.py", "", ["--isolation", "none"])
    #expect(bare.answer["result"] as? [String] == ["the secret\n"])
    let inside = try exec("a.py", "")
    #expect(inside.answer["result"] as? [String] ?? [] == [])
    let network = try ProctorProcess(["exec", "a.py", "g", "--format", "json"], in: workspace).run()
    #expect(try network.json()["error_type"] as? String == "permission_denied")
  }

  @Test func `with the validator off, obfuscated attacks are contained`() throws {
    let secret = try folder.write("the secret\n", to: "outside.txt")
    try write(
      """
      def f():
          n = "".join(chr(c) for c in [111, 112, 101, 110])
          for k in ().__class__.__base__.__subclasses__():
              g = getattr(getattr(k, "__init__", None), "__globals__", None)
              if g and n in g.get("__builtins__", {}):
                  try:
                      return g["__builtins__"][n]("\(secret)").read()
                  except OSError:
                      return "denied"
      """)
    #expect(try judge("a.py").level == "high")
    let off = "[validation]\nconfirm_at = \"never\""
    #expect(
      try exec("a.py", off, ["--isolation", "none"]).answer["result"] as? String == "the secret\n")
    #expect(try exec("a.py", off).answer["result"] as? String == "denied")
  }
}

import Foundation
import Testing

/// Tests of a copy that a patch was applied to: what applies, what is refused, and that the tree on disk stays.
@Suite(.serialized) struct PatchTests {
  private let folder: TemporaryFolder
  private var workspace: String { "\(folder.path)/workspace" }

  init() throws {
    folder = try TemporaryFolder()
    try folder.write("[pytest]\npythonpath = src\n", to: "workspace/pytest.ini")
    try folder.write("def add(a, b):\n    return a - b\n", to: "workspace/src/calc.py")
    try folder.write(
      "from calc import add\n\ndef test_add():\n    assert add(1, 2) == 3\n",
      to: "workspace/tests/test_calc.py")
  }

  private func git(_ arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/git")
    process.arguments =
      ["-c", "user.name=n", "-c", "user.email=n@example.org", "-c", "core.autocrlf=false"]
      + arguments
    process.currentDirectoryURL = URL(filePath: workspace)
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: data, as: UTF8.self)
  }

  /// The diff that makes these changes, with the tree as it was afterwards.
  private func diff(_ options: [String] = [], _ change: () throws -> Void) throws -> String {
    if !FileManager.default.fileExists(atPath: "\(workspace)/.git") {
      _ = try git(["init", "--quiet"])
      _ = try git(["add", "-A"])
      _ = try git(["commit", "--quiet", "-m", "one"])
    }
    try change()
    _ = try git(["add", "-A"])
    let text = try git(["diff", "--cached", "--binary"] + options)
    _ = try git(["reset", "--quiet", "--hard"])
    return text
  }

  /// Every file of the workspace with its bytes and date.
  private func snapshot() throws -> [String: String] {
    var result: [String: String] = [:]
    for case let name as String in FileManager.default.enumerator(atPath: workspace) ?? .init()
    where !name.hasPrefix(".git/") {
      let path = "\(workspace)/\(name)"
      let facts = try FileManager.default.attributesOfItem(atPath: path)
      let bytes = FileManager.default.contents(atPath: path)?.base64EncodedString() ?? ""
      result[name] = "\(facts[.modificationDate] ?? "") \(facts[.posixPermissions] ?? "") \(bytes)"
    }
    return result
  }

  @discardableResult
  private func run(
    _ patch: String, _ arguments: [String] = ["run"], status: Int32, says: String? = nil
  ) throws -> [String: Any] {
    let before = try snapshot()
    let file = try folder.write(patch, to: "candidate.diff")
    let outcome = try ProctorProcess(
      arguments + ["--patch", file, "--format", "json"], in: workspace
    ).run()
    let comment = Comment(rawValue: "\(outcome.text)\(outcome.stderr)")
    #expect(outcome.status == status, comment)
    #expect(try snapshot() == before)
    if arguments[0] == "run" { try Schema.validate(outcome.stdout, "run_all_tests") }
    if let says { #expect(outcome.stderr.contains(says) || outcome.text.contains(says), comment) }
    return try outcome.json()
  }

  private static let fix = "def add(a, b):\n    return a + b\n"

  @Test func `a patch is tested, and the tree on disk is not touched`() throws {
    let patch = try diff { try folder.write(Self.fix, to: "workspace/src/calc.py") }
    let answer = try run(patch, status: 0)
    let change = answer["patch"] as? [String: Any]
    #expect(change?["files_changed"] as? Int == 1)
    #expect(change?["insertions"] as? Int == 1)
    #expect(change?["deletions"] as? Int == 1)
    #expect(change?["touches_tests"] as? [String] == [])
    #expect(try ProctorProcess(["run"], in: workspace).run().status == 1)
    _ = try run(patch, ["test", "tests/test_calc.py"], status: 0)
  }

  @Test func `a failing test of a patch has the workspace's own paths and lines`() throws {
    let patch = try diff {
      try folder.write(
        "def test_new():\n    assert False, 'new'\n", to: "workspace/tests/test_new.py")
    }
    let answer = try run(patch, status: 1)
    let failures = answer["failures"] as? [[String: Any]] ?? []
    #expect(
      failures.contains { $0["file"] as? String == "tests/test_new.py" && $0["line"] as? Int == 2 })
    #expect(
      (answer["patch"] as? [String: Any])?["touches_tests"] as? [String] == ["tests/test_new.py"])
    let one = try run(patch, ["test", "tests/test_new.py"], status: 1)
    #expect(one["tests_run"] as? Int == 1)
  }

  @Test(arguments: [
    [], ["--no-prefix"], ["--src-prefix=i/", "--dst-prefix=w/"], ["--minimal", "-U0"],
  ])
  func `diffs of every kind apply`(options: [String]) throws {
    if options.contains("-U0") { return try withWindowsLines() }
    let patch = try diff(options) {
      try folder.write(Self.fix, to: "workspace/src/calc.py")
      try FileManager.default.moveItem(
        atPath: "\(workspace)/tests/test_calc.py", toPath: "\(workspace)/tests/test_moved.py")
      try folder.write(Data([0, 1, 2, 255]), to: "workspace/src/data.bin")
      try folder.write("#!/bin/sh\n", to: "workspace/tool with blank.sh")
      try FileManager.default.setAttributes(
        [.posixPermissions: 0o755], ofItemAtPath: "\(workspace)/tool with blank.sh")
    }
    let answer = try run(patch, status: 0)
    let change = answer["patch"] as? [String: Any]
    #expect(change?["added"] as? Int == 3)
    #expect(change?["deleted"] as? Int == 1)
    #expect(change?["modified"] as? Int == 1)
  }

  /// A patch whose own lines end as on Windows, and files that do.
  private func withWindowsLines() throws {
    let patch = try diff { try folder.write(Self.fix, to: "workspace/src/calc.py") }
    try run(patch.replacingOccurrences(of: "\n", with: "\r\n"), status: 0)
    try folder.write("def add(a, b):\r\n    return a - b\r\n", to: "workspace/src/calc.py")
    let own = try diff {
      try folder.write("def add(a, b):\r\n    return a + b\r\n", to: "workspace/src/calc.py")
    }
    try run(own, status: 0)
  }

  @Test func `what does not apply names the file and the hunk`() throws {
    let patch = try diff { try folder.write(Self.fix, to: "workspace/src/calc.py") }
    try folder.write("def add(a, b):\n    return 7\n", to: "workspace/src/calc.py")
    try run(patch, status: 2, says: "src/calc.py at line 1 (hunk 1 of 1, @@ -1,2 +1,2 @@)")
    try run("no diff at all\n", status: 2, says: "does not apply")
    try run("", status: 2, says: "does not apply")
    try run(patch.replacingOccurrences(of: "@@ -1,2", with: "@@ -1,9"), status: 2, says: "corrupt")
    let outcome = try ProctorProcess(["run", "--patch", "nowhere"], in: workspace).run()
    #expect(outcome.status == 2)
    #expect(outcome.stderr.contains("nowhere cannot be read"))
  }

  /// Git passes over what it does not recognize, and applies the rest: that would be another patch.
  @Test(arguments: [
    "@@ ... @@\n-x\n+y\n", "@@ def add(a, b): @@\n-x\n+y\n", "\n@@\n-x\n+y\n",
    "@@@ -1,2 -1,2 +1,2 @@@\n", "+more\n", "-less\n", " context\n+more\n", "\n\n+more\n",
    "...\n+more\n", "--- a/tests/gone.py\n+++ /dev/null\n", "--- a/x\n+++ b/x\n@@ @@\n+y\n",
    "diff --git a/new b/new\nnew file mode 100644\n+text\n",
    "diff --git a/src/calc.py b/src/calc.py\nold mode 100644\nnew mode 100755\n@@ ... @@\n+x\n",
    "diff --cc x\nindex 1,2..3\n--- a/x\n+++ b/x\n@@@ -1 -1 +1 @@@\n", "Only in b/src: new.py\n",
    "Binary files a/x.bin and b/x.bin differ\n", "1c1\n< a\n---\n> b\n",
    "*** a/x\n--- b/x\n***************\n*** 1 ****\n! a\n--- 1 ----\n! b\n",
    "-- \n-x\n+y\n",
  ])
  func `a patch of which git would leave out a part is refused`(rest: String) throws {
    let patch = try diff { try folder.write(Self.fix, to: "workspace/src/calc.py") }
    try run(patch + rest, status: 2, says: "line ")
    try run((patch + rest).replacingOccurrences(of: "\n", with: "\r\n"), status: 2, says: "line ")
  }

  @Test func `series of patches, logs and plain diffs apply whole`() throws {
    let name = "workspace/src/calc.py"
    _ = try diff {}
    let note = "\n\n- a point\n+ another\n\n    diff\n"
    try folder.write("def add(a, b):\n\n    return a * b\n", to: name)
    _ = try git(["commit", "--quiet", "-am", "two\(note)"])
    try folder.write("import os\n\ndef add(a, b):\n\n    return a + b\n-- \n", to: name)
    try folder.write(Data([0, 1, 2, 255, 0, 7]), to: "workspace/src/data.bin")
    _ = try git(["add", "-A"])
    _ = try git(["commit", "--quiet", "-m", "three\(note)"])
    try folder.write("import os\n\ndef add(a, b):\n\n    return a + b\n", to: name)
    try folder.write("#!/bin/sh\n", to: "workspace/new name.sh")
    _ = try git(["mv", "tests/test_calc.py", "tests/test_sum.py"])
    _ = try git(["add", "-A"])
    _ = try git(["update-index", "--chmod=+x", "src/data.bin"])
    _ = try git(["commit", "--quiet", "-m", "four\(note)"])
    let patches = [
      try git(["format-patch", "--stdout", "HEAD~3"]),
      try git(["format-patch", "--stdout", "--attach", "HEAD~3"]),
      try git(["log", "--reverse", "-p", "--binary", "--stat", "HEAD~3..HEAD"]),
      try git(["diff", "--binary", "-M", "HEAD~3"]),
      try git(["diff", "--binary", "--no-renames", "--stat", "-p", "HEAD~3"]),
      try git(["diff", "--binary", "-M", "HEAD~3"]).replacingOccurrences(
        of: "\n \n", with: "\n\n") + "\n\n",
    ]
    _ = try git(["reset", "--quiet", "--hard", "HEAD~3"])
    for patch in patches {
      let change = try run(patch, status: 0)["patch"] as? [String: Any]
      #expect(change?["added"] as? Int == 3 && change?["deleted"] as? Int == 1, "\(patch)")
    }
    try folder.write(Self.fix, to: "new/src/calc.py")
    try folder.write("x = 1\n", to: "new/src/more.py")
    let plain = Process()
    plain.executableURL = URL(filePath: "/usr/bin/diff")
    plain.arguments = ["-ruN", "workspace/src", "new/src"]
    plain.currentDirectoryURL = URL(filePath: folder.path)
    let output = Pipe()
    plain.standardOutput = output
    try plain.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      .replacingOccurrences(of: " workspace/", with: " a/")
      .replacingOccurrences(of: " new/", with: " b/")
    let change = try run(text, status: 0)["patch"] as? [String: Any]
    #expect(change?["files_changed"] as? Int == 2, "\(text)")
  }

  @Test func `what a patch says is shown, not obeyed`() throws {
    let file = try folder.write(
      "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n+\u{1b}]0;title\u{7}\n", to: "escape.diff")
    let outcome = try ProctorProcess(["run", "--patch", file], in: workspace).run()
    #expect(outcome.status == 2)
    #expect(outcome.stderr.contains("+\\e]0;title\\x07"), "\(outcome.stderr)")
  }

  @Test func `a long line of a patch is read once`() throws {
    try run(
      """
      diff --git \(String(repeating: " ", count: 1 << 20))a
      --- a/src/calc.py
      +++ b/src/calc.py
      @@ -1,2 +1,2 @@
       def add(a, b):
      -    return a - b
      +    return a + b

      """, status: 0)
  }

  private static func adding(_ path: String, mode: String = "100644", _ text: String = "x")
    -> String
  {
    """
    diff --git a/\(path) b/\(path)
    new file mode \(mode)
    --- /dev/null
    +++ b/\(path)
    @@ -0,0 +1 @@
    +\(text)
    \\ No newline at end of file

    """
  }

  @Test(arguments: [
    "../outside", "/tmp/outside", "src/../../outside", ".git/config",
    "src/.git/hooks/post-checkout",
  ])
  func `a patch cannot reach outside`(path: String) throws {
    try run(Self.adding(path), status: 2)
    #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/outside"))
    #expect(!FileManager.default.fileExists(atPath: "/tmp/outside"))
  }

  @Test func `a patch cannot reach outside through links`() throws {
    let target = try folder.write("kept", to: "target/file")
    let link = Self.adding("link", mode: "120000", "\(folder.path)/target")
    try run(link + Self.adding("link/file"), status: 2)
    try FileManager.default.createSymbolicLink(
      atPath: "\(workspace)/there", withDestinationPath: "\(folder.path)/target")
    try run(Self.adding("there/new"), status: 2)
    #expect(try String(contentsOfFile: target, encoding: .utf8) == "kept")
    #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/target/new"))
  }

  /// `.git` of a further work tree is a file, which is put back after git has worked on the copy: whatever a patch
  /// makes of the files of the copy, nothing outside is written or read for it.
  @Test func `a patch cannot reach outside through the workspace's mark of git`() throws {
    let target = try folder.write("kept", to: "target/file")
    let files = FileManager.default
    try folder.write("gitdir: /nowhere\n", to: "workspace/sub/mark")
    try files.createSymbolicLink(
      atPath: "\(workspace)/.git", withDestinationPath: "sub/mark")
    let link = """
      diff --git a/sub/mark b/sub/mark
      deleted file mode 100644
      --- a/sub/mark
      +++ /dev/null
      @@ -1 +0,0 @@
      -gitdir: /nowhere

      """
    try run(link + Self.adding("sub/mark", mode: "120000", target), status: 1)
    #expect(try String(contentsOfFile: target, encoding: .utf8) == "kept")

    try files.removeItem(atPath: "\(workspace)/sub/mark")
    try files.createSymbolicLink(atPath: "\(workspace)/sub/mark", withDestinationPath: target)
    try folder.write(
      "import os\ndef test_mark():\n    assert not os.path.exists('sub/mark')\n",
      to: "workspace/tests/test_calc.py")
    let gone = """
      diff --git a/sub/mark b/sub/mark
      deleted file mode 120000
      --- a/sub/mark
      +++ /dev/null
      @@ -1 +0,0 @@
      -\(target)
      \\ No newline at end of file

      """
    try run(gone, status: 0)
  }

  /// `\u{FFFD}` is what a name that is no text is shown as: it is another file.
  @Test func `names that are no text are copied, and never taken for others`() throws {
    let outside = try folder.write("kept", to: "outside/file")
    let manager = FileManager.default
    try manager.setAttributes([.posixPermissions: 0o700], ofItemAtPath: "\(folder.path)/outside")
    let date = Date(timeIntervalSince1970: 1_000_000)
    try manager.setAttributes([.modificationDate: date], ofItemAtPath: outside)
    let odd = "\(workspace)/".utf8.map { CChar(bitPattern: $0) } + [CChar(bitPattern: 0xff)]
    #expect(mkdir(odd + [0], 0o777) == 0 && chmod(odd + [0], 0o777) == 0)
    let file = creat(odd + Array("/file".utf8CString), 0o644)
    #expect(file >= 0 && Glibc.write(file, "odd", 3) == 3 && Glibc.close(file) == 0)
    try manager.createSymbolicLink(
      atPath: "\(workspace)/\u{FFFD}", withDestinationPath: "\(folder.path)/outside")
    try folder.write(
      """
      import os
      def test_names():
          assert sorted(n for n in os.listdir(b".") if n > b"z") == [b"\\xef\\xbf\\xbd", b"\\xff"]
          assert open(b"\\xff/file").read() == "odd"
          assert os.path.islink(b"\\xef\\xbf\\xbd") and not os.path.islink(b"\\xff")

      """, to: "workspace/tests/test_calc.py")
    let patch = try folder.write(Self.adding("more"), to: "candidate.diff")
    for arguments in [["run", "--patch", patch], ["compare", "HEAD", "--format", "json"]] {
      if arguments[0] == "compare" {
        for command in [["init", "--quiet"], ["add", "-A"], ["commit", "--quiet", "-m", "one"]] {
          _ = try git(command)
        }
      }
      let outcome = try ProctorProcess(arguments, in: workspace).run()
      #expect(outcome.status == 0, "\(outcome.text)\(outcome.stderr)")
    }
    let folderFacts = try manager.attributesOfItem(atPath: "\(folder.path)/outside")
    #expect(folderFacts[.posixPermissions] as? Int == 0o700)
    #expect(try manager.attributesOfItem(atPath: outside)[.modificationDate] as? Date == date)
  }

  @Test func `a link of a patch leads to no file that was there before`() throws {
    try folder.write("one\n", to: "workspace/data/file")
    try folder.write("1\n2\n3\n", to: "outside/file")
    try folder.write("def test_it(): pass\n", to: "workspace/tests/test_calc.py")
    let gone = """
      diff --git a/data/file b/data/file
      deleted file mode 100644
      --- a/data/file
      +++ /dev/null
      @@ -1 +0,0 @@
      -one

      """
    let link = Self.adding("data", mode: "120000", "\(folder.path)/outside")
    let change = try run(gone + link, status: 0)["patch"] as? [String: Any]
    #expect(change?["deleted"] as? Int == 1 && change?["added"] as? Int == 1, "\(change ?? [:])")
    #expect(change?["insertions"] as? Int == 0, "\(change ?? [:])")
  }

  @Test func `a further work tree is still one in the copy`() throws {
    let patch = try diff { try folder.write(Self.fix, to: "workspace/src/calc.py") }
    let tree = "\(folder.path)/tree"
    _ = try git(["worktree", "add", "--quiet", tree])
    try folder.write(
      "import os\ndef test_mark():\n    assert open('.git').read().startswith('gitdir: ')\n",
      to: "tree/tests/test_mark.py")
    let file = try folder.write(patch, to: "candidate.diff")
    let outcome = try ProctorProcess(["run", "--patch", file], in: tree).run()
    #expect(outcome.status == 0, "\(outcome.text)\(outcome.stderr)")
  }

  /// The limits are those of the workspace, whatever the patch writes into its configuration.
  @Test func `a patch does not change its own limits`() throws {
    try folder.write("[tests]\nallow_network_access = false\n", to: "workspace/proctor.toml")
    let patch = try diff {
      try folder.write(Self.fix, to: "workspace/src/calc.py")
      try folder.write(
        "[tests]\nallow_network_access = true\nworkspace = \"writable\"\n",
        to: "workspace/proctor.toml")
      try folder.write(
        "open('/dev/null'); open('made', 'w').write('x')\ndef test_made(): pass\n",
        to: "workspace/tests/test_made.py")
    }
    let answer = try run(patch, status: 0)
    let sandbox = answer["sandbox"] as? [String: Any]
    #expect(sandbox?["network"] as? String == "none")
    #expect(sandbox?["workspace"] as? String == "protected")
    #expect(!FileManager.default.fileExists(atPath: "\(workspace)/made"))
    let touched = (answer["patch"] as? [String: Any])?["touches_tests"] as? [String]
    #expect(touched == ["proctor.toml", "tests/test_made.py"])
  }

  @Test func `folders of dependencies are those of the workspace, and stay`() throws {
    try folder.write("VALUE = 3\n", to: "workspace/node_modules/three.py")
    try folder.write("node_modules/\nbig/\n", to: "workspace/.gitignore")
    try folder.write("3\n", to: "workspace/big/data")
    let patch = try diff {
      try folder.write(
        """
        import os
        from calc import add
        def test_add():
            root = os.path.dirname(os.path.dirname(__file__))
            assert open(f"{root}/node_modules/three.py").read() == "VALUE = 3\\n"
            assert open(f"{root}/big/data").read() == "3\\n"
            open(f"{root}/node_modules/three.py", "w").write("changed")
            open(f"{root}/big/more", "w").write("changed")
        """, to: "workspace/tests/test_calc.py")
    }
    try run(patch, status: 0)
    try run(Self.adding("node_modules/more.py"), status: 2, says: "in a folder of dependencies")
    try run(Self.adding("big/forced"), status: 1)
  }

  /// Python takes a compiled file for its source by size and second; each candidate must be its own.
  @Test func `candidates one after the other never see each other's products`() throws {
    let right = try diff { try folder.write(Self.fix, to: "workspace/src/calc.py") }
    let wrong = try diff {
      try folder.write("def add(a, b):\n    return a * b\n", to: "workspace/src/calc.py")
    }
    for _ in 0..<3 {
      try run(right, status: 0)
      try run(wrong, status: 1)
    }
  }

  @Test func `Rust is built anew for what changed and only for that`() throws {
    let rust = try TemporaryFolder()
    try rust.write(
      "[package]\nname = \"sum\"\nversion = \"0.1.0\"\nedition = \"2021\"\n", to: "w/Cargo.toml")
    let body = { (sign: String) in
      "pub fn add(a: i32, b: i32) -> i32 { a \(sign) b }\n#[test] fn adds() { assert_eq!(add(1, 2), 3); }\n"
    }
    try rust.write(body("-"), to: "w/src/lib.rs")
    func patch(_ sign: String) -> String {
      let lines = body("-").split(separator: "\n")
      return """
        --- a/src/lib.rs
        +++ b/src/lib.rs
        @@ -1,2 +1,2 @@
        -\(lines[0])
        +\(body(sign).split(separator: "\n")[0])
         \(lines[1])

        """
    }
    for (sign, status) in [("+", Int32(0)), ("*", 1), ("+", 0)] {
      let file = try rust.write(patch(sign), to: "p.diff")
      let outcome = try ProctorProcess(["run", "--patch", file], in: "\(rust.path)/w").run()
      #expect(outcome.status == status, "\(sign): \(outcome.text)\(outcome.stderr)")
    }
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: "\(rust.path)/w").sorted() == [
        "Cargo.toml", "src",
      ])
  }

  @Test func `the diff may come from the repository above, and from standard input`() throws {
    let patch = try diff { try folder.write(Self.fix, to: "workspace/src/calc.py") }
    let inner = patch.replacingOccurrences(of: "a/src", with: "a/workspace/src")
      .replacingOccurrences(of: "b/src", with: "b/workspace/src")
    try FileManager.default.removeItem(atPath: "\(workspace)/.git")
    try FileManager.default.createDirectory(
      atPath: "\(folder.path)/.git", withIntermediateDirectories: true)
    try run(inner, status: 0)
    let outcome = try ProctorProcess(["run", "--patch", "-"], in: workspace).run()
    #expect(outcome.status == 2, "standard input is empty: \(outcome.stderr)")
  }

  @Test func `bare runs have no place for a patch`() throws {
    let patch = try diff { try folder.write(Self.fix, to: "workspace/src/calc.py") }
    try run(patch, ["run", "--isolation", "none"], status: 7, says: "only inside a sandbox")
  }

  /// A git that does not come to an end.
  @Test(arguments: [["run", "--patch"], ["check", "--patch"], ["compare"]])
  func `an interruption while a candidate is laid out is told as such`(command: [String]) throws {
    let patch = try diff { try folder.write(Self.fix, to: "workspace/src/calc.py") }
    let file = try folder.write(patch, to: "candidate.diff")
    let mark = "\(folder.path)/tool/bin/git"
    try folder.write("#!/bin/sh\nexec sleep 100\n", to: "tool/bin/git")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: mark)
    var process = ProctorProcess(command + [file, "--format", "json"], in: workspace)
    process.environment["PATH"] =
      "\(folder.path)/tool/bin:\(process.environment["PATH"] ?? "/usr/bin:/bin")"
    let running = try process.start()
    sleep(4)
    kill(running.process.processIdentifier, SIGINT)
    let outcome = try running.wait()
    #expect(outcome.status == 130, "\(outcome.text)\(outcome.stderr)")
    let answer = try outcome.json()
    if command == ["compare"] {
      try Schema.validate(outcome.stdout, "compare")
      #expect(answer["interrupted"] as? Bool == true && answer["best"] == nil)
    } else {
      #expect(answer["reason"] as? String == "interrupted", "\(outcome.text)")
    }
  }

  @Test func `nothing of the copy is left`() throws {
    let patch = try diff { try folder.write(Self.fix, to: "workspace/src/calc.py") }
    let file = try folder.write(patch, to: "candidate.diff")
    var process = ProctorProcess(["run", "--patch", file], in: workspace)
    process.environment["PROCTOR_CACHE_DIR"] = "\(folder.path)/cache"
    for milliseconds in [5, 40, 120, 300] {
      let running = try process.start()
      usleep(UInt32(milliseconds) * 1000)
      kill(running.process.processIdentifier, SIGKILL)
      _ = try running.wait()
    }
    #expect(try process.run().status == 0)
    #expect(try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/cache/runs") == [])
  }
}

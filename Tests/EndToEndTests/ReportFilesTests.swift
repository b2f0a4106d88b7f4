import Foundation
import Testing

/// `--report` and `lint-report` as users call them.
struct ReportFilesTests {
  private static let formats = [
    "junit", "ctrf", "sarif", "tap", "markdown", "github", "gitlab", "buildkite", "teamcity",
    "html",
    "otel", "json",
  ]

  private static func workspace(_ source: String) throws -> (TemporaryFolder, String) {
    let folder = try TemporaryFolder()
    try folder.write("[pytest]\n", to: "workspace/pytest.ini")
    try folder.write(source, to: "workspace/test_a.py")
    return (folder, "\(folder.path)/workspace")
  }

  private static let failing = """
    def test_ok():
        pass

    def test_red():
        print("::error::injected")
        print("  ::set-output name=x::y")
        print("##teamcity[buildStatus status='SUCCESS']")
        assert 1 == 2
    """

  @Test func `what a runner skips as a whole is said in answers, summaries, merges and on pages`()
    throws
  {
    let (folder, workspace) = try Self.workspace("def test_ok(): pass\n")
    for number in 1...5 {
      try folder.write(
        "import pytest\npytest.skip('no `<b>` today', allow_module_level=True)\n",
        to: "workspace/test_later_\(number).py")
    }
    let run = try ProctorProcess(
      ["run", "--report", "json=a.json", "--report", "markdown=a.md", "--format", "json"],
      in: workspace
    ).run()
    #expect(run.status == 0)
    let notes =
      (1...3).map {
        "pytest: skipped as a whole, whatever tests it has: test_later_\($0).py: no `<b>` today"
      } + ["pytest: 2 more were skipped as a whole"]
    #expect(try run.json()["notes"] as? [String] == notes)
    let summary = try String(contentsOfFile: "\(workspace)/a.md", encoding: .utf8)
    #expect(summary.contains("### Notes"))
    #expect(summary.contains("2 more were skipped as a whole") && !summary.contains("<b>"))
    let merged = try ProctorProcess(
      ["merge", "a.json", "a.json", "--format", "json"], in: workspace
    ).run()
    #expect(try merged.json()["notes"] as? [String] == notes)
    let shard = try ProctorProcess(["run", "--shard", "1/2", "--format", "json"], in: workspace)
      .run()
    #expect(try shard.json()["notes"] as? [String] == notes)
    let page = try ProctorProcess(["report", "a.json", "--html", "a.html"], in: workspace).run()
    #expect(page.status == 0, "\(page.text)\(page.stderr)")
    let html = try String(contentsOfFile: "\(workspace)/a.html", encoding: .utf8)
    #expect(html.contains("test_later_3.py: no"))
    let filtered = try ProctorProcess(
      ["run", "--filter", "test_ok", "--format", "json"], in: workspace
    ).run()
    #expect(try filtered.json()["notes"] as? [String] == notes)
    // Several files that are skipped by one line, collected by workers; a reason longer than anybody reads.
    try folder.write(
      "import pytest\ndef later(): pytest.skip('e' + chr(0x301) * 9000, allow_module_level=True)\n",
      to: "workspace/helper.py")
    for number in 1...5 {
      try folder.write("import helper\nhelper.later()\n", to: "workspace/test_later_\(number).py")
    }
    try folder.write("[pytest]\naddopts = -n 2\npythonpath = .\n", to: "workspace/pytest.ini")
    let workers = try ProctorProcess(["run", "--format", "json"], in: workspace).run()
    let said = try workers.json()["notes"] as? [String] ?? []
    #expect(said.count == 4 && said.last == notes.last, "\(said)")
    #expect(said.allSatisfy { $0.unicodeScalars.count < 700 })
    // What was asked for is among them.
    let gone = try ProctorProcess(
      ["test", "test_later_1.py", "test_x", "--format", "json"], in: workspace
    ).run()
    #expect(gone.status == 4 && gone.text.contains("skipped as a whole"), "\(gone.text)")
    // The test that was asked for is in none of them.
    let one = try ProctorProcess(
      ["test", "test_a.py", "test_ok", "--format", "json"], in: workspace
    ).run()
    #expect(try one.json()["notes"] == nil && one.status == 0)
  }

  @Test func `every format is written, and commands that tests print are not obeyed`() throws {
    let (folder, workspace) = try Self.workspace(Self.failing)
    let options = Self.formats.flatMap { ["--report", "\($0)=out/deep/report.\($0)"] }
    let outcome = try ProctorProcess(
      ["run", "--format", "text"] + options + ["--report", "github=-"], in: workspace
    ).run()
    #expect(outcome.status == 1, "\(outcome.stderr)")
    for format in Self.formats {
      let data = try Data(contentsOf: URL(filePath: "\(workspace)/out/deep/report.\(format)"))
      #expect(String(decoding: data, as: UTF8.self).contains("test_red"), "\(format)")
    }
    let json = try Data(contentsOf: URL(filePath: "\(workspace)/out/deep/report.json"))
    try Schema.validate(json, "run_all_tests")
    let commands = outcome.text.split(separator: "\n").filter {
      $0.drop { $0 == " " }.hasPrefix("::") || $0.contains("##teamcity[")
    }
    #expect(
      commands == [
        "::error file=test_a.py,line=8,title=failed%3A test_a.py%3A%3Atest_red::AssertionError: assert 1 == 2%0A  at test_a.py:8%0A  in test_red (test_a.py:8)"
      ])
    #expect(outcome.text.contains(#"\::error::injected"#))
    _ = folder
  }

  @Test func `reports say when nothing could run, and none is left from before`() throws {
    let (folder, workspace) = try Self.workspace("def test_ok(): pass\n")
    let report = "\(folder.path)/junit.xml"
    let green = try ProctorProcess(["run", "--report", "junit=\(report)"], in: workspace).run()
    #expect(green.status == 0, "\(green.stderr)")
    #expect(try String(contentsOfFile: report, encoding: .utf8).contains("errors=\"0\""))
    try folder.write("[tests]\nnonsense = 1\n", to: "workspace/proctor.toml")
    let broken = try ProctorProcess(["run", "--report", "junit=\(report)"], in: workspace).run()
    #expect(broken.status == 2)
    let text = try String(contentsOfFile: report, encoding: .utf8)
    #expect(text.contains("errors=\"1\"") && text.contains("nonsense"), "\(text)")
  }

  @Test func `a report that cannot be written is said, and nothing is green without it`() throws {
    let (folder, workspace) = try Self.workspace(
      "import os\ndef test_ok():\n    pass\n")
    // A folder takes the file's place while tests run: the file of another report makes it.
    let outcome = try ProctorProcess(
      ["run", "--report", "junit=\(folder.path)/x", "--report", "tap=\(folder.path)/x/y"],
      in: workspace
    ).run()
    #expect(outcome.status == 5)
    #expect(
      outcome.stderr.contains("the report tap=\(folder.path)/x/y is not written"),
      "\(outcome.stderr)")
    #expect(outcome.text.contains("PASSED"))
  }

  /// What is known to go wrong is known before anything runs.
  @Test func `impossible reports`() throws {
    let (folder, workspace) = try Self.workspace("def test_ok(): pass\n")
    try folder.write("", to: "file")
    for (values, words) in [
      (["junti=x.xml"], "there is no report format junti. Did you mean junit?"),
      (["xyz=x.xml"], "The formats are junit, ctrf, sarif"), (["junit"], "junit is no FORMAT=PATH"),
      (["junit="], "is no FORMAT=PATH"), (["junit=."], "is no file that can be replaced"),
      (["junit=/dev/null"], "is no file that can be replaced"),
      (["junit=\(folder.path)/file/x.xml"], "is no folder"), (["junit=out/"], "names no file"),
      (["junit=a.xml", "tap=./a.xml"], "are the same place"),
      (["junit=\(workspace)/new/a.xml", "tap=new/./a.xml"], "are the same place"),
      (["tap=-", "github=-"], "are the same place"),
      (["junit=-"], "junit cannot share standard output with the answer"),
    ] {
      let outcome = try ProctorProcess(
        ["run"] + values.flatMap { ["--report", $0] }, in: workspace
      ).run()
      #expect(outcome.status == 2, "\(values)")
      #expect(outcome.stderr.contains(words), "\(values): \(outcome.stderr)")
      #expect(outcome.stdout.isEmpty)
    }
    let mixed = try ProctorProcess(
      ["run", "--format", "json", "--report", "github=-"], in: workspace
    ).run()
    #expect(mixed.status == 2)
    #expect(mixed.stderr.contains("--format json has standard output for itself"))
  }

  @Test func `one test's report, named from the repository's root`() throws {
    let (folder, workspace) = try Self.workspace(Self.failing)
    try folder.write("ref: refs/heads/main\n", to: ".git/HEAD")
    let commit = String(repeating: "0a", count: 20)
    try folder.write("# pack-refs\n\(commit) refs/heads/main\n", to: ".git/packed-refs")
    let outcome = try ProctorProcess(
      ["test", "test_a.py", "test_red", "--report", "sarif=x.sarif", "--report", "ctrf=x.json"],
      in: workspace
    ).run()
    #expect(outcome.status == 1, "\(outcome.stderr)")
    #expect(
      try String(contentsOfFile: "\(workspace)/x.sarif", encoding: .utf8)
        .contains(#""uri" : "workspace/test_a.py""#))
    #expect(
      try String(contentsOfFile: "\(workspace)/x.json", encoding: .utf8).contains(commit))
  }

  @Test func `a report file is looked at`() throws {
    let files = "\(ProctorProcess.repository)/fixtures/lint"
    let lossy = try ProctorProcess(
      ["lint-report", "quality.json", "--format", "json"], in: files
    ).run()
    #expect(lossy.status == 1)
    try Schema.validate(lossy.stdout, "lint_report")
    let whole = try ProctorProcess(
      ["lint-report", "quality.json", "--for", "gitlab", "--format", "text"], in: files
    ).run()
    #expect(whole.status == 1)
    #expect(whole.text.contains("gitlab duplicate_fingerprints: "))
    for (file, words) in [
      ("nothing.xml", "No such file"), (".", "is no file"),
      ("../../README.md", "is no report of a known format"),
    ] {
      let outcome = try ProctorProcess(["lint-report", file, "--format", "json"], in: files).run()
      #expect(outcome.status == 2)
      #expect(outcome.stderr.contains(words), "\(outcome.stderr)")
      try Schema.validate(outcome.stdout, "lint_report")
    }
  }
}

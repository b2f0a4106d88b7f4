import Foundation
import Testing

/// Runners that manifests describe: selection, overriding, and manifests that are wrong.
@Suite(.serialized) struct ManifestTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  func proctor(_ arguments: String..., in directory: String) -> ProctorProcess {
    ProctorProcess(arguments, in: directory)
  }

  static let manifest = """
    name = "lines"
    extensions = ["txt"]

    [detect]
    files = ["tests.txt"]

    [tool]
    program = "sh"
    install = "apt install dash"

    [list]
    command = ["cat", "tests.txt"]
    format = "lines"
    pattern = '^(?<name>\\S+) (?:ok|not ok)$'

    [run]
    command = ["{tool}", "run.sh"]
    format = "tap"

    [select]
    command = ["{tool}", "run.sh", "{tests}"]
    test = "{name}"
    """

  func workspace(_ manifest: String = manifest) throws -> String {
    try folder.write(manifest, to: "workspace/.proctor/adapters/lines.toml")
    try folder.write("first ok\nsecond not ok\nthird ok\n", to: "workspace/tests.txt")
    try folder.write(
      """
      number=0
      while read -r name result; do
        case " ${*:-$name} " in *" $name "*) ;; *) continue ;; esac
        number=$((number + 1))
        echo "$result $number - $name"
      done < tests.txt
      echo "1..$number"
      grep -q 'not ok' tests.txt && [ $# -eq 0 ] && exit 1
      exit 0

      """, to: "workspace/run.sh")
    return "\(folder.path)/workspace"
  }

  @Test func `a manifest of the workspace lists, runs and selects`() throws {
    let workspace = try workspace()
    let all = try proctor("run", "--format", "json", "--details", in: workspace).run()
    #expect(all.status == 1, "\(all.text)\(all.stderr)")
    try Schema.validate(all.stdout, "run_all_tests")
    #expect(try all.json()["passed"] as? Int == 2)
    let list = try proctor("list", in: workspace).run()
    #expect(list.text.contains("lines:.:second"))
    let chosen = try proctor("run", "--filter", "^(first|third)$", in: workspace).run()
    #expect(chosen.status == 0, "\(chosen.text)\(chosen.stderr)")
    #expect(chosen.text.contains("2 passed, 0 failed"))
    let none = try proctor("run", "--filter", "fourth", in: workspace).run()
    #expect(none.status == 4)
  }

  @Test func `a runner that cannot select runs everything and shows what was chosen`() throws {
    let workspace = try folder.copy(fixture: "projects/go/kitchen")
    let one = try proctor(
      "test", "go:.:example.org/kitchen.TestTable/half_of_2", "--format", "json", in: workspace
    ).run()
    #expect(one.status == 0, "\(one.text)\(one.stderr)")
    #expect(try one.json()["tests_run"] as? Int == 1)
    let list = try proctor("list", "--format", "json", in: workspace).run()
    #expect(try list.json()["total_tests"] as? Int == 8)
    let maven = try folder.copy(fixture: "projects/prove/kitchen", as: "perl")
    let unlisted = try proctor("list", in: maven).run()
    #expect(unlisted.status == 3)
    #expect(unlisted.text.contains("prove cannot list its tests without running them"))
    let file = try proctor("test", "t/deep/fine.t", in: maven).run()
    #expect(file.status == 0, "\(file.text)\(file.stderr)")
  }

  @Test func `a manifest of the user is found, and one of the workspace outranks it`() throws {
    let workspace = try workspace()
    try folder.write(
      Self.manifest.replacingOccurrences(of: "tests.txt\"]", with: "none.txt\"]"),
      to: "config/proctor/adapters/lines.toml")
    var process = proctor("run", in: workspace)
    process.environment["XDG_CONFIG_HOME"] = "\(folder.path)/config"
    #expect(try process.run().status == 1)
    try FileManager.default.removeItem(atPath: "\(workspace)/.proctor")
    #expect(try process.run().status == 4)
  }

  @Test(arguments: [
    ("[run]", "[run]\ncolour = \"red\"", "lines.toml:17: unknown key run.colour"),
    ("format = \"tap\"", "format = \"lines\"", "run.format must be junit"),
    ("name = \"lines\"", "name = \"Lines!\"", "lines.toml:1: name must be"),
    ("name = \"lines\"", "name = \"pytest\"", "a manifest is named pytest"),
    ("pattern = '^(", "pattern = '^((", "list.pattern holds an invalid regex"),
    ("install = \"apt install dash\"", "", "tool.install is missing"),
    ("files = [\"tests.txt\"]", "files = 3", "detect.files"),
    ("[detect]", "[detect", "lines.toml: line 4"),
    // A workspace is anybody's: its manifests must not reach out of the sandbox.
    (
      "program = ", "version = [\"-c\", \"touch /tmp/harmed\"]\nprogram = ",
      "tool.version is not for"
    ),
    ("program = ", "resolve = [\"-c\", \"id\"]\nprogram = ", "tool.resolve is not for"),
    ("program = ", "reads = [\"~/.ssh\"]\nprogram = ", "tool.reads is not for"),
    ("[run]", "[environment]\npass = [\"AWS_*\"]\n\n[run]", "environment.pass is not for"),
    ("[run]", "[fetch]\ncommand = [\"curl\"]\n\n[run]", "fetch is not for"),
  ])
  func `a manifest that is wrong says where`(old: String, new: String, words: String) throws {
    let manifest = Self.manifest.replacingOccurrences(of: old, with: new)
    let workspace = try workspace(manifest)
    let outcome = try proctor("run", in: workspace).run()
    #expect(outcome.status == 2)
    #expect(outcome.stderr.contains(words), "\(outcome.stderr)")
  }

  /// Shells and tools cut paths at blanks unless somebody took care.
  @Test(arguments: ["ctest", "mocha", "prove", "rspec", "unittest"])
  func `blanks and brackets in every path`(runner: String) throws {
    let workspace = try folder.copy(fixture: "projects/\(runner)/kitchen", as: "a place [1] ü")
    var process = proctor("run", "--format", "json", in: workspace)
    process.environment["PROCTOR_CACHE_DIR"] = "\(folder.path)/a cache [2]"
    let outcome = try process.run()
    #expect(outcome.status == 1, "\(outcome.text)\(outcome.stderr)")
    #expect(try outcome.json()["reason"] as? String == "tests_failed")
  }

  @Test func `a tool that is missing names what brings it`() throws {
    let workspace = try workspace(
      Self.manifest.replacingOccurrences(of: "program = \"sh\"", with: "program = \"no-such\""))
    let outcome = try proctor("run", in: workspace).run()
    #expect(outcome.status == 5)
    #expect(outcome.text.contains("no-such is not installed. Install it: apt install dash"))
  }
}

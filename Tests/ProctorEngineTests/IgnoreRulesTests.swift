import Testing

@testable import ProctorEngine

@Suite struct IgnoreRulesTests {
  @Test(arguments: [
    ("*.log", "a/b.log", false, true), ("*.log", "a/b.logs", false, false),
    ("/build", "build", true, true), ("/build", "a/build", true, false),
    ("build/", "a/build", true, true), ("build/", "a/build", false, false),
    ("a/**/z", "a/b/c/z", false, true), ("a/**/z", "a/z", false, true),
    ("**/gen", "x/y/gen", true, true), ("doc/*.txt", "doc/a.txt", false, true),
    ("doc/*.txt", "doc/x/a.txt", false, false), ("[ab].py", "b.py", false, true),
    ("[!ab].py", "b.py", false, false), ("# note", "# note", false, false),
    ("\\#x", "#x", false, true), ("a.b", "axb", false, false), ("gen ", "gen", true, true),
  ])
  func `git's patterns`(line: String, path: String, isFolder: Bool, ignored: Bool) {
    #expect(IgnoreRules().adding(line, in: "").ignores(path, isFolder: isFolder) == ignored)
  }

  @Test func `the last match decides, deeper files see only their folder`() {
    let rules = IgnoreRules().adding("*.py\n!keep.py", in: "").adding("/keep.py", in: "sub")
    #expect(rules.ignores("a.py", isFolder: false))
    #expect(!rules.ignores("keep.py", isFolder: false))
    #expect(rules.ignores("sub/keep.py", isFolder: false))
  }
}

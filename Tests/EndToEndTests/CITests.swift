import Testing

/// The files for continuous integration; Tests/Support/ci_files.py reads them, ci_runs.py runs them.
@Suite(.serialized) struct CITests {
  @Test(arguments: ["Files", "Commands"])
  func `files for continuous integration`(part: String) throws {
    try PythonScript(name: "ci_files.py", arguments: [part], environment: "ci").check()
  }

  @Test(arguments: ["Action", "GitLab", "Lanes"])
  func `what they run`(part: String) throws {
    try PythonScript(name: "ci_runs.py", arguments: [part], environment: "ci").check()
  }
}

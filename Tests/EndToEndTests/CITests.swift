import Testing

/// The files for continuous integration; Tests/Support/ci_files.py holds what is done with them.
@Suite(.serialized) struct CITests {
  @Test(arguments: ["Files"])
  func `files for continuous integration`(part: String) throws {
    try PythonScript(name: "ci_files.py", arguments: [part], environment: "ci").check()
  }
}

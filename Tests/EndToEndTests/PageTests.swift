import Testing

/// The page to look at, in a browser; Tests/Support/page.py holds what is done with it.
@Suite(.serialized) struct PageTests {
  @Test(arguments: ["Runs", "BadInput", "Use", "Live", "Served"])
  func `in a browser`(part: String) throws {
    try PythonScript(name: "page.py", arguments: [part], environment: "page").check()
  }
}

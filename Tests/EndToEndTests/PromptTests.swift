import Testing

/// The question on a terminal; Tests/Support/prompt.py holds the terminal.
@Suite struct PromptTests {
  @Test func `only yes, to what was shown, is yes`() throws {
    try PythonScript(name: "prompt.py").check()
  }
}

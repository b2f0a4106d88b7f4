import Testing

@testable import ProctorEngine

@Suite struct PatternTests {
  @Test func `matches anywhere, anchors work`() throws {
    #expect(try Pattern("auth.*token").matches("tests/test_auth.py::test_bad_token"))
    #expect(try !Pattern("^auth").matches("tests/auth"))
    #expect(try Pattern("größe_日.$").matches("tests::größe_日本"))
    #expect(try Pattern("(?i)TEST").matches("a test"))
  }

  @Test func `an invalid pattern names its position`() throws {
    let error = #expect(throws: EngineError.self) { try Pattern("tests/(open") }
    #expect(error?.code == .usage)
    #expect(error?.message.contains("position 12") == true)
    #expect(error?.message.contains("missing closing parenthesis") == true)
  }

  @Test(arguments: ["(a+)+$", "([a-z]+)*[0-9]$"])
  func `a pathological pattern is refused, naming the test, instead of hanging`(
    source: String
  ) throws {
    let pattern = try Pattern(source)
    #expect(try pattern.matches("tests::short") == false)
    let name = String(repeating: "a", count: 5000) + "!"
    let error = #expect(throws: EngineError.self) { try pattern.matches(name) }
    #expect(error?.code == .usage)
    #expect(error?.message.contains("too expensive to match on the test name aaaa") == true)
  }
}

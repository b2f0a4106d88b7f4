import Foundation
import ProctorModel
import Testing

@Suite struct JSONTextTests {
  @Test(arguments: [
    "1", "-0.5e+3", "[]", "[1, \"a\\u00e9\\n\"]", "{\"a\": {\"a\": [null, true]}, \"b\": 2}",
    " [ ] ",
    "123456789012345678901234567890",
  ])
  func `what is JSON`(text: String) throws {
    _ = try JSONText(text.utf8)
  }

  @Test(arguments: [
    "", "01", "1.", "1e", "-", "[1,]", "[,]", "{\"a\"}", "{a: 1}", "\"\\q\"", "\"a\nb\"", "1 2",
    "[1]]",
    "nul", "\"", "{\"a\": 1, \"a\": 2}", "{\"a\": 1, \"\\u0061\": 2}", "'a'", "\"\\u12g4\"",
  ])
  func `what is not`(text: String) {
    #expect(throws: JSONText.Problem.syntax) { _ = try JSONText(text.utf8) }
  }

  @Test func `bytes that are no text, and depth`() {
    #expect(throws: JSONText.Problem.syntax) { _ = try JSONText([0x22, 0xff, 0x22]) }
    let deep = String(repeating: "[", count: 600) + String(repeating: "]", count: 600)
    #expect(throws: JSONText.Problem.depth) { _ = try JSONText(deep.utf8) }
  }

  @Test func `blanks between parts go, those in strings stay`() {
    let text = "{\n  \"a b\" : [1 ,\t2.50],\r\n \"c\\\" \\\\\" : \"x \\\" y\" }\n"
    #expect(
      JSONText.compacted(Data(text.utf8))
        == Data("{\"a b\":[1,2.50],\"c\\\" \\\\\":\"x \\\" y\"}".utf8))
  }

  @Test func `members keep their text`() throws {
    let text = try JSONText(#"{"event": "x", "value" : [1e400, {"value": 2}] , "n": 1}"#.utf8)
    #expect(text.shape == .object)
    #expect(text.member("value") == Data("[1e400, {\"value\": 2}]".utf8))
    #expect(text.member("none") == nil)
  }

  @Test func `halves of surrogate pairs are replaced, pairs are not`() {
    let text = #"["\ud800 \ud83d\ude00 \udc00 \\ud800 \ud800\u0041"]"#
    #expect(
      JSONText.repaired(Data(text.utf8))
        == Data(#"["\ufffd \ud83d\ude00 \ufffd \\ud800 \ufffd\u0041"]"#.utf8))
  }
}

import Testing

@testable import ProctorModel

@Suite struct BytesTests {
  @Test(arguments: [
    ("", "a", false), ("a", "a", true), ("a", "ab", false), ("cab", "ab", true),
    ("aab", "ab", true),
    ("aba", "c", false), ("a{{b", "{{", true), ("a{b{", "{{", false), ("é", "é", true),
  ])
  func `a text holds another one`(whole: String, part: String, expected: Bool) {
    #expect(whole.holds(part) == expected)
  }
}

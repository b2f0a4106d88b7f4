import Foundation
import Testing

@testable import ProctorFormats

@Suite struct JSONTreeTests {
  private func read(_ text: String) -> (tree: JSONTree?, problem: JSONTreeReader.Problem?, end: Int)
  {
    JSONTreeReader.read(Data(text.utf8))
  }

  @Test func `values`() throws {
    let (tree, problem, end) = read(
      #" {"a": [1, -2.5e1, "x\ny", true, null], "b": {"c": "\ud83d\ude00"}} x"#)
    #expect(problem == nil)
    #expect(end == 67)
    let items = try #require(tree?["a"]?.array)
    #expect(items.count == 5)
    #expect(items[0].count == 1)
    #expect(items[1].number == -25)
    #expect(items[2].string == "x\ny")
    #expect(items[3].bool == true)
    #expect(tree?["b"]?["c"]?.text == "😀")
  }

  @Test func `what comes before the break is kept`() {
    let (tree, problem, _) = read(#"{"a": [{"n": 1}, {"n": 2, "m": "cut her"#)
    #expect(problem == .cut)
    #expect(tree?["a"]?.array?.count == 2)
    #expect(tree?["a"]?.array?.last?["n"]?.count == 2)
    #expect(tree?["a"]?.array?.last?["m"] == nil)
  }

  @Test func `what is wrong is told by its place`() {
    #expect(read(#"{"a": x}"#).problem == .syntax(offset: 6))
    #expect(read(#"{"a" 1}"#).problem == .syntax(offset: 5))
    #expect(read(#"["\x"]"#).problem == .syntax(offset: 3))
    #expect(read("").problem == .cut)
    #expect(read("tru").problem == .cut)
    #expect(read(String(repeating: "[", count: 100_000)).problem == .depth)
  }

  @Test func `halves of surrogates and bytes that are no text become U+FFFD`() {
    #expect(
      read(#"["\ud83d", "\ude00x", "\ud83d\u0041"]"#).tree?.array?.map(\.string) == [
        "\u{fffd}", "\u{fffd}x", "\u{fffd}A",
      ])
    let bytes = Data([0x22, 0xff, 0x22])
    #expect(JSONTreeReader.read(bytes).tree?.string == "\u{fffd}")
  }

  @Test func `python's words for what is no number are nothing`() {
    let items = read("[NaN, Infinity, -Infinity, 1]").tree?.array
    #expect(items?.count == 4)
    #expect(items?[2].number == nil)
    #expect(items?[3].number == 1)
  }
}

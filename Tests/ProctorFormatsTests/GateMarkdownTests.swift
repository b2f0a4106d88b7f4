import Foundation
import ProctorModel
import Testing

@testable import ProctorFormats

@Suite struct GateMarkdownTests {
  private func answer(_ names: [String], error: String = "assert 1 == 2") -> GateAnswer {
    let tests = names.map { name in
      GateTest(
        id: TestID(text: "pytest:.:\(name)"), name: name, fullName: name, outcome: .failed,
        error: error, place: SourceLocation(file: "tests/a.py", line: 3))
    }
    let side = GateSide(
      source: .run, verdict: Verdict(status: .failed),
      counts: Counts(passed: 0, failed: tests.count, skipped: 0), tests: tests)
    let rows = tests.map { GateRow(.newFailure, id: $0.id, base: nil, head: $0) }
    return GateAnswer(
      status: .blocked, message: "they fail",
      blocks: [GateBlock(.newFailures, "they fail", tests: tests.map(\.id))], rows: rows,
      head: side, base: side, policy: GatePolicy(), change: nil)
  }

  @Test func `a comment has what blocks first`() {
    let text = String(decoding: GateMarkdown(answer(["a::b"])).data(), as: UTF8.self)
    #expect(
      text == """
        <!-- proctor gate -->
        ### proctor gate: blocked

        Compared with unknown:

        - **new_failures**: they fail

        #### New failures (1)

        | test | base | head | remark |
        | --- | --- | --- | --- |
        | <code>pytest:.:a::b</code> |  | failed | <code>tests/a.py:3</code>, <code>assert 1 == 2</code> |

        1 new&#95;failure

        """)
  }

  @Test func `no name is markup, ends a cell or calls somebody`() {
    let evil = "a|b\n### x @team #12 <img src=x> `c` \\| [l](http://e.org) </code>"
    let text = String(decoding: GateMarkdown(answer([evil], error: evil)).data(), as: UTF8.self)
    let row = text.split(separator: "\n").first { $0.hasPrefix("| <code>") }
    #expect(row?.split(separator: "|").count == 4)
    let inner = text.replacing("<code>", with: "").replacing("</code>", with: "")
      .replacing("<!-- proctor gate -->", with: "")
    #expect(!inner.contains("<") && !inner.contains("@") && !inner.contains("://"))
    #expect(!inner.contains("`") && !inner.contains("["))
  }

  @Test func `a comment is bounded, and says what has no room`() {
    let names = (0..<5000).map { "tests/test_\($0).py::test_<>|_\($0)" }
    let data = GateMarkdown(answer(names, error: String(repeating: "é<", count: 500))).data()
    #expect(data.count <= GateMarkdown.limit)
    #expect(data.count > GateMarkdown.limit - 8000)
    let text = String(decoding: data, as: UTF8.self)
    #expect(text.contains("#### New failures (5000)"))
    #expect(text.firstMatch(of: /and \d+ more/) != nil)
    #expect(text.hasSuffix("5000 new&#95;failure\n"))
  }

  @Test func `answers for models are bounded`() {
    let answer = answer((0..<5000).map { "tests/test_\($0).py::test" })
    let data = ContractJSON.gate(answer, tokens: AgentReport.defaultTokens)
    #expect(TokenEstimate.of(String(decoding: data, as: UTF8.self)) <= AgentReport.defaultTokens)
    #expect(TokenEstimate.of(AgentReport.text(answer)) <= AgentReport.defaultTokens)
  }
}

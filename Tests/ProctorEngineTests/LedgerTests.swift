import ProctorModel
import Testing

@testable import ProctorEngine

@Suite struct LedgerTests {
  let project = Project(adapter: AdapterID(rawValue: "jest"), root: ".", evidence: "test")
  let passed = Attempt(outcome: .passed, rawStatus: "passed")
  let failed = Attempt(outcome: .failed, rawStatus: "failed")

  func test(_ name: String) -> TestCase {
    TestCase(
      id: TestID(project: project, fullName: name), project: project, suite: "s", name: name,
      fullName: name, nativeID: name)
  }

  @Test func `a second result is a contradiction and the worse one stays`() {
    var ledger = Ledger(selected: [test("a")])
    ledger.apply(.finished(test("a").id, failed))
    ledger.apply(.finished(test("a").id, passed))
    #expect(ledger.results[test("a").id]?.outcome == .failed)
    #expect(ledger.contradictions.count == 1)
  }

  @Test func `a result for an unlisted test is a contradiction`() {
    var ledger = Ledger()
    ledger.apply(.finished(test("ghost").id, passed))
    #expect(ledger.results.isEmpty)
    #expect(ledger.contradictions.count == 1)
  }

  @Test func `a listing twice is a contradiction`() {
    var ledger = Ledger()
    ledger.apply(.listed(test("a")))
    ledger.apply(.listed(test("a")))
    #expect(ledger.contradictions.count == 1)
  }

  @Test func `a deselected test leaves the selection`() {
    var ledger = Ledger()
    ledger.apply(.listed(test("a")))
    ledger.apply(.listed(test("b")))
    ledger.apply(.deselected(test("a").id))
    #expect(ledger.selection == [test("b")])
  }

  @Test func `a fixed selection is not widened by the run`() {
    var ledger = Ledger(selected: [test("a")])
    ledger.apply(.listed(test("a")))
    ledger.apply(.listed(test("b")))
    #expect(ledger.selection == [test("a")])
    #expect(ledger.contradictions.isEmpty)
  }

  @Test func `what started and did not finish stays running`() {
    var ledger = Ledger(selected: [test("a"), test("b")])
    ledger.apply(.started(test("a").id))
    ledger.apply(.started(test("b").id))
    ledger.apply(.finished(test("a").id, passed))
    #expect(ledger.running == [test("b").id])
  }
}

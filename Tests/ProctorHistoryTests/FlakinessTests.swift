import Foundation
import ProctorModel
import Testing

@testable import ProctorHistory

@Suite struct FlakinessTests {
  let fixture: HistoryFixture

  init() throws { fixture = try HistoryFixture() }

  private let id = HistoryFixture.id

  private func commit(_ name: String) -> CodeOrigin { CodeOrigin(commit: name, isClean: true) }

  @Test func `both outcomes on one commit are evidence, on two commits they are a change`() throws {
    try fixture.record(["flaky": "p", "broken": "p"], code: commit("c1"))
    try fixture.record(["flaky": "f", "broken": "p"], code: commit("c1"))
    try fixture.record(["flaky": "p", "broken": "f"], code: commit("c2"))
    let found = try fixture.history().flaky()
    #expect(found.map(\.id) == [id("flaky")])
    #expect(found[0].passes == 2 && found[0].failures == 1 && found[0].codes == 1)
    #expect(found[0].message == "  broken: flaky")
    let broken = try #require(try fixture.history().flakiness(id("broken")))
    #expect(broken.codes == 0 && broken.brokenCodes == 1 && broken.failures == 0)
  }

  @Test func `a retry that passes is evidence`() throws {
    let run = try fixture.record(["a": "fp"])
    let found = try #require(try fixture.history().flaky().first)
    #expect(found.probability == 0.5 && found.codes == 1 && found.lastSeen == run.date)
  }

  @Test func `without a commit the same files are the same code`() throws {
    try fixture.record(["a": "p", "b": "p"], code: CodeOrigin(state: "s1"))
    try fixture.record(["a": "f", "b": "p"], code: CodeOrigin(state: "s1"))
    try fixture.record(["b": "f"], code: CodeOrigin(commit: "c1", isClean: false, state: "s2"))
    #expect(try fixture.history().flaky().map(\.id) == [id("a")])
  }

  @Test func `what is not known to be the same code is no evidence`() throws {
    let unknown = [
      CodeOrigin(), CodeOrigin(commit: "c1"), CodeOrigin(commit: "c1", isClean: false),
      CodeOrigin(commit: "c1", isClean: true, isPatched: true),
    ]
    for code in unknown {
      try fixture.record(["a": "p"], code: code)
      try fixture.record(["a": "f"], code: code)
    }
    try fixture.record(["a": "f"], status: .error)
    try fixture.record(["a": "p"])
    #expect(try fixture.history().flaky().isEmpty)
  }

  @Test func `skipped is no execution`() throws {
    try fixture.record(["a": "s"])
    try fixture.record(["a": "f"])
    #expect(try fixture.history().flaky().isEmpty)
  }

  @Test func `those come first that are surest to fail often`() throws {
    // One in two is less sure than ten in twenty.
    try fixture.record(["once": "fp", "often": "fp", "rare": "fp"])
    for index in 0..<9 {
      try fixture.record(["often": "fp", "rare": "p"], code: commit("d\(index)"))
    }
    #expect(try fixture.history().flaky().map(\.id) == ["often", "once", "rare"].map(id))
  }

  /// Computed apart, in Python, by the formula of Wilson (1927) as Brown, Cai and DasGupta (2001) give it.
  @Test(arguments: [
    (0, 10, 0.0, 0.277_532_799_862_889_1),
    (1, 2, 0.094_531_205_734_230_74, 0.905_468_794_265_769_2),
    (10, 10, 0.722_467_200_137_110_9, 1.0),
  ])
  func `the interval is Wilson's`(hits: Int, count: Int, lower: Double, upper: Double) throws {
    let interval = try #require(Flakiness.wilson(hits, of: count))
    #expect(abs(interval.lower - lower) < 1e-12)
    #expect(abs(interval.upper - upper) < 1e-12)
    #expect(Flakiness.wilson(0, of: 0) == nil)
  }
}

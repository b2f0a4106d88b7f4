import ProctorModel
import Testing

@testable import ProctorFormats

@Suite struct LiveViewTests {
  let start = ContinuousClock.now

  func view(_ events: [(seconds: Int, ProctorModel.Progress)]) -> LiveView {
    var view = LiveView()
    for (seconds, event) in events { view.apply(event, at: start + .seconds(seconds)) }
    return view
  }

  func lines(_ view: LiveView, after seconds: Int, width: Int = 80, height: Int = 20) -> [String] {
    view.lines(width: width, height: height, at: start + .seconds(seconds), style: .plain)
  }

  @Test func `shows what runs, the slowest tests first, failures and counts`() {
    let (slow, quick) = (Samples.test("slow"), Samples.test("quick"))
    let view = view([
      (0, .detected([Samples.pytest])), (0, .began(Samples.pytest, title: "running tests")),
      (0, .listed(slow)), (0, .listed(quick)), (0, .listed(Samples.failing.test)),
      (1, .started(slow.id)), (4, .started(quick.id)), (4, .finished(Samples.failing)),
      (4, .error(Samples.buildError)),
    ])
    #expect(
      lines(view, after: 6) == [
        "pytest: running tests",
        "FAIL tests/test_a.py::test_\\e[31mred\\u{202e} (src/auth.py:42:7)",
        "  5.0 s tests/test_a.py::slow", "  2.0 s tests/test_a.py::quick",
        "1 of 3 done: 0 passed, 1 failed, 0 skipped, 1 errors · 6.0 s",
      ])
  }

  @Test func `a finished test and a done project disappear`() {
    let view = view([
      (0, .began(Samples.pytest, title: "building")),
      (1, .began(Samples.pytest, title: "running tests")),
      (2, .started(Samples.test("test_ok").id)), (3, .finished(Samples.passed("test_ok"))),
      (3, .finished(Samples.skipped)), (3, .done(Samples.pytest)),
    ])
    #expect(
      lines(view, after: 3) == [
        "looking for runners", "2 done: 1 passed, 0 failed, 1 skipped · 3.0 s",
      ])
  }

  @Test func `stays within the terminal, the counts to the last`() {
    let events: [(Int, ProctorModel.Progress)] = (0..<50).map {
      (0, .started(Samples.test("test_with_a_long_name_\($0)").id))
    }
    let block = lines(view(events), after: 1, width: 20, height: 3)
    #expect(block.count == 3)
    #expect(block.allSatisfy { $0.count <= 20 })
    #expect(block.last == "0 done: 0 passed, 0 ")
    #expect(lines(view(events), after: 1, width: 0, height: 0).count == 1)
  }
}

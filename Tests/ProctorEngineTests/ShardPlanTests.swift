import Foundation
import ProctorModel
import Testing

@testable import ProctorEngine

@Suite struct ShardPlanTests {
  static let project = Project(
    adapter: AdapterID(rawValue: "pytest"), root: ".", evidence: "pytest.ini")
  static let whole = Project(adapter: AdapterID(rawValue: "go"), root: "srv", evidence: "go.mod")

  static func test(_ name: String, _ file: String) -> TestCase {
    let full = "\(file)::\(name)"
    return TestCase(
      id: TestID(project: project, fullName: full), project: project, suite: file, name: name,
      fullName: full, file: file, nativeID: full)
  }

  /// Ten files of ten tests.
  static let tests = (0..<100).map { test("test_\($0)", "tests/test_\($0 / 10).py") }

  private func plan(
    _ count: Int, _ durations: [String: Double] = [:], of tests: [TestCase] = Self.tests,
    whole: [Project] = [], selection: String? = nil
  ) -> ShardPlan {
    ShardPlan(tests: tests, whole: whole, count: count, selection: selection) { id in
      durations.isEmpty ? nil : durations.first { id.text.hasSuffix($0.key) }?.value ?? 1
    }
  }

  @Test func `every test is in exactly one shard, whatever the order of the listing`() {
    let plan = self.plan(4)
    #expect(plan.entries == 100)
    #expect((1...4).map(plan.entries(of:)).reduce(0, +) == 100)
    #expect(self.plan(4, of: Self.tests.shuffled()) == plan)
    #expect(self.plan(4, of: Self.tests.reversed()).digest == plan.digest)
  }

  @Test func `the digest is another for another plan`() {
    let digests = [
      plan(4), plan(5), plan(4, of: Array(Self.tests.dropLast())), plan(4, selection: ""),
      plan(4, selection: "x"), plan(4, whole: [Self.whole]), plan(4, ["test_0.py::test_3": 90_000]),
    ].map(\.digest)
    #expect(Set(digests).count == digests.count)
    #expect(digests.allSatisfy { $0.count == 64 })
    // Wherever entries are cut, they do not read the same.
    #expect(
      ShardPlan(count: 2, selection: nil, shards: ["a": 1, "b": 2]).digest
        != ShardPlan(count: 2, selection: nil, shards: ["a": 1, "b\n2:2": 2]).digest)
  }

  @Test func `a file stays together unless it is much of a shard`() {
    func shards(_ plan: ShardPlan, file: Int) -> Set<Int> {
      Set(Self.tests[(file * 10)..<(file * 10 + 10)].compactMap { plan.shard(of: $0.id.text) })
    }
    let even = plan(2)
    #expect((0..<10).allSatisfy { shards(even, file: $0).count == 1 })
    #expect((1...2).allSatisfy { even.entries(of: $0) == 50 })
    let slow = plan(5, Dictionary(uniqueKeysWithValues: (0..<10).map { ("::test_\($0)", 5000) }))
    #expect(shards(slow, file: 0).count == 5)
  }

  @Test(arguments: 1...12)
  func `no shard has much more than its share`(_ count: Int) {
    let plan = plan(count)
    let most = (1...count).map(plan.entries(of:)).max() ?? 0
    #expect(Double(most) <= 100 / Double(count) * 1.25 + 1)
  }

  @Test func `the longest test is alone and the others share the rest`() {
    let long = "test_0.py::test_7"
    let plan = self.plan(3, [long: 1_000_000])
    let shard = Self.tests.first { $0.id.text.hasSuffix(long) }.flatMap {
      plan.shard(of: $0.id.text)
    }
    #expect(shard == 1)
    #expect(plan.entries(of: 1) == 1)
    #expect(abs(plan.entries(of: 2) - plan.entries(of: 3)) <= 10)
  }

  @Test func `durations that no clock shows count as none`() {
    for odd in [Double.nan, .infinity, -1, 1e300] {
      #expect(plan(3, ["test_0.py::test_7": odd]) == plan(3))
    }
  }

  @Test func `more shards than tests leave some empty`() {
    let plan = self.plan(5, of: Array(Self.tests.prefix(2)))
    #expect((1...5).map(plan.entries(of:)).sorted() == [0, 0, 0, 1, 1])
    #expect(self.plan(3, of: []).entries == 0)
  }

  @Test func `a project that can only be run whole is one entry`() {
    let plan = self.plan(2, whole: [Self.whole])
    #expect(plan.entries == 101)
    #expect(plan.shard(of: "go:srv:") != nil)
  }

  @Test func `a plan file is read as it was written, or refused`() throws {
    let plan = self.plan(4, whole: [Self.whole], selection: "te.t")
    #expect(try ShardPlan(reading: plan.data, from: "f") == plan)
    let text = String(decoding: plan.data, as: UTF8.self)
    let edits = [
      String(text.dropLast(10)), text.replacing("\"shard\" : 1", with: "\"shard\" : 2"),
      text.replacing("test_99", with: "test_98"), text.replacing("te.t", with: "test"),
      text.replacing("\"count\" : 4", with: "\"count\" : 0"), "{}", "",
    ]
    for edit in edits {
      #expect(edit != text)
      let error = #expect(throws: EngineError.self) {
        try ShardPlan(reading: Data(edit.utf8), from: "the file")
      }
      #expect(error?.message.hasPrefix("the file") == true)
    }
  }
}

import ProctorModel
import Testing

@testable import ProctorEngine

/// A number stands for one order, now and later.
@Suite struct ShufflingTests {
  let project = Project(adapter: AdapterID(rawValue: "pytest"), root: ".", evidence: "test")

  func tests(files: Int, suites: Int, each: Int) -> [TestCase] {
    (0..<files).flatMap { file in
      (0..<suites).flatMap { suite in
        (0..<each).map { number in
          let name = "\(file).\(suite).\(number)"
          return TestCase(
            id: TestID(project: project, fullName: name), project: project,
            suite: "\(file).\(suite)", name: name, fullName: name, file: "\(file)",
            nativeID: name)
        }
      }
    }
  }

  @Test func `a seed gives the order that it always gave`() {
    let order = Shuffling(seed: 1).order(tests(files: 1, suites: 1, each: 8)).map(\.name)
    #expect(Shuffling(seed: 1).order(tests(files: 1, suites: 1, each: 8)).map(\.name) == order)
    #expect(order.sorted() == tests(files: 1, suites: 1, each: 8).map(\.name))
    #expect(order != order.sorted())
    #expect(Shuffling(seed: 2).order(tests(files: 1, suites: 1, each: 8)).map(\.name) != order)
  }

  @Test func `files and suites stay in one piece`() {
    let order = Shuffling(seed: 5).order(tests(files: 4, suites: 3, each: 5))
    #expect(order.count == 60)
    #expect(Set(order.map(\.id)).count == 60)
    func pieces(_ key: (TestCase) -> String) -> Int {
      zip(order, order.dropFirst()).count { key($0) != key($1) } + 1
    }
    #expect(pieces { $0.file ?? "" } == 4)
    #expect(pieces(\.suite) == 12)
  }
}

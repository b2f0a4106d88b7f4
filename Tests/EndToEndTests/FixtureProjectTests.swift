import Foundation
import Testing

/// Every folder of `fixtures/projects` is a test: its real runner runs, and the answer is compared
/// with its `expected.json`.
@Suite(.serialized) struct FixtureProjectTests {
  static let adapters = [
    "cargo", "pytest", "jest", "swift", "bats", "ctest", "go", "maven", "mocha", "prove", "rspec",
    "unittest",
  ]
  static let fixtures = adapters.flatMap { Fixture.all(below: "projects/\($0)") }

  @Test func `there are fixtures for every adapter`() {
    for adapter in Self.adapters {
      #expect(Self.fixtures.contains { $0.name.hasPrefix("projects/\(adapter)/") })
    }
  }

  @Test(arguments: fixtures) func `answers as expected`(fixture: Fixture) throws {
    _ = try fixture.check()
  }
}

/// What pytest 9 answers, pytest 7 and 8 answer too.
@Suite(.serialized) struct PytestVersionTests {
  static let fixtures = ["collection", "early_exit", "filtered", "hooks", "src_layout"]
    .map { Fixture(name: "projects/pytest/\($0)") }

  @Test(arguments: ["pytest7", "plugins"], fixtures)
  func `answers as with the newest`(environment: String, fixture: Fixture) throws {
    _ = try fixture.check(virtualEnvironment: environment)
  }

  /// pytest 7 has no subtests of its own and skips coroutines; with its plugin, 8 is as 9.
  @Test func `answers everything as with the newest`() throws {
    _ = try Fixture(name: "projects/pytest/kitchen").check(virtualEnvironment: "plugins")
  }
}

/// The catalogue of lies: ways to look green without being it, each a small real project. None may be
/// green, and the answer says why in one sentence.
@Suite(.serialized) struct LieTests {
  static let lies = Fixture.all(below: "lies")

  @Test func `the catalogue is whole`() {
    #expect(Self.lies.count >= 90)
  }

  @Test func `the page lists every lie and its verdict`() throws {
    let page = try String(
      contentsOfFile: "\(ProctorProcess.repository)/docs/lies.md", encoding: .utf8)
    for lie in Self.lies {
      let expected = try ExpectedAnswer(fixture: lie.name)
      let name = lie.name.split(separator: "/").last ?? ""
      let row = page.split(separator: "\n").first { $0.hasPrefix("| \(name) |") }
      #expect(row?.hasSuffix("| \(expected.verdict) |") == true, "run make goldens: \(name)")
    }
  }

  @Test(arguments: lies) func `is not green and says why`(lie: Fixture) throws {
    let (answer, status) = try lie.check()
    #expect(status != 0)
    #expect(answer["status"] as? String != "passed")
    let sentence = answer["message"] as? String ?? answer["error"] as? String ?? ""
    #expect(!sentence.isEmpty && !sentence.contains("\n"))
  }
}

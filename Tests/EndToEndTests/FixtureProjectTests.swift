import Foundation
import Testing

/// Every folder of `fixtures/projects` is a test: its real runner runs, and the answer is compared
/// with its `expected.json`.
@Suite(.serialized) struct FixtureProjectTests {
  static let fixtures: [String] = {
    let root = "\(ProctorProcess.repository)/fixtures/projects"
    let manager = FileManager.default
    let adapters = (try? manager.contentsOfDirectory(atPath: root)) ?? []
    return adapters.flatMap { adapter in
      ((try? manager.contentsOfDirectory(atPath: "\(root)/\(adapter)")) ?? [])
        .map { "projects/\(adapter)/\($0)" }
    }.filter {
      manager.fileExists(atPath: "\(ProctorProcess.repository)/fixtures/\($0)/expected.json")
    }
    .sorted()
  }()

  @Test func `there are fixtures for every adapter`() {
    for adapter in ["cargo", "pytest", "jest", "swift"] {
      #expect(Self.fixtures.contains { $0.hasPrefix("projects/\(adapter)/") })
    }
  }

  @Test(arguments: fixtures) func `answers as expected`(fixture: String) throws {
    let expected = try ExpectedAnswer(fixture: fixture)
    let folder = try TemporaryFolder()
    let workspace = try folder.copy(fixture: fixture)
    try FileManager.default.removeItem(atPath: "\(workspace)/expected.json")
    let outcome = try ProctorProcess(
      expected.arguments + ["--format", "json"]
        + (expected.arguments.first == "run" ? ["--details"] : []),
      in: workspace
    ).run()
    try Schema.validate(
      outcome.stdout, expected.arguments.first == "test" ? "run_test" : "run_all_tests")
    let differences = expected.differences(try outcome.json(), status: outcome.status)
    #expect(
      differences.isEmpty, "\(fixture)\n\(differences.joined(separator: "\n"))\n\(outcome.stderr)")
  }
}

import Foundation
import Testing

/// An id names one test, the same in every run and place, and running it runs that test and no other.
@Suite(.serialized) struct IdentityTests {
  static let fixtures =
    ["cargo", "jest", "pytest", "swift"].map { "identity/\($0)" }
    + ["ctest", "mocha", "rspec", "unittest"].map { "projects/\($0)/kitchen" }

  func ids(in workspace: String) throws -> [String] {
    let outcome = try ProctorProcess(["list", "--format", "json"], in: workspace).run()
    try Schema.validate(outcome.stdout, "list_tests")
    let tests = try outcome.json()["tests"] as? [[String: Any]] ?? []
    return tests.compactMap { $0["id"] as? String }
  }

  /// Two side by side: most of it is waiting for runners to start.
  @Test func `ids run the tests they name`() async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (index, fixture) in Self.fixtures.enumerated() {
        if index >= 2 { try await group.next() }
        group.addTask { try check(fixture) }
      }
      try await group.waitForAll()
    }
  }

  private func check(_ fixture: String) throws {
    let folder = try TemporaryFolder()
    let workspace = try folder.copy(fixture: fixture)
    let ids = try ids(in: workspace)
    #expect(ids.count >= 5, "\(fixture)")
    #expect(Set(ids).count == ids.count, "\(fixture)")
    for id in ids {
      let outcome = try ProctorProcess(["test", id, "--format", "json"], in: workspace).run()
      let details = try outcome.json()["details"] as? [[String: Any]] ?? []
      #expect(details.compactMap { $0["id"] as? String } == [id], "\(fixture)")
    }
    // Elsewhere, and listed again, they are the same.
    let other = try TemporaryFolder()
    #expect(
      try self.ids(in: try other.copy(fixture: fixture, as: "another place")) == ids, "\(fixture)")
  }
}

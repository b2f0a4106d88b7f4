import Foundation
import Testing

/// Every failing test of `fixtures/locations` has its right line marked in the source:
/// `at: NAME | NAME` on the line where the test must be said to fail, `nowhere: NAME` where no line
/// can be known and none may be invented.
@Suite(.serialized) struct LocationTests {
  static let runners = ["cargo", "jest", "pytest", "swift", "typescript"]

  struct Place: Hashable, CustomStringConvertible {
    let file: String
    let line: Int
    var description: String { "\(file):\(line)" }
  }

  /// The right place of each test; nil for those without one.
  static func marks(in runner: String) throws -> [String: Place?] {
    let root = "\(ProctorProcess.repository)/fixtures/locations/\(runner)"
    let files = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
    var result: [String: Place?] = [:]
    for file in files {
      guard let text = try? String(contentsOfFile: "\(root)/\(file)", encoding: .utf8) else {
        continue
      }
      for (index, line) in text.components(separatedBy: "\n").enumerated() {
        for word in ["at: ", "nowhere: "] {
          guard let mark = line.range(of: "// \(word)") ?? line.range(of: "# \(word)") else {
            continue
          }
          for name in line[mark.upperBound...].components(separatedBy: " | ") {
            let place = word == "at: " ? Place(file: file, line: index + 1) : nil
            guard result.updateValue(place, forKey: name) == nil else {
              throw FixtureError("\(runner)/\(file) marks \(name) twice")
            }
          }
        }
      }
    }
    return result
  }

  @Test(arguments: runners) func `failures are where the sources say`(runner: String) throws {
    let marks = try Self.marks(in: runner)
    let folder = try TemporaryFolder()
    let workspace = try folder.copy(fixture: "locations/\(runner)")
    let outcome = try ProctorProcess(["run", "--format", "json"], in: workspace).run()
    try Schema.validate(outcome.stdout, "run_all_tests")
    let failures = try outcome.json()["failures"] as? [[String: Any]] ?? []
    var seen: Set<String> = []
    var right = 0
    for failure in failures {
      let test = failure["test"] as? String ?? ""
      let name = marks[test] == nil ? test.components(separatedBy: "::").last ?? test : test
      guard let mark = marks[name] else {
        Issue.record("\(runner): \(test) has no mark")
        continue
      }
      seen.insert(name)
      let line = failure["line"] as? Int
      let found = line.map { Place(file: failure["file"] as? String ?? "?", line: $0) }
      #expect(found == mark, "\(runner): \(name)")
      if found == mark { right += 1 }
      #expect(failure["definition_line"] is Int, "\(runner): \(name) has no definition line")
    }
    #expect(seen == Set(marks.keys))
    let page = try String(
      contentsOfFile: "\(ProctorProcess.repository)/docs/locations.md", encoding: .utf8)
    #expect(page.contains("| \(runner) | \(right) of \(marks.count) |"))
  }

  @Test func `the table is large`() throws {
    #expect(try Self.runners.reduce(0) { try $0 + Self.marks(in: $1).count } >= 150)
  }
}

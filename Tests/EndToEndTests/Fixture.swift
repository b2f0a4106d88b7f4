import Foundation
import Testing

/// A small real project with the answer that proctor must give about it.
struct Fixture: CustomTestStringConvertible {
  /// Its folder below `fixtures`.
  let name: String
  var testDescription: String { name }

  static func all(below folder: String) -> [Fixture] {
    let root = "\(ProctorProcess.repository)/fixtures"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "\(root)/\(folder)")) ?? []
    return names.map { "\(folder)/\($0)" }
      .filter { FileManager.default.fileExists(atPath: "\(root)/\($0)/expected.json") }
      .sorted().map(Fixture.init)
  }

  /// Runs it and compares the answer. A folder `then` in it is laid over the workspace after a first
  /// run, with its old dates.
  func check(
    virtualEnvironment: String? = nil
  ) throws -> (answer: [String: Any], status: Int32) {
    let expected = try ExpectedAnswer(fixture: name)
    let folder = try TemporaryFolder()
    let workspace = try folder.copy(fixture: name)
    let manager = FileManager.default
    try manager.removeItem(atPath: "\(workspace)/expected.json")
    if manager.fileExists(atPath: "\(workspace)/then") {
      try manager.moveItem(atPath: "\(workspace)/then", toPath: "\(folder.path)/then")
      _ = try ProctorProcess(["run"], in: workspace).run()
      let copy = try Process.run(
        URL(filePath: "/bin/cp"), arguments: ["-a", "\(folder.path)/then/.", workspace])
      copy.waitUntilExit()
    }
    let isRun = expected.arguments.contains("run")
    var process = ProctorProcess(
      expected.arguments + ["--format", "json"] + (isRun ? ["--details"] : []), in: workspace)
    if let name = virtualEnvironment ?? expected.virtualEnvironment {
      process.environment["VIRTUAL_ENV"] = "\(ProctorProcess.repository)/.cache/\(name)"
    }
    let outcome = try process.run()
    try Schema.validate(outcome.stdout, isRun ? "run_all_tests" : "run_test")
    let answer = try outcome.json()
    let differences = expected.differences(answer, status: outcome.status)
    #expect(
      differences.isEmpty, "\(name)\n\(differences.joined(separator: "\n"))\n\(outcome.stderr)")
    return (answer, outcome.status)
  }
}

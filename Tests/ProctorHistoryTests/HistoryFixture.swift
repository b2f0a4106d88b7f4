import Foundation
import ProctorModel
import Synchronization

@testable import ProctorHistory

/// A history in a folder that is gone when the test is over.
final class HistoryFixture {
  let folder: String
  var path: String { "\(folder)/history.sqlite" }
  let said = Said()
  static let start = Date().timeIntervalSince1970 - 86_400
  private var runs = 0

  init() throws {
    folder = "\(NSTemporaryDirectory())/proctor-history-\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  func history(_ limits: HistoryLimits = HistoryLimits()) -> History {
    History(folder: folder, limits: limits, say: said.add)
  }

  /// Records a run.
  /// - Parameters:
  ///   - outcomes: by the tests' names, a letter an attempt: `p`assed, `f`ailed, `s`kipped, `c`rashed.
  ///   - date: seconds after the fixture's start; by default each run is a second after the one before.
  @discardableResult
  func record(
    _ outcomes: [String: String], code: CodeOrigin = CodeOrigin(commit: "c1", isClean: true),
    ms: Double = 10, selection: String? = nil, date: Double? = nil, key: String? = nil,
    status: Verdict.Status = .passed, in history: History? = nil
  ) throws -> HistoryRun {
    runs += 1
    let results = outcomes.sorted { $0.key < $1.key }.compactMap {
      Self.result($0.key, $0.value, ms)
    }
    var report = Report(
      verdict: Verdict(status: status), tests: results, errors: [], missing: [], adapters: [],
      sandbox: nil, durationMS: 1000)
    report.beginning = Report.Beginning(date: Self.start + (date ?? Double(runs)))
    let run = HistoryRun(
      report, key: key ?? "run-\(runs)", operation: "run_all_tests", selection: selection,
      code: code, machine: "here",
      environment: HistoryRun.Environment(
        os: "Debian", architecture: "x86_64", ci: false, tools: ["pytest": "9"]))
    guard let run else { throw CocoaError(.coderValueNotFound) }
    try (history ?? self.history()).record(run, results)
    return run
  }

  static func id(_ name: String) -> TestID { TestID(text: "pytest:.:test_a.py::\(name)") }

  private static func result(_ name: String, _ letters: String, _ ms: Double) -> TestResult? {
    let project = Project(adapter: AdapterID(rawValue: "pytest"), root: ".", evidence: "")
    let test = TestCase(
      id: id(name), project: project, suite: "", name: name, fullName: "test_a.py::\(name)",
      nativeID: name)
    let words: [Character: Outcome] = ["p": .passed, "f": .failed, "s": .skipped, "c": .crashed]
    return TestResult(
      test: test,
      attempts: letters.compactMap { words[$0] }.map { outcome in
        Attempt(
          outcome: outcome, rawStatus: outcome.rawValue, durationMS: ms,
          failures: outcome.countsAsFailed
            ? [
              Failure(
                message: "\n  broken: \(name)\nmore",
                location: SourceLocation(file: "test_a.py", line: 7))
            ] : [])
      })
  }
}

/// What the user was told.
final class Said: Sendable {
  private let texts = Mutex<[String]>([])
  var all: [String] { texts.withLock { $0 } }
  @Sendable func add(_ text: String) { texts.withLock { $0.append(text) } }
}

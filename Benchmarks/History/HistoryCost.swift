import Foundation
import ProctorHistory
import ProctorModel

/// What it costs to record runs in a workspace's history, and what they take on disk.
///
/// Usage: history-cost [TESTS] [RUNS]
@main struct HistoryCost {
  static func main() throws {
    let words = CommandLine.arguments.dropFirst().compactMap { Int($0) }
    let (count, runs) = (words.first ?? 20_000, words.dropFirst().first ?? 20)
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "proctor-history-cost-\(getpid())").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let history = History(folder: folder) { FileHandle.standardError.write(Data("\($0)\n".utf8)) }
    print("\(count) tests a run, wall-clock ms")
    for index in 0..<runs {
      let report = report(of: count, at: Date().timeIntervalSince1970 - Double(runs - index))
      let time = try milliseconds { try record(report, "run-\(index)", history) }
      let bytes = try bytes(in: folder)
      if [0, 1, runs / 2, runs - 1].contains(index) {
        print(
          String(
            format: "record run %3d  %8.1f ms   file %7.2f MB, %6.1f KB a run", index + 1, time,
            Double(bytes) / 1e6, Double(bytes) / 1e3 / Double(index + 1)))
      }
    }
    print(
      String(format: "durations       %8.1f ms", try milliseconds { _ = try history.durations() }))
    print(String(format: "flaky           %8.1f ms", try milliseconds { _ = try history.flaky() }))
    let id = TestID(text: "pytest:.:tests/test_module_7.py::test_case_7")
    print(
      String(
        format: "history of one  %8.1f ms", try milliseconds { _ = try history.attempts(of: id) }))
  }

  private static func milliseconds(_ body: () throws -> Void) rethrows -> Double {
    try ContinuousClock().measure(body) / .milliseconds(1)
  }

  private static func record(_ report: Report, _ key: String, _ history: History) throws {
    let run = HistoryRun(
      report, key: key, operation: "run_all_tests", selection: nil,
      code: CodeOrigin(commit: "c\(key)", branch: "main", isClean: true), machine: "here",
      environment: HistoryRun.Environment(os: nil, architecture: nil, ci: false, tools: [:]))
    if let run { try history.record(run, report.tests) }
  }

  /// One test in a thousand fails.
  private static func report(of count: Int, at date: Double) -> Report {
    let project = Project(adapter: AdapterID(rawValue: "pytest"), root: ".", evidence: "pytest.ini")
    let tests = (0..<count).map { index -> TestResult in
      let name = "tests/test_module_\(index % 200).py::test_case_\(index)"
      let test = TestCase(
        id: TestID(project: project, fullName: name), project: project, suite: "",
        name: "test_case_\(index)", fullName: name, nativeID: name)
      let fails = Int.random(in: 0..<1000) == 0
      return TestResult(
        test: test,
        first: Attempt(
          outcome: fails ? .failed : .passed, rawStatus: "",
          durationMS: .random(in: 0.05...50),
          failures: fails
            ? [
              Failure(
                message: "assert \(index) == 0", location: SourceLocation(file: "a.py", line: 1))
            ]
            : []))
    }
    var report = Report(
      verdict: Verdict(status: .passed), tests: tests, errors: [], missing: [], adapters: [],
      sandbox: nil, durationMS: 60_000)
    report.beginning = Report.Beginning(date: date)
    return report
  }

  private static func bytes(in folder: String) throws -> Int {
    try FileManager.default.contentsOfDirectory(atPath: folder).reduce(0) { sum, name in
      let facts = try FileManager.default.attributesOfItem(atPath: "\(folder)/\(name)")
      return sum + (facts[.size] as? Int ?? 0)
    }
  }
}

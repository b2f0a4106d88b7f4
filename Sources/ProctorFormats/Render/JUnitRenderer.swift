import FoundationEssentials
public import ProctorModel

/// JUnit XML that both Jenkins' junit-10.xsd and surefire's surefire-test-report.xsd accept.
///
/// Both together leave one way: a single `testsuite`, the parts of a case in surefire's order, no attributes for files
/// and lines; those stand in the text of failures as `at FILE:LINE`. Attempts are surefire's `flaky*` and `rerun*`.
/// What is wrong outside tests is a case with an `error`. Within GitLab's limits: names are unique, and details go before
/// the file reaches 30 MB; no case is ever left out.
public struct JUnitRenderer: Renderer {
  public let name = "junit"
  public let suffix = ".xml"
  /// Bytes; GitLab takes files below it.
  static let sizeLimit = 30_000_000
  /// The class of cases that are no tests.
  static let problemClass = "proctor"

  public init() {}

  public func render(
    _ report: Report, _ context: RenderContext
  ) throws(RenderError) -> Rendering {
    var notes: [String] = []
    for detail in JUnitDetail.allCases {
      let data = try JUnitDocument(report, context, detail).data()
      if data.count < Self.sizeLimit || detail == JUnitDetail.allCases.last {
        if data.count >= Self.sizeLimit {
          notes.append("it has \(data.count) bytes all the same, more than GitLab takes")
        }
        return Rendering(data, notes: notes)
      }
      notes = [detail.nextLeavesOut]
    }
    return Rendering(Data())
  }
}

/// How much of it is written, more first.
private enum JUnitDetail: CaseIterable {
  case everything, outputOfFailures, noOutput, shortMessages

  /// What the next one leaves out.
  var nextLeavesOut: String {
    switch self {
    case .everything: "the output of tests that passed is left out: 30 MB are the limit"
    case .outputOfFailures: "all output of tests is left out: 30 MB are the limit"
    case .noOutput, .shortMessages:
      "output is left out and messages are cut: 30 MB are the limit"
    }
  }

  var messageLimit: Int { self == .shortMessages ? 500 : 1 << 20 }

  func showsOutput(of outcome: Outcome) -> Bool {
    switch self {
    case .everything: true
    case .outputOfFailures: outcome.countsAsFailed
    case .noOutput, .shortMessages: false
    }
  }
}

private struct JUnitDocument {
  private let report: Report
  private let context: RenderContext
  private let detail: JUnitDetail
  private let problems: [RunProblem]

  init(_ report: Report, _ context: RenderContext, _ detail: JUnitDetail) {
    self.report = report
    self.context = context
    self.detail = detail
    problems = report.problems
  }

  func data() throws(RenderError) -> Data {
    let xml = try XMLWriter()
    let failures = report.tests.count { $0.outcome == .failed }
    let listed = Counts(report.tests)
    xml.element(
      "testsuite",
      [
        "name": context.workspace.isEmpty ? "proctor" : context.workspace,
        "tests": "\(report.tests.count + problems.count)", "failures": "\(failures)",
        "errors": "\(listed.failed - failures + problems.count)",
        "skipped": "\(listed.skipped)", "time": report.durationMS.seconds3,
      ]
    ) {
      properties(xml)
      var names = UniqueNames()
      for problem in problems { write(problem, xml, &names) }
      for result in report.tests { write(result, xml, &names) }
    }
    return try xml.finish()
  }

  private func properties(_ xml: XMLWriter) {
    let properties: [(String, String?)] = [
      ("proctor.version", context.version), ("proctor.status", report.verdict.status.rawValue),
      ("proctor.reason", report.verdict.reason?.rawValue),
      ("proctor.message", report.verdict.message), ("git.commit", context.commit),
    ]
    xml.element("properties") {
      for case (let name, let value?) in properties {
        xml.element("property", ["name": name, "value": value])
      }
    }
  }

  // MARK: cases

  private func write(_ problem: RunProblem, _ xml: XMLWriter, _ names: inout UniqueNames) {
    let (group, className) =
      problem.test.map { ($0.project.title, $0.className) } ?? (nil, JUnitRenderer.problemClass)
    let name = names.unique(problem.test?.name ?? problem.title, in: className)
    let place = problem.location.map { "\n  at \($0.text)" } ?? ""
    xml.element(
      "testcase", ["name": name, "classname": className, "group": group, "time": "0.000"]
    ) {
      xml.element(
        "error",
        ["message": problem.message.messageAttribute, "type": problem.kind.rawValue],
        text: (problem.message + place).bounded(detail.messageLimit))
    }
  }

  private func write(_ result: TestResult, _ xml: XMLWriter, _ names: inout UniqueNames) {
    let test = result.test
    let last = result.last
    let className = test.className
    let earlier = result.otherAttempts.filter { $0.outcome.countsAsFailed }
    let prefix = last.outcome == .passed ? "flaky" : "rerun"
    let reruns = last.outcome == .skipped ? [] : earlier
    xml.element(
      "testcase",
      [
        "name": names.unique(test.name, in: className), "classname": className,
        "group": test.project.title, "time": (last.shownDuration ?? 0).seconds3,
      ]
    ) {
      if last.outcome == .failed { wrong("failure", last, xml) }
      for attempt in reruns where attempt.outcome == .failed {
        write(attempt, prefix == "flaky" ? "flakyFailure" : "rerunFailure", xml)
      }
      if last.outcome == .skipped {
        xml.element("skipped", ["message": (last.note ?? last.rawStatus).messageAttribute])
      }
      if last.outcome.countsAsFailed, last.outcome != .failed { wrong("error", last, xml) }
      for attempt in reruns where attempt.outcome != .failed {
        write(attempt, prefix == "flaky" ? "flakyError" : "rerunError", xml)
      }
      output(last, xml)
    }
  }

  private func wrong(_ element: StaticString, _ attempt: Attempt, _ xml: XMLWriter) {
    xml.element(
      element,
      ["message": attempt.firstMessage.messageAttribute, "type": attempt.outcome.rawValue],
      text: (attempt.failureText ?? "").bounded(detail.messageLimit))
  }

  private func write(_ attempt: Attempt, _ element: StaticString, _ xml: XMLWriter) {
    xml.element(
      element,
      ["message": attempt.firstMessage.messageAttribute, "type": attempt.outcome.rawValue]
    ) {
      xml.element("stackTrace", text: (attempt.failureText ?? "").bounded(detail.messageLimit))
      output(attempt, xml)
    }
  }

  private func output(_ attempt: Attempt, _ xml: XMLWriter) {
    guard detail.showsOutput(of: attempt.outcome) else { return }
    if let text = attempt.stdout?.visible { xml.element("system-out", text: text) }
    if let text = attempt.stderr?.visible { xml.element("system-err", text: text) }
  }
}

/// Readers that know tests by class and name take the first of two alike; the others get a number.
private struct UniqueNames {
  private var taken: Set<[String]> = []

  mutating func unique(_ name: String, in className: String) -> String {
    let name = name.isEmpty ? "unnamed" : name
    var (candidate, number) = (name, 1)
    while !taken.insert([className, candidate.scrubbedForXML]).inserted {
      number += 1
      candidate = "\(name) #\(number)"
    }
    return candidate
  }
}

extension TestCase {
  /// The suite, below its project's folder when that is not the root.
  fileprivate var className: String {
    let suite = suite.isEmpty ? (file ?? project.adapter.rawValue) : suite
    let isBelow = project.root == "." || suite.hasPrefix(project.root + "/")
    return isBelow ? suite : "\(project.root)/\(suite)"
  }
}

extension String {
  /// For attributes, which readers show in a line.
  fileprivate var messageAttribute: String {
    String((unixLines.first { !$0.isEmpty } ?? "").bounded(1000))
  }
}

import FoundationEssentials
public import ProctorModel

/// TeamCity's service messages, for standard output. What is wrong outside tests is a build problem.
public struct TeamCityRenderer: Renderer {
  public let name = "teamcity"
  public let suffix = ".txt"
  public let isLineOriented = true
  /// Characters that TeamCity keeps of a build problem's description.
  private static let problemLimit = 4000
  private static let outputLimit = 64 << 10

  public init() {}

  public func render(
    _ report: Report, _ context: RenderContext
  ) throws(RenderError) -> Rendering {
    var lines = report.problems.map { problem in
      let place = problem.location.map { " at \($0.text)" } ?? ""
      return Self.message(
        "buildProblem",
        [
          (
            "description", "\(problem.title)\(place): \(problem.message)".bounded(Self.problemLimit)
          ),
          ("identity", StableID.hex128(problem.key)),
        ])
    }
    var suite: String?
    for result in report.tests {
      if result.test.suite != suite {
        if let suite { lines.append(Self.message("testSuiteFinished", [("name", suite)])) }
        suite = result.test.suite
        lines.append(Self.message("testSuiteStarted", [("name", result.test.suite)]))
      }
      lines += Self.test(result)
    }
    if let suite { lines.append(Self.message("testSuiteFinished", [("name", suite)])) }
    if report.verdict.status != .passed {
      // Where a configuration forgives tests that failed, this does not.
      lines.append(
        Self.message("buildStatus", [("status", "FAILURE"), ("text", report.verdict.title)]))
    }
    return Rendering(Data(lines.map { $0 + "\n" }.joined().utf8))
  }

  private static func test(_ result: TestResult) -> [String] {
    let last = result.last
    let name = ("name", result.test.name)
    if last.outcome == .skipped {
      return [message("testIgnored", [name, ("message", last.note ?? last.rawStatus)])]
    }
    var lines = [message("testStarted", [name, ("captureStandardOutput", "false")])]
    for (command, text) in [("testStdOut", last.stdout), ("testStdErr", last.stderr)] {
      guard let text = text?.visible else { continue }
      lines.append(message(command, [name, ("out", text.bounded(outputLimit))]))
    }
    if last.outcome.countsAsFailed {
      lines.append(
        message(
          "testFailed",
          [
            name, ("message", "\(last.outcome.rawValue): \(last.failureLine)"),
            ("details", (last.failureText ?? "").bounded(outputLimit)),
          ]))
    } else if result.isFlaky {
      let wrong = result.attempts.last { $0.outcome.countsAsFailed }
      lines.append(
        message(
          "message",
          [
            ("text", "flaky: \(result.test.fullName): \(wrong?.failureLine ?? "")"),
            ("status", "WARNING"),
          ]))
    }
    lines.append(
      message("testFinished", [name, ("duration", String((last.durationMS ?? 0).wholeMS))]))
    return lines
  }

  private static func message(_ name: String, _ values: [(String, String)]) -> String {
    "##teamcity[\(name) \(values.map { "\($0.0)='\(escaped($0.1))'" }.joined(separator: " "))]"
  }

  /// `|` is the escape; characters beyond ASCII stand as `|0xNNNN` in units of UTF-16 (TeamCity, service messages).
  private static func escaped(_ text: String) -> String {
    var result = ""
    for unit in text.utf16 {
      switch unit {
      case 0x27, 0x7c, 0x5b, 0x5d: result += "|\(Character(Unicode.Scalar(UInt8(unit))))"
      case 0x0a: result += "|n"
      case 0x0d: result += "|r"
      case 0x20..<0x7f: result.unicodeScalars.append(Unicode.Scalar(UInt8(unit)))
      case 0x09: result += "\t"
      default:
        let digits = String(unit, radix: 16)
        result += "|0x" + String(repeating: "0", count: 4 - digits.count) + digits
      }
    }
    return result
  }
}

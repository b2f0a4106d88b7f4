import FoundationEssentials
public import ProctorModel

/// TAP 14 with YAML diagnostics. What is wrong outside tests is a point that is `not ok`; a plan of nothing, which readers
/// take for a skip, is never written.
public struct TAPRenderer: Renderer {
  public let name = "tap"
  public let suffix = ".tap"
  public let isLineOriented = true

  public init() {}

  public func render(
    _ report: Report, _ context: RenderContext
  ) throws(RenderError) -> Rendering {
    let problems = report.problems
    var text = "TAP version 14\n1..\(problems.count + report.tests.count)\n"
    var number = 0
    for problem in problems {
      number += 1
      text += "not ok \(number) - \(Self.description(problem.title))\n"
      text += Self.block([
        ("severity", "fail"), ("kind", problem.kind.rawValue), ("message", problem.message),
        ("at", problem.location?.text), ("id", problem.test?.id.text),
      ])
    }
    for result in report.tests {
      number += 1
      text += Self.point(result, number)
    }
    return Rendering(Data(text.utf8))
  }

  private static func point(_ result: TestResult, _ number: Int) -> String {
    let last = result.last
    let isWrong = last.outcome.countsAsFailed
    var line =
      "\(isWrong ? "not ok" : "ok") \(number) - \(description(result.test.fullName))"
    if last.outcome == .skipped {
      line += " # SKIP \(description(last.note ?? last.rawStatus))"
    }
    guard isWrong || result.attempts.count > 1 else { return line + "\n" }
    let outcomes = result.attempts.map(\.outcome.rawValue).joined(separator: ", ")
    let wrong = result.attempts.last { $0.outcome.countsAsFailed }
    return line + "\n"
      + block([
        ("severity", isWrong ? "fail" : "comment"), ("outcome", last.outcome.rawValue),
        ("message", wrong?.failureText), ("at", result.place?.text), ("id", result.test.id.text),
        ("attempts", result.attempts.count > 1 ? outcomes : nil),
        ("stdout", isWrong ? last.stdout?.visible : nil),
        ("stderr", isWrong ? last.stderr?.visible : nil),
      ])
  }

  /// A YAML block. Values are double-quoted on one line, so that none is taken for a line of TAP or a command of a CI.
  private static func block(_ pairs: [(String, String?)]) -> String {
    let lines = pairs.compactMap { key, value in value.map { "  \(key): \(quoted($0))\n" } }
    return "  ---\n\(lines.joined())  ...\n"
  }

  /// YAML 1.2, 7.3.1: JSON's escapes, and what is not printable by number.
  private static func quoted(_ text: String) -> String {
    var result = "\""
    var last: Unicode.Scalar?
    for scalar in text.unicodeScalars {
      defer { last = scalar }
      switch scalar {
      // `##[` and `##teamcity[` are commands of CI engines anywhere in a line.
      case "#" where last == "#": result += "\\u0023"
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case _ where !Self.isPrintable(scalar):
        let digits = String(scalar.value, radix: 16)
        let width = scalar.value > 0xffff ? 8 : 4
        result += scalar.value > 0xffff ? "\\U" : "\\u"
        result += String(repeating: "0", count: width - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }

  private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x20...0x7e, 0xa0...0x2027, 0x202f...0x205f, 0x2070...0xd7ff, 0xe000...0xfefe,
      0xff00...0xfffd, 0x10000...0xdffff:
      true
    default: false
    }
  }

  /// Without what means a directive. TAP 14 escapes `#`; older readers do not know that, and would forgive a failed test
  /// named `# TODO`.
  private static func description(_ text: String) -> String {
    var result = ""
    var rest = text.harmless(multiline: false).unicodeScalars[...]
    while let scalar = rest.popFirst() {
      if scalar == "#" {
        let word = String(String.UnicodeScalarView(rest.drop { $0 == " " }.prefix(4))).lowercased()
        result += word == "skip" || word == "todo" ? "\u{ff03}" : "\\#"
      } else if scalar == "\\" {
        result += "\\\\"
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}

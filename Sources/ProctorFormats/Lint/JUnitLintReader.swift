import FoundationEssentials
import ProctorModel

/// Looks through JUnit XML as it is written, before anyone makes sense of it; in constant memory but for the hashes of names.
struct JUnitLintReader {
  private static let pieceSize = 1 << 20
  /// Characters of output that Jenkins keeps of a case that passed, and of one that failed (junit-plugin, CaseResult.java).
  private static let outputKept = (passed: 1000, failed: 100_000)
  private static let known: Set<String> = ["name", "classname", "group", "time"]
  private static let wrong: Set<String> = ["failure", "error"]
  private static let again: Set<String> = [
    "flakyFailure", "flakyError", "rerunFailure", "rerunError",
  ]

  private struct OpenCase {
    let name: String
    let hasPlace: Bool
    var failures = 0
    var namesPlace = false
    var output = 0
  }

  private var facts = LintFacts()
  private var path: [String] = []
  private var open: OpenCase?

  static func facts(_ data: Data) -> LintFacts {
    let pieces = stride(from: data.startIndex, to: data.endIndex, by: pieceSize).lazy.map { start in
      data[start..<min(start + pieceSize, data.endIndex)]
    }
    let source = XMLByteSource(pieces)
    var reader = JUnitLintReader()
    reader.facts.bytes = data.count
    if let objection = source.objection {
      reader.facts.malformed = objection.message
      return reader.facts
    }
    let nodes = XMLNodeReader(source)
    while let node = nodes.next() { reader.take(node) }
    reader.facts.malformed =
      nodes.problem.map { "line \($0.line): \($0.message)" } ?? reader.facts.malformed
    return reader.facts
  }

  private mutating func take(_ node: XMLNode) {
    switch node {
    case .start(let element):
      start(element)
      if element.isEmpty { end() }
    case .end: end()
    case .text(let text): take(text.captured.text)
    }
  }

  private mutating func start(_ element: XMLNode.Element) {
    if path.isEmpty {
      facts.isLoneCase = element.name == "testcase"
      if !["testsuites", "testsuite", "testcase"].contains(element.name) {
        facts.malformed = "the root element is <\(element.name)>, which is no JUnit XML"
      }
    }
    switch element.name {
    case "testcase" where open == nil: begin(element.attributes)
    case "testsuite" where path.contains("testsuite"):
      facts.nestedSuites.add(element.attributes["name"] ?? "unnamed")
    case _ where Self.wrong.contains(element.name) && path.last == "testcase":
      open?.failures += 1
      if element.attributes["message"]?.namesPlace == true { open?.namesPlace = true }
    case _ where Self.wrong.contains(element.name) && open == nil:
      facts.outside.add(element.attributes["message"] ?? element.name)
      if element.name == "failure" {
        facts.outsideFailures.add(element.attributes["message"] ?? element.name)
      }
    case _ where Self.again.contains(element.name): facts.attempts.add(open?.name ?? "")
    default: break
    }
    path.append(element.name)
  }

  private mutating func begin(_ attributes: [String: String]) {
    let name = attributes["name"] ?? ""
    let className = attributes["classname"] ?? ""
    let shown = className.isEmpty ? name : "\(className) \(name)"
    facts.items += 1
    facts.see([className, name], as: shown)
    if name.isEmpty { facts.nameless.add(className) }
    if className.isEmpty { facts.classless.add(name) }
    if name.unicodeScalars.count > LintFacts.nameLimit { facts.longNames.add(name) }
    let strange = attributes.keys.filter { !Self.known.contains($0) }.sorted()
    if !strange.isEmpty { facts.strangeAttributes.add(strange.joined(separator: ", ")) }
    open = OpenCase(
      name: shown,
      hasPlace: attributes["file"] != nil
        && (attributes["line"] != nil || attributes["lineno"] != nil))
  }

  private mutating func take(_ text: String) {
    guard var current = open, let element = path.last else { return }
    if Self.wrong.contains(element), text.namesPlace { current.namesPlace = true }
    if element.hasPrefix("system-"), path.dropLast().last == "testcase" {
      current.output = max(current.output, text.utf16.count)
    }
    open = current
  }

  private mutating func end() {
    guard let name = path.popLast(), name == "testcase", let ended = open,
      !path.contains("testcase")
    else { return }
    open = nil
    let isWrong = ended.failures > 0
    if isWrong {
      facts.failing.add(ended.name)
      if !ended.hasPlace, !ended.namesPlace { facts.placeless.add(ended.name) }
    }
    if ended.failures > 1 { facts.severalFailures.add(ended.name) }
    if ended.output > (isWrong ? Self.outputKept.failed : Self.outputKept.passed) {
      facts.longOutput.add(ended.name)
    }
  }
}

import FoundationEssentials
import ProctorModel

/// Looks through JUnit XML as it is written, before anyone makes sense of it; in constant memory but for the hashes of names.
final class JUnitLintReader: XMLHandler {
  private static let pieceSize = 1 << 20
  /// Characters of output that Jenkins keeps of a case that passed, and of one that failed (junit-plugin, CaseResult.java).
  private static let outputKept = (passed: 1000, failed: 100_000)
  private static let known: Set<String> = ["name", "classname", "group", "time"]
  private static let wrong: Set<String> = ["failure", "error"]
  private static let again: Set<String> = [
    "flakyFailure", "flakyError", "rerunFailure", "rerunError",
  ]

  private struct OpenCase {
    let attributes: [String: String]
    let hasPlace: Bool
    var failures = 0
    var namesPlace = false
    var output = 0
  }

  /// Text of the innermost element, as far as it matters.
  private struct Content {
    /// Of what went wrong.
    var text = BoundedText()
    /// UTF-16 units of what was printed.
    var output = 0
  }

  private var facts = LintFacts()
  private var path: [String] = []
  private var open: OpenCase?
  private var content = Content()

  static func facts(_ data: Data) -> LintFacts {
    let pieces = stride(from: data.startIndex, to: data.endIndex, by: pieceSize).lazy.map { start in
      data[start..<min(start + pieceSize, data.endIndex)]
    }
    let source = XMLByteSource(pieces)
    let reader = JUnitLintReader()
    reader.facts.bytes = data.count
    if let objection = source.objection {
      reader.facts.malformed = objection.message
      return reader.facts
    }
    let events = XMLEventReader(source, reader)
    events.run()
    reader.facts.malformed =
      events.problem.map { "line \($0.line): \($0.message)" } ?? reader.facts.malformed
    return reader.facts
  }

  func text(_ bytes: UnsafeBufferPointer<UInt8>) {
    guard open != nil, let element = path.last else { return }
    if Self.wrong.contains(element) { content.text.append(bytes) }
    if element.hasPrefix("system-"), path.dropLast().last == "testcase" {
      content.output += String(decoding: bytes, as: UTF8.self).utf16.count
    }
  }

  func start(_ tag: XMLTag) {
    closeContent()
    start(tag.element)
  }

  private func closeContent() {
    if content.text.captured.text.namesPlace { open?.namesPlace = true }
    if let output = open?.output { open?.output = max(output, content.output) }
    content = Content()
  }

  private func start(_ element: XMLElement) {
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
    case _ where Self.again.contains(element.name):
      facts.attempts.add(open?.attributes["name"] ?? "")
    default: break
    }
    path.append(element.name)
  }

  private func begin(_ attributes: [String: String]) {
    open = OpenCase(
      attributes: attributes,
      hasPlace: attributes["file"] != nil
        && (attributes["line"] != nil || attributes["lineno"] != nil))
  }

  /// Once it has ended: what a file that is cut off ends with is no case.
  /// - Returns: how it is named.
  private func count(_ attributes: [String: String]) -> String {
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
    return shown
  }

  func end() {
    closeContent()
    guard let name = path.popLast(), name == "testcase", let ended = open,
      !path.contains("testcase")
    else { return }
    open = nil
    let shown = count(ended.attributes)
    let isWrong = ended.failures > 0
    if isWrong {
      facts.failing.add(shown)
      if !ended.hasPlace, !ended.namesPlace { facts.placeless.add(shown) }
    }
    if ended.failures > 1 { facts.severalFailures.add(shown) }
    if ended.output > (isWrong ? Self.outputKept.failed : Self.outputKept.passed) {
      facts.longOutput.add(shown)
    }
  }
}

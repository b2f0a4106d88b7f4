import ProctorModel

/// An open `testcase`.
struct JUnitXMLCase {
  private static let skippedWords: Set<String> = [
    "notrun", "disabled", "suppressed", "skipped", "ignored", "pending", "filtered",
  ]
  private static let failedWords: Set<String> = ["fail", "failed", "failure", "error", "errored"]

  let name: String
  /// Whether the report gives it a name.
  let isNamed: Bool
  private let classname: String?
  private let suites: [String]
  private let definition: SourceLocation?
  private let durationMS: Double?
  /// googletest and CTest say in attributes what others say in elements.
  private let words: [String]
  private var parts: [JUnitXMLPart] = []
  private var stdout = BoundedText()
  private var stderr = BoundedText()

  init(_ element: XMLElement, in suites: [JUnitXMLSuite]) {
    let attributes = element.attributes.filter { !$0.value.isEmpty }
    self.suites = suites.filter { !$0.isRoot }.compactMap(\.name)
    classname = attributes["classname"] ?? attributes["class"]
    isNamed = attributes["name"] != nil
    name = attributes["name"] ?? classname ?? self.suites.last ?? ReportedCase.unnamed
    durationMS = (attributes["time"] ?? attributes["duration"]).flatMap(JUnitXMLNumber.milliseconds)
    words = [attributes["result"], attributes["status"]].compactMap { $0?.lowercased() }
    definition = Self.definition(attributes, suites)
  }

  private static func definition(
    _ attributes: [String: String], _ suites: [JUnitXMLSuite]
  ) -> SourceLocation? {
    guard let file = attributes["file"] ?? suites.last(where: { $0.file != nil })?.file else {
      return nil
    }
    let line = (attributes["line"] ?? attributes["lineno"]).flatMap { Int($0) }
    // pytest's junit_family=xunit1 writes the 0-based line of its own reports.
    let isPytest = suites.contains { $0.name == "pytest" }
    return SourceLocation(
      file: file, line: isPytest ? line.map { $0.addingReportingOverflow(1).partialValue } : line)
  }

  mutating func add(_ part: JUnitXMLPart) {
    switch part.kind {
    case .systemOut: stdout.append(part.text)
    case .systemErr: stderr.append(part.text)
    default: parts.append(part)
    }
  }

  /// Failures and errors of all its attempts.
  var failureElements: Int {
    parts.count { $0.kind != .skipped }
  }

  /// Whether a failure was read that nothing after it can take back.
  var isKnownToFail: Bool {
    parts.contains { $0.kind == .failure || $0.kind == .error }
  }

  var reported: ReportedCase {
    let flaky = parts.filter { $0.kind == .flakyFailure || $0.kind == .flakyError }.map(\.attempt)
    let reruns = parts.filter { $0.kind == .rerunFailure || $0.kind == .rerunError }.map(\.attempt)
    return ReportedCase(
      suites: suites, classname: classname, name: name, definition: definition,
      attempts: flaky + [main] + reruns)
  }

  /// The attempt that the case's own elements are about. A failure outweighs everything.
  private var main: Attempt {
    let wrong = parts.filter { $0.kind == .failure || $0.kind == .error }
    if !wrong.isEmpty {
      let isFailure = wrong.contains { $0.kind == .failure }
      return attempt(
        isFailure ? .failed : .errored, isFailure ? "failure" : "error", wrong.map(\.failure))
    }
    if let word = words.first(where: Self.failedWords.contains) {
      return attempt(.failed, word, [Failure(message: "the report says \"\(word)\" and no more")])
    }
    if let skip = parts.first(where: { $0.kind == .skipped }) { return skipped(skip) }
    if let word = words.first(where: Self.skippedWords.contains) {
      return attempt(.skipped, word, [])
    }
    return attempt(.passed, "passed", [])
  }

  private func skipped(_ part: JUnitXMLPart) -> Attempt {
    // CTest writes a test whose program cannot be started as skipped, and fails because of it;
    // its real skips are SKIP_RETURN_CODE=77 and SKIP_REGULAR_EXPRESSION_MATCHED.
    if words.contains("notrun"), classname == name, let note = part.note, !note.hasPrefix("SKIP_"),
      note != "Disabled"
    {
      return attempt(.errored, "notrun", [Failure(message: note)])
    }
    return attempt(.skipped, part.skipWord, [], note: part.note)
  }

  private func attempt(
    _ outcome: Outcome, _ rawStatus: String, _ failures: [Failure], note: String? = nil
  ) -> Attempt {
    Attempt(
      outcome: outcome, rawStatus: rawStatus, durationMS: durationMS, failures: failures,
      note: note, stdout: stdout.captured.nonEmpty, stderr: stderr.captured.nonEmpty)
  }
}

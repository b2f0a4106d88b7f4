import ProctorModel

/// An element of a case that says how it went, or what it printed.
struct JUnitXMLPart {
  enum Kind: String {
    case failure, error, skipped
    case systemOut = "system-out"
    case systemErr = "system-err"
    /// surefire: an attempt that failed before one passed.
    case flakyFailure, flakyError
    /// surefire: a further attempt that failed as well.
    case rerunFailure, rerunError
  }

  let kind: Kind
  private let attributes: [String: String]
  private(set) var text = BoundedText()
  private var trace = BoundedText()
  private var stdout = BoundedText()
  private var stderr = BoundedText()
  private var children: [String] = []

  /// nil for elements that say nothing of the kind.
  init?(_ element: XMLElement) {
    guard let kind = Kind(rawValue: element.name) else { return nil }
    self.kind = kind
    attributes = element.attributes.filter { !$0.value.isEmpty }
  }

  var isInChild: Bool { !children.isEmpty }
  mutating func startChild(_ name: String) { children.append(name) }
  mutating func endChild() { children.removeLast() }

  /// surefire puts the trace and the output of an attempt into elements of their own.
  mutating func append(_ more: UnsafeBufferPointer<UInt8>) {
    switch children.first {
    case "system-out": stdout.append(more)
    case "system-err": stderr.append(more)
    case "stackTrace": trace.append(more)
    default: text.append(more)
    }
  }

  var failure: Failure {
    Failure(message: message, location: location)
  }

  var attempt: Attempt {
    let isError = kind == .flakyError || kind == .rerunError
    return Attempt(
      outcome: isError ? .errored : .failed, rawStatus: kind.rawValue,
      durationMS: attributes["time"].flatMap(JUnitXMLNumber.milliseconds), failures: [failure],
      stdout: stdout.captured.nonEmpty, stderr: stderr.captured.nonEmpty)
  }

  /// The author's reason for a skip.
  var note: String? {
    // node writes message="true" when there is no reason.
    let message = attributes["message"].flatMap { $0 == "true" ? nil : $0 }
    return message ?? trimmed(text.captured.text)
  }

  /// The tool's own word for a skip: pytest's `xfail`, node's `todo`.
  var skipWord: String {
    switch attributes["type"] {
    case "pytest.xfail": "xfail"
    case "todo": "todo"
    default: "skipped"
    }
  }

  private var location: SourceLocation? {
    attributes["file"].map { file in
      SourceLocation(
        file: file, line: (attributes["line"] ?? attributes["lineno"]).flatMap { Int($0) })
    }
  }

  /// The short message first and the details after it, without saying it twice.
  private var message: String {
    let details = trimmed(trace.captured.text) ?? trimmed(text.captured.text)
    let type = attributes["type"]
    guard let message = attributes["message"].flatMap(trimmed) else {
      return bounded(details ?? type ?? "the report gives no message")
    }
    guard let details else { return bounded(message) }
    let isRepeated =
      details.hasPrefix(message) || type.map { details.hasPrefix("\($0): \(message)") } ?? false
    return bounded(isRepeated ? details : "\(message)\n\(details)")
  }

  private func bounded(_ text: String) -> String {
    CapturedText(bytes: text.utf8, limit: JUnitXML.messageLimit).text
  }

  /// nil when nothing is left. Line ends go from both sides, blanks only from the end: indentation
  /// means something.
  private func trimmed(_ text: String) -> String? {
    let scalars = text.unicodeScalars
    guard let start = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
      let end = scalars.lastIndex(where: { !$0.properties.isWhitespace })
    else { return nil }
    let line = scalars[..<start].lastIndex { $0 == "\n" || $0 == "\r" }.map {
      scalars.index(after: $0)
    }
    return String(scalars[(line ?? scalars.startIndex)...end])
  }
}

import ProctorModel

/// Understands the elements of one JUnit XML file, in order.
struct JUnitXMLParser {
  /// Notes about totals kept of one file; a generator that counts otherwise does so in every suite.
  private static let countNotesLimit = 20

  private var suites: [JUnitXMLSuite] = []
  private var current: JUnitXMLCase?
  private var part: JUnitXMLPart?
  /// How deep inside an element that means nothing to proctor.
  private var ignored = 0
  private var depth = 0
  private var root: String?
  private var isClosed = false

  private var cases = 0
  private var errors: [RunError] = []
  private var notes: [ReportReading.Note] = []
  private var hiddenCountNotes = 0

  /// Takes the next node, and returns the case that ended with it.
  mutating func take(_ node: XMLNode) -> ReportedCase? {
    switch node {
    case .start(let element):
      start(element)
      return element.isEmpty ? end() : nil
    case .end: return end()
    case .text(let text):
      if ignored == 0 { part?.append(text) }
      return nil
    }
  }

  /// The case in which the file breaks off, if it is known to have failed; how any other would have
  /// ended is not known.
  mutating func cutFailure() -> ReportedCase? {
    guard var cut = current else { return nil }
    if let part { cut.add(part) }
    let found = cut.reported
    guard cut.isKnownToFail, found.outcome.countsAsFailed else { return nil }
    cases += 1
    return found
  }

  /// What the file came to, once there are no more nodes.
  mutating func finish(source: XMLByteSource, problem: XMLNodeReader.Problem?) -> ReportReading {
    if hiddenCountNotes > 0 {
      note(.countsDisagree, "\(hiddenCountNotes) more suites whose totals do not fit")
    }
    if let problem {
      noteEnd(problem, source)
    } else if !isReport {
      note(.malformed, "the root element is <\(root ?? "")>, which is no JUnit XML")
    }
    return ReportReading(
      cases: cases, errors: errors, notes: source.notes + notes,
      isComplete: problem == nil && isReport && isClosed)
  }

  private var isReport: Bool { root.map { JUnitXMLSuite.roots.contains($0) } ?? false }

  /// Says whether the end or the middle of the file is what is wrong, and which case it hit.
  private mutating func noteEnd(_ problem: XMLNodeReader.Problem, _ source: XMLByteSource) {
    source.drain()
    let tail = source.tail.reversed().drop { $0 == 0x20 || (0x09...0x0d).contains($0) }
    let isWhole = tail.starts(with: "\(source.rootName)>".utf8.reversed())
    let place = current.map { " in the case \"\($0.name)\"" } ?? ""
    if isWhole || isClosed {
      note(.malformed, "line \(problem.line)\(place): \(problem.message)")
    } else {
      note(
        .truncated, "the file ends at line \(problem.line)\(place), before its root element does")
    }
  }

  // MARK: elements

  private mutating func start(_ element: XMLNode.Element) {
    depth += 1
    if root == nil { root = element.name }
    if ignored > 0 || !isReport {
      ignored += 1
    } else if part != nil {
      part?.startChild(element)
    } else if current != nil {
      part = JUnitXMLPart(element)
      if part == nil { ignored = 1 }
    } else {
      startOutside(element)
    }
  }

  private mutating func startOutside(_ element: XMLNode.Element) {
    switch element.name {
    case "testsuites", "testsuite": suites.append(JUnitXMLSuite(element))
    case "testcase": current = JUnitXMLCase(element, in: suites)
    case "failure", "error": part = JUnitXMLPart(element)
    default: ignored = 1
    }
  }

  private mutating func end() -> ReportedCase? {
    depth -= 1
    if depth == 0 { isClosed = true }
    if ignored > 0 {
      ignored -= 1
    } else if part?.isInChild == true {
      part?.endChild()
    } else if let ended = part {
      part = nil
      if current == nil { errors.append(runError(ended)) } else { current?.add(ended) }
    } else if let ended = current {
      current = nil
      cases += 1
      let found = ended.reported
      if !suites.isEmpty { suites[suites.count - 1].tally.add(found, ended) }
      return found
    } else if let ended = suites.popLast() {
      close(ended)
    }
    return nil
  }

  private mutating func close(_ suite: JUnitXMLSuite) {
    if let message = suite.disagreement {
      if notes.count(where: { $0.kind == .countsDisagree }) < Self.countNotesLimit {
        note(.countsDisagree, message)
      } else {
        hiddenCountNotes += 1
      }
    }
    if !suites.isEmpty { suites[suites.count - 1].tally.add(suite) }
  }

  private mutating func runError(_ part: JUnitXMLPart) -> RunError {
    if !suites.isEmpty { suites[suites.count - 1].tally.addOutside() }
    return RunError(
      stage: .suite, adapter: nil, message: part.failure.message, location: part.failure.location,
      suite: suites.last { $0.name != nil }?.name)
  }

  private mutating func note(_ kind: ReportReading.Note.Kind, _ message: String) {
    notes.append(ReportReading.Note(kind: kind, message: message))
  }
}

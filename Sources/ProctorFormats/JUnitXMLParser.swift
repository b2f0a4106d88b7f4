import ProctorModel

/// Understands the elements of one JUnit XML file, in order.
final class JUnitXMLParser: XMLHandler {
  /// Notes about totals kept of one file; a generator that counts otherwise does so in every suite.
  private static let countNotesLimit = 20
  /// Errors outside tests kept of one file.
  private static let errorsLimit = 1000

  private let sink: any CaseSink
  private var suites: [JUnitXMLSuite] = []
  /// The name of the suites around what comes now.
  private var suitePath = ""
  /// Of the case that is open.
  private var attributes = XMLAttributes()
  private var isInCase = false
  /// What the open case comes to if nothing more is said about it, and nothing more is wanted.
  private var pass: JUnitXMLPass?
  /// The open case once there is something to say about it but that it passed.
  private var current: JUnitXMLCase?
  private var part: JUnitXMLPart?
  /// How deep inside an element that means nothing to proctor.
  private var ignored = 0
  private var depth = 0
  private var root: String?
  private var isReport = false
  private var isClosed = false

  private var cases = 0
  private var unnamed = 0
  private var errors: [RunError] = []
  private var hiddenErrors = 0
  private var notes: [ReportReading.Note] = []
  private var hiddenCountNotes = 0
  private var claimsMore = false

  init(_ sink: some CaseSink) { self.sink = sink }

  // MARK: elements

  func start(_ tag: XMLTag) {
    depth += 1
    if depth == 1, root == nil { startRoot(tag) }
    if ignored > 0 || !isReport {
      ignored += 1
    } else if part != nil {
      part?.startChild(tag.element.name)
    } else if isInCase {
      part = JUnitXMLPart(tag.element)
      if part == nil { ignored = 1 } else { open() }
    } else if tag.isNamed("testcase") {
      attributes.set(tag)
      pass = sink.wantsPassed ? nil : JUnitXMLPass(tag, in: suitePath)
      isInCase = true
    } else {
      startOutside(tag.element)
    }
  }

  private func startRoot(_ tag: XMLTag) {
    let name = tag.element.name
    root = name
    isReport = JUnitXMLSuite.roots.contains(name)
  }

  private func startOutside(_ element: XMLElement) {
    switch element.name {
    case "testsuites", "testsuite":
      suites.append(JUnitXMLSuite(element))
      nameSuites()
    case "failure", "error": part = JUnitXMLPart(element)
    default: ignored = 1
    }
  }

  func text(_ bytes: UnsafeBufferPointer<UInt8>) {
    if part != nil, ignored == 0 { part?.append(bytes) }
  }

  func end() {
    depth -= 1
    if depth == 0 { isClosed = true }
    if ignored > 0 {
      ignored -= 1
    } else if part?.isInChild == true {
      part?.endChild()
    } else if let ended = part {
      part = nil
      if isInCase { current?.add(ended) } else { add(runError(ended)) }
    } else if isInCase {
      isInCase = false
      if current == nil, let pass { count(pass) } else { endCase() }
    } else if let ended = suites.popLast() {
      close(ended)
      nameSuites()
    }
  }

  private func nameSuites() {
    suitePath = suites.lazy.filter { !$0.isRoot }.compactMap(\.name).joined(separator: " > ")
  }

  // MARK: cases

  private func open() {
    if current == nil {
      current = JUnitXMLCase(attributes.element(named: "testcase"), in: suites)
    }
  }

  private func count(_ pass: JUnitXMLPass) {
    cases += 1
    if !suites.isEmpty { suites[suites.count - 1].tally.addPass(pass.fingerprint) }
    sink.pass(fingerprint: pass.fingerprint, durationMS: pass.durationMS)
  }

  private func endCase() {
    open()
    guard let ended = current else { return }
    current = nil
    cases += 1
    if !ended.isNamed { unnamed += 1 }
    let found = ended.reported
    if !suites.isEmpty { suites[suites.count - 1].tally.add(found, ended) }
    sink.take(found)
  }

  /// The case in which the file breaks off, if it is known to have failed; how any other would have
  /// ended is not known.
  private func endCutCase() {
    guard isInCase, var cut = current else { return }
    if let part { cut.add(part) }
    let found = cut.reported
    guard cut.isKnownToFail, found.outcome.countsAsFailed else { return }
    cases += 1
    sink.take(found)
  }

  // MARK: the end

  /// What the file came to, once there is no more of it.
  func finish(source: XMLByteSource, problem: XMLEventReader.Problem?) -> ReportReading {
    if problem != nil { endCutCase() }
    if hiddenCountNotes > 0 {
      note(.countsDisagree, "\(hiddenCountNotes) more suites whose totals do not fit")
    }
    if hiddenErrors > 0 {
      add(
        RunError(stage: .suite, adapter: nil, message: "\(hiddenErrors) more errors"), always: true)
    }
    if unnamed > 0 {
      note(.names, unnamed == 1 ? "1 test has no name" : "\(unnamed) tests have no name")
    }
    if let problem {
      noteEnd(problem, source)
    } else if !isReport {
      note(.malformed, "the root element is <\(root ?? "")>, which is no JUnit XML")
    }
    var reading = ReportReading(
      cases: cases, errors: errors, notes: source.notes + notes,
      isComplete: problem == nil && isReport && isClosed)
    reading.claimsMore = claimsMore
    return reading
  }

  /// Says whether the end or the middle of the file is what is wrong, and which case it hit.
  private func noteEnd(_ problem: XMLEventReader.Problem, _ source: XMLByteSource) {
    source.drain()
    let tail = source.tail.reversed().drop { $0 == 0x20 || (0x09...0x0d).contains($0) }
    let isWhole = tail.starts(with: "\(source.rootName)>".utf8.reversed())
    let name =
      isInCase
      ? current?.name ?? JUnitXMLCase(attributes.element(named: "testcase"), in: suites).name : nil
    let place = name.map { " in the case \"\($0)\"" } ?? ""
    if problem.isLimit {
      note(.refused, problem.message)
    } else if isWhole || isClosed {
      note(.malformed, "line \(problem.line)\(place): \(problem.message)")
    } else {
      note(
        .truncated, "the file ends at line \(problem.line)\(place), before its root element does")
    }
  }

  private func close(_ suite: JUnitXMLSuite) {
    if let message = suite.disagreement {
      claimsMore = claimsMore || suite.claimsMore
      if notes.count(where: { $0.kind == .countsDisagree }) < Self.countNotesLimit {
        note(.countsDisagree, message)
      } else {
        hiddenCountNotes += 1
      }
    }
    if !suites.isEmpty { suites[suites.count - 1].tally.add(suite) }
  }

  private func runError(_ part: JUnitXMLPart) -> RunError {
    if !suites.isEmpty { suites[suites.count - 1].tally.addOutside() }
    return RunError(
      stage: .suite, adapter: nil, message: part.failure.message, location: part.failure.location,
      suite: suites.last { $0.name != nil }?.name)
  }

  private func add(_ error: RunError, always: Bool = false) {
    if errors.count < Self.errorsLimit || always { errors.append(error) } else { hiddenErrors += 1 }
  }

  private func note(_ kind: ReportReading.Note.Kind, _ message: String) {
    notes.append(ReportReading.Note(kind: kind, message: message))
  }
}

import ProctorModel

/// An open `testsuite` or `testsuites`: what it says of itself and what it really holds.
struct JUnitXMLSuite {
  static let roots: Set<String> = ["testsuites", "testsuite", "testcase"]

  /// What was found, counted in each of the ways in which tools count.
  struct Tally {
    private var cases = 0
    private var failedCases = 0
    /// surefire: every attempt of a rerun test.
    private var attempts = 0
    private var failedAttempts = 0
    /// Several failures in one case, counted each.
    private var failureElements = 0
    /// node: tests and suites right below, a suite being one.
    private var children = 0
    private var failedChildren = 0
    /// pytest: a test that fails and then fails in tear-down is two cases and one test.
    private var repeats = 0
    private var outside = 0
    private var previous: UInt64?

    var hasFailed: Bool { failedCases > 0 || outside > 0 }

    /// A test that simply passed.
    mutating func addPass(_ fingerprint: UInt64) {
      cases += 1
      children += 1
      attempts += 1
      if fingerprint == previous { repeats += 1 }
      previous = fingerprint
    }

    mutating func add(_ found: ReportedCase, _ source: JUnitXMLCase) {
      let failed = found.outcome.countsAsFailed
      cases += 1
      children += 1
      failedCases += failed ? 1 : 0
      failedChildren += failed ? 1 : 0
      attempts += found.attempts.count
      failedAttempts += found.attempts.count { $0.outcome.countsAsFailed }
      failureElements += source.failureElements
      let identity = found.fingerprint
      if identity == previous { repeats += 1 }
      previous = identity
    }

    mutating func add(_ suite: JUnitXMLSuite) {
      let inner = suite.tally
      cases += inner.cases
      failedCases += inner.failedCases
      attempts += inner.attempts
      failedAttempts += inner.failedAttempts
      failureElements += inner.failureElements
      repeats += inner.repeats
      outside += inner.outside
      children += 1
      failedChildren += inner.hasFailed ? 1 : 0
    }

    mutating func addOutside() { outside += 1 }

    func fits(tests: Int) -> Bool {
      [cases, cases - repeats, attempts, children].contains(tests)
    }

    func fits(failures: Int) -> Bool {
      let counts = [failedCases, failedAttempts, failureElements, failedChildren]
      return counts.contains { failures == $0 || failures == $0 + outside }
    }

    /// Whether tools could count no more than this much in any way.
    func holds(tests: Int, failures: Int) -> Bool {
      let tested = max(cases, attempts, children)
      let failed = max(failedCases, failedAttempts, failureElements, failedChildren) + outside
      return tests <= tested && failures <= failed
    }

    var text: String { "\(cases) tests and \(failedCases + outside) failures" }
  }

  /// nil when it has none.
  let name: String?
  /// Whether it is the file's own bracket rather than a group of tests.
  let isRoot: Bool
  let file: String?
  var tally = Tally()
  private let tests: Int?
  /// Failures and errors together: tools do not agree on which is which.
  private let failures: Int?

  init(_ element: XMLElement) {
    let attributes = element.attributes
    name = attributes["name"].flatMap { $0.isEmpty ? nil : $0 }
    isRoot = element.name == "testsuites"
    file = (attributes["file"] ?? attributes["filepath"]).flatMap { $0.isEmpty ? nil : $0 }
    tests = attributes["tests"].flatMap(JUnitXMLNumber.count)
    let wrong = [attributes["failures"], attributes["errors"]].compactMap {
      $0.flatMap(JUnitXMLNumber.count)
    }
    failures = wrong.isEmpty ? nil : wrong.reduce(0) { $0.addingReportingOverflow($1).partialValue }
  }

  /// Whether its totals name more tests or failures than it holds.
  var claimsMore: Bool { !tally.holds(tests: tests ?? 0, failures: failures ?? 0) }

  /// In words, how its totals do not fit what it holds; nil when they do.
  var disagreement: String? {
    let fits =
      tests.map { tally.fits(tests: $0) } ?? true
      && failures.map { tally.fits(failures: $0) } ?? true
    guard !fits else { return nil }
    let said = [tests.map { "\($0) tests" }, failures.map { "\($0) failures" }].compactMap(\.self)
    let title = name.map { "the suite \"\($0)\"" } ?? "a suite without a name"
    return "\(title) says \(said.joined(separator: " and ")), but holds \(tally.text)"
  }
}

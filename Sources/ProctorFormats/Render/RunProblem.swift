import ProctorModel

/// What is wrong with a run and is no outcome of a test: an error outside tests, a test without an outcome, a verdict
/// that nothing else explains.
///
/// A format that only knows tests would leave it out and look green; there it stands as a test that failed.
struct RunProblem: Sendable {
  /// Why tests would not be there or not count.
  enum Kind: String, CaseIterable {
    case buildError = "build-error"
    case collectionError = "collection-error"
    case dependencyError = "dependency-error"
    case configurationError = "configuration-error"
    case suiteError = "suite-error"
    case noResult = "no-result"
    case verdict = "no-verdict"

    /// A sentence without its full stop.
    var meaning: String {
      switch self {
      case .buildError: "the code did not compile or link"
      case .collectionError: "test files could not be imported or collected"
      case .dependencyError: "a dependency or a tool is missing"
      case .configurationError: "the runner's configuration or a manifest is broken"
      case .suiteError: "the set-up or tear-down of a suite went wrong"
      case .noResult: "a test that was selected has no outcome"
      case .verdict: "the run as a whole is not green"
      }
    }

    init(_ stage: RunError.Stage) {
      self =
        switch stage {
        case .build: .buildError
        case .collection: .collectionError
        case .dependency: .dependencyError
        case .configuration: .configurationError
        case .suite: .suiteError
        }
    }
  }

  let kind: Kind
  /// One line: `build error in a (lib)`.
  let title: String
  let message: String
  let location: SourceLocation?
  /// The test that has no outcome.
  var test: TestCase?
  /// The same for the same problem in every run.
  let key: String

  init(_ error: RunError) {
    kind = Kind(error.stage)
    let place = (error.suite ?? error.adapter?.rawValue).map { " in \($0)" } ?? ""
    let code = error.code.map { " [\($0)]" } ?? ""
    title = ("\(error.stage.rawValue) error\(place)\(code)").harmless(multiline: false)
    message = error.message
    location = error.location
    key =
      "\(kind.rawValue)\n\(error.suite ?? "")\n\(error.location?.file ?? "")\n\(error.code ?? "")\n"
      + (error.message.unixLines.first ?? "")
  }

  init(missing test: TestCase) {
    kind = .noResult
    title = "no result: \(test.fullName)".harmless(multiline: false)
    message = "the test was listed and selected, and has no outcome"
    location = test.definition ?? test.file.map { SourceLocation(file: $0) }
    self.test = test
    key = "\(kind.rawValue)\n\(test.id)"
  }

  init(_ verdict: Verdict) {
    kind = .verdict
    title = verdict.title
    message = verdict.message ?? "the verdict is \(verdict.title)"
    location = nil
    key = kind.rawValue
  }
}

extension Report {
  /// What no outcome of a test says, the verdict first. Empty only when the verdict is `passed`, or failed tests alone
  /// explain it.
  var problems: [RunProblem] {
    let outside = errors.map { RunProblem($0) } + missing.map(RunProblem.init(missing:))
    return (needsVerdict(outside) ? [RunProblem(verdict)] : []) + outside
  }

  private func needsVerdict(_ outside: [RunProblem]) -> Bool {
    switch verdict.status {
    case .passed: false
    case .error, .noTests: true
    case .failed, .partialFailure: failed.isEmpty && outside.isEmpty
    }
  }

  var failed: [TestResult] { tests.filter { $0.outcome.countsAsFailed } }
  /// Flaky tests whose outcome is that they passed; the others are among the failed.
  var flakyPasses: [TestResult] { flaky.filter { $0.outcome == .passed } }
}

extension TestResult {
  /// All attempts but the one that decides, in order.
  var otherAttempts: [Attempt] {
    attempts.enumerated().filter { $0.offset != deciding }.map(\.element)
  }

  /// Where it went wrong, or else where the test starts; a file alone when no line is known.
  var place: SourceLocation? {
    let wrong = attempts.last { $0.outcome.countsAsFailed }
    return wrong?.failures.first?.location ?? test.definition
      ?? test.file.map { SourceLocation(file: $0) }
  }
}

extension Verdict {
  /// `passed`, `failed (build_failed)`, `no verdict (report_lost)`.
  var title: String {
    let word =
      switch status {
      case .passed: "passed"
      case .partialFailure, .failed: "failed"
      case .noTests: "no tests"
      case .error: "no verdict"
      }
    return reason.map { "\(word) (\($0.rawValue))" } ?? word
  }
}

extension Attempt {
  /// All that went wrong in it, each with its place and the way there; nil when it did not fail.
  var failureText: String? {
    guard outcome.countsAsFailed else { return nil }
    guard !failures.isEmpty else { return rawStatus }
    return failures.map { $0.text(or: rawStatus) }.joined(separator: "\n\n")
  }

  /// The first line of what went wrong.
  var failureLine: String { firstMessage.unixLines.first { !$0.isEmpty } ?? rawStatus }
}

extension Failure {
  /// The message, then `  at FILE:LINE:COLUMN`, then the user's own frames.
  /// - Parameter word: for a failure without a message.
  func text(or word: String) -> String {
    var lines = [message.isEmpty ? word : message]
    if let location { lines.append("  at \(location.text)") }
    lines += frames.map { frame in
      let place = SourceLocation(file: frame.file, line: frame.line).text
      return frame.function.map { "  in \($0) (\(place))" } ?? "  in \(place)"
    }
    return lines.joined(separator: "\n")
  }
}

extension CapturedText {
  /// nil when there is nothing to see in it.
  var visible: String? { text.allSatisfy(\.isWhitespace) ? nil : text }
}

extension String {
  /// Its start and its end when it is longer than so many bytes, and between them how much is missing.
  func bounded(_ bytes: Int) -> String {
    utf8.count <= bytes ? self : CapturedText(bytes: utf8, limit: bytes).text
  }
}

extension Double {
  /// Milliseconds that a clock can have shown; 0 for others.
  var clampedMS: Double { isFinite && self > 0 && self < 1e13 ? self : 0 }
  var wholeMS: Int { Int(clampedMS.rounded()) }

  /// Milliseconds as seconds with three decimals: `5.420`.
  var seconds3: String {
    let whole = wholeMS
    let rest = String(whole % 1000)
    return "\(whole / 1000).\(String(repeating: "0", count: 3 - rest.count))\(rest)"
  }
}

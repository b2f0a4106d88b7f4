import ProctorModel

/// Reports of every verdict, each of which a renderer could take for green, and contents that try to break out of a format.
enum RenderSamples {
  static func report(
    _ status: Verdict.Status, _ reason: Verdict.Reason? = nil, tests: [TestResult] = [],
    errors: [RunError] = [], missing: [TestCase] = []
  ) -> Report {
    var report = Report(
      verdict: Verdict(status: status, reason: reason, message: reason.map { "because \($0)" }),
      tests: tests, errors: errors, missing: missing, adapters: [], sandbox: nil, durationMS: 1234.5
    )
    report.beginning = Report.Beginning(date: 1_767_323_045.678)
    return report
  }

  static func failed(_ name: String, _ outcome: Outcome = .failed, _ message: String = "no")
    -> TestResult
  {
    TestResult(
      test: Samples.test(name),
      first: Attempt(
        outcome: outcome, rawStatus: outcome.rawValue, durationMS: 3,
        failures: [Failure(message: message)]))
  }

  /// Another test of a name that there is already.
  private static func alike(_ name: String) -> TestResult {
    let first = Samples.test(name)
    let test = TestCase(
      id: TestID(text: "\(first.id)#2"), project: first.project, suite: first.suite, name: name,
      fullName: first.fullName, nativeID: name)
    return TestResult(test: test, first: Attempt(outcome: .failed, rawStatus: "failed"))
  }

  static let flaky: TestResult = {
    var result = TestResult(
      test: Samples.test("test_flaky"),
      first: Attempt(
        outcome: .errored, rawStatus: "error", durationMS: 3,
        failures: [Failure(message: "connection refused")]),
      more: [
        Attempt(
          outcome: .failed, rawStatus: "failed", durationMS: 2,
          failures: [
            Failure(
              message: "no", location: SourceLocation(file: "src/net.py", line: 8, column: 2))
          ]), Attempt(outcome: .passed, rawStatus: "passed", durationMS: 1),
      ])
    result.isFlaky = true
    return result
  }()

  /// Every verdict, by name.
  static let all: [(String, Report)] =
    [
      ("mixed", Samples.mixed), ("green", Samples.green), ("unbuilt", Samples.unbuilt),
      ("unmatched", Samples.unmatched), ("lost", Samples.lost),
      ("error-without-tests", report(.error, .sandboxUnavailable)),
      ("error-with-green-tests", report(.error, .crashed, tests: [Samples.passed("a")])),
      (
        "missing-tests",
        report(.error, .testsMissing, tests: [Samples.passed("a")], missing: [Samples.test("b")])
      ),
      (
        "errors-outside-tests",
        report(.failed, .suiteFailed, tests: [Samples.passed("a")], errors: [Samples.buildError])
      ),
      ("all-skipped", report(.noTests, .allSkipped, tests: [Samples.skipped])),
      ("no-tests", report(.noTests, .nothingDetected)),
      ("failed-without-a-reason", report(.failed)),
      ("failed-with-green-tests", report(.failed, .testsFailed, tests: [Samples.passed("a")])),
      ("flaky-green", report(.passed, tests: [flaky])),
      ("flaky-red", report(.failed, .testsFailed, tests: [flaky])),
      ("two-alike", report(.failed, .testsFailed, tests: [failed("a"), alike("a"), failed("")])),
      (
        "many",
        report(.failed, .testsFailed, tests: (1...60).map { failed("t\($0)", .failed, word($0)) })
      ),
      ("hostile", hostile),
    ] + outcomes

  private static let outcomes: [(String, Report)] = [
    Outcome.failed, .errored, .timedOut, .crashed,
  ].map { ("only-\($0.rawValue)", report(.failed, .testsFailed, tests: [failed("a", $0)])) }

  /// Letters only, so that none is like another.
  private static func word(_ number: Int) -> String {
    String(repeating: "a", count: number % 26 + 1) + String(repeating: "z", count: number / 26)
  }

  static let nasty = [
    "line\nbreak\r\nand\ttab", "]]>", "nul\u{0}bell\u{7}", "\u{fffe}\u{ffff}",
    "pipe | `tick` ``` **bold**",
    "::error::injected", "\n::error file=x::injected", "##[error]injected",
    "##vso[task.complete result=Succeeded]",
    "##teamcity[buildStatus status='SUCCESS']",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "</details></summary><h2>✅</h2>", "# SKIP", "a # TODO later", "not ok 1 - x\nok 2 # SKIP",
    "  ...\nBail out!",
    "@everyone https://example.org www.example.org", "%0A::error::x,y:z=1", "'|[]|0x0041",
    "\u{1b}[31mred\u{1b}[0m",
    "\u{202e}left", "\u{85}\u{2028}\u{2029}", "| a | b |\n|---|---|", "![x](y)",
    "```\n</details>\n```", "&amp; &#60;",
    "\u{1F600} é", "  ", "https://example.org/::error::",
  ]

  static let hostile: Report = {
    let long = String(repeating: "x", count: 1_000_000)
    let tests = nasty.map { text in
      TestResult(
        test: TestCase(
          id: TestID(text: "pytest:.:\(text)"), project: Samples.pytest, suite: text, name: text,
          fullName: text, definition: SourceLocation(file: text, line: 3), nativeID: text),
        first: Attempt(
          outcome: .failed, rawStatus: text, durationMS: .nan,
          failures: [
            Failure(
              message: text, location: SourceLocation(file: text, line: 1),
              frames: [Frame(function: text, file: text, line: nil)])
          ], stdout: CapturedText(text: text), stderr: CapturedText(text: text + "\n" + text)))
    }
    return report(
      .partialFailure, .testsFailed,
      tests: tests + [failed("long", .failed, long), Samples.passed("ok")],
      errors: nasty.map {
        RunError(
          stage: .build, adapter: Samples.pytest.adapter, message: $0,
          location: SourceLocation(file: $0, line: 2), code: $0, suite: $0)
      }, missing: nasty.map { Samples.test($0, file: $0) })
  }()
}

import ProctorModel

/// Answers that use every part of the model, for the renderers' goldens.
enum Samples {
  static let pytest = Project(
    adapter: AdapterID(rawValue: "pytest"), root: ".", evidence: "pyproject.toml at the root")
  static let cargo = Project(
    adapter: AdapterID(rawValue: "cargo"), root: "crates/a%:b\u{1b}[2J",
    evidence: "Cargo.toml at crates/a%:b")

  static func test(
    _ name: String, in project: Project = pytest, line: Int? = 3, file: String? = "tests/test_a.py"
  ) -> TestCase {
    let full = "\(file ?? "s")::\(name)"
    return TestCase(
      id: TestID(project: project, fullName: full), project: project, suite: file ?? "s",
      name: name, fullName: full,
      definition: file.map { SourceLocation(file: $0, line: line) }, file: file, nativeID: name)
  }

  static func passed(_ name: String) -> TestResult {
    TestResult(
      test: test(name),
      first: Attempt(outcome: .passed, rawStatus: "passed", durationMS: 1.23456))
  }

  static let failing = TestResult(
    test: test("test_\u{1b}[31mred\u{202e}"),
    first: Attempt(outcome: .failed, rawStatus: "failed", durationMS: 3),
    more: [
      Attempt(
        outcome: .failed, rawStatus: "failed", durationMS: 24.0004,
        failures: [
          Failure(
            message: "assert \u{1b}]0;title\u{7} \"ü\"/1 == 2\r\n  second line",
            location: SourceLocation(file: "src/auth.py", line: 42, column: 7),
            frames: [
              Frame(function: "check", file: "src/auth.py", line: 42),
              Frame(function: nil, file: "tests/test_a.py", line: nil),
            ]),
          Failure(
            message: "then tear-down", location: SourceLocation(file: "conftest.py", line: 9)),
        ],
        stdout: CapturedText(
          text: (1...14).map { "line \($0)\r\n" }.joined(), omittedBytes: 512),
        stderr: CapturedText(text: "  \n"), startedMS: 612.34567, worker: "gw1")
    ])

  static let crashed = TestResult(
    test: test("dies", in: cargo, file: nil),
    first: Attempt(
      outcome: .crashed, rawStatus: "crashed", durationMS: .infinity,
      failures: [Failure(message: "")]))

  static let skipped = TestResult(
    test: test("test_later", line: nil),
    first: Attempt(outcome: .skipped, rawStatus: "xfail", note: "known bug"))

  static let buildError = RunError(
    stage: .build, adapter: cargo.adapter,
    message: "cannot find function `validate_email` in this scope",
    location: SourceLocation(file: "src/lib.rs", line: 5, column: 9), code: "E0425",
    suite: "a (lib)")

  static let receipt: SandboxReceipt = {
    var denials = Denials()
    for _ in 1...3 {
      denials.add(
        Denial(
          kind: .network, target: "192.0.2.1:80", rule: "no network",
          setting: "allow_network_access"))
    }
    denials.add(
      Denial(
        kind: .unixSocket, target: "/run/\u{1b}[1m.sock", rule: "default-deny files", setting: nil)
    )
    return SandboxReceipt(
      backend: "namespaces", layers: ["user namespace", "network namespace"],
      workspace: "protected", network: "none",
      limits: ResourceLimits(wallSeconds: 600, memoryMB: 4096, fileOperations: 0),
      limitsBy: "cgroup v2", missing: ["the number of processes is not limited"], denied: denials,
      reached: [
        ReachedLimit(.processes, evidence: "the kernel refused 12 processes", isFatal: false)
      ])
  }()

  static let mixed: Report = {
    var report = untimed
    report.beginning = Report.Beginning(date: 1_767_323_045.678, codeState: "8c1f0000000000aa")
    return report
  }()

  private static let untimed = Report(
    verdict: Verdict(status: .partialFailure, reason: .testsFailed, message: "2 of 4 tests failed"),
    tests: [passed("test_ok"), failing, crashed, skipped], errors: [buildError],
    missing: [test("test_gone")],
    adapters: [
      AdapterReport(
        project: pytest, version: "9.0.3", counts: Counts([passed("test_ok"), failing, skipped]),
        commands: [
          AdapterReport.Command(
            purpose: .run, argv: ["python3", "-m", "pytest", "{{files}}/selection.json"],
            status: .exited(1), durationMS: 812.3456, peakMemoryMB: 48.5, cpuMS: 640,
            startedMS: 80.1234,
            samples: [
              UsageSample(elapsedMS: 100.4, cpuPercent: 98.7, memoryMB: 47.26),
              UsageSample(elapsedMS: 200, cpuPercent: nil, memoryMB: nil),
            ])
        ], durationMS: 900),
      AdapterReport(
        project: cargo, version: nil, counts: Counts([crashed]),
        commands: [
          AdapterReport.Command(
            purpose: .build, argv: ["cargo", "test", "--no-run"], status: nil, durationMS: 5),
          AdapterReport.Command(
            purpose: .run, argv: ["a"], status: .signaled(11), durationMS: 7),
        ], durationMS: 59_960, output: CapturedText(text: "\u{1b}[1mlast\u{1b}[0m words\n")),
    ], sandbox: receipt, durationMS: 5420.1239)

  static let green = Report(
    verdict: Verdict(status: .passed), tests: [passed("test_ok")], errors: [], missing: [],
    adapters: [], sandbox: receipt, durationMS: 85)

  static let unbuilt = Report(
    verdict: Verdict(status: .failed, reason: .buildFailed, message: "the code does not build"),
    tests: [], errors: [buildError], missing: [], adapters: [], sandbox: nil, durationMS: 999.6)

  static let unmatched = Report(
    verdict: Verdict(
      status: .noTests, reason: .emptySelection, message: "no test is named tset_ok"),
    tests: [], errors: [], missing: [], adapters: [], sandbox: nil, durationMS: 3,
    suggestions: ["test_ok"])

  static let lost = Report(
    verdict: Verdict(
      status: .error, reason: .reportLost, message: "the report of pytest ends before its end"),
    tests: [passed("test_ok")], errors: [], missing: [test("test_gone")], adapters: [],
    sandbox: nil, durationMS: 3)

  static let listing = Listing(
    tests: [test("test_ok"), test("bare", in: cargo, file: nil)], errors: [buildError],
    projects: [pytest, cargo],
    verdict: Verdict(status: .failed, reason: .buildFailed, message: "the code does not build"))

  static let status = StatusAnswer(
    proctorVersion: "1.0.0",
    isolation: [.init(name: "bubblewrap", available: true, detail: "tried")],
    host: [.init(name: "cgroup v2", available: false, detail: "not delegated")],
    runners: [
      .init(
        adapter: pytest.adapter, root: ".", evidence: "pytest.ini", tool: "/usr/bin/python3",
        version: "3.11", problem: nil),
      .init(
        adapter: cargo.adapter, root: "a", evidence: "Cargo.toml", tool: nil, version: nil,
        problem: "cargo is missing"),
    ],
    configuration: .init(
      file: false, isolation: "auto",
      tests: ResourceLimits(wallSeconds: 600, memoryMB: 4096), fetch: false))
}

/// A whole run, accounted for: what every renderer renders.
public struct Report: Sendable {
  public let verdict: Verdict
  /// Every test of the selection that has an outcome, in listing order.
  public let tests: [TestResult]
  /// Errors outside any test, duplicates removed.
  public let errors: [RunError]
  /// Listed and selected, but without an outcome.
  public let missing: [TestCase]
  public let adapters: [AdapterReport]
  /// The weakest sandbox that was in force; nil when nothing ran.
  public let sandbox: SandboxReceipt?
  /// Wall-clock milliseconds of the whole run.
  public let durationMS: Double
  /// Nearest names when a name matched nothing.
  public let suggestions: [String]
  /// What tests wrote to the protected workspace.
  public let writes: [WorkspaceWrite]
  /// When it began; nil when nothing ran.
  public var beginning: Beginning?
  /// What was asked for, a filter or a test; nil for everything.
  public var selection: String?
  /// How what ran differs from the workspace; nil when it was the workspace itself.
  public var change: CandidateChange?
  /// What else is to be known about how it was run: sentences, whole.
  public var notes: [String] = []
  /// What flaky tests meant for the verdict.
  public var flakyPolicy = FlakyPolicy.warn
  /// How often everything was run, where it was to be run several times.
  public var repetitions: Int?
  /// nil for tests in their usual order.
  public var shuffle: Shuffle?
  /// The part of a divided run that it is; nil for a whole run.
  public var shard: Shard?
  /// Tests that a report which was read again counts and does not list; nil when `tests` has all.
  public var unlisted: Counts?
  /// The files that it was read from; nil for a run.
  public var reading: Reading?
  /// Writes that answers list.
  public static let writesListed = 200

  public init(
    verdict: Verdict, tests: [TestResult], errors: [RunError], missing: [TestCase],
    adapters: [AdapterReport], sandbox: SandboxReceipt?, durationMS: Double,
    suggestions: [String] = [], writes: [WorkspaceWrite] = []
  ) {
    self.verdict = verdict
    self.tests = tests
    self.errors = errors
    self.missing = missing
    self.adapters = adapters
    self.sandbox = sandbox
    self.durationMS = durationMS
    self.suggestions = suggestions
    self.writes = writes
  }

  public var counts: Counts {
    if let reading { return reading.counts }
    let listed = Counts(tests)
    return unlisted.map { listed + $0 } ?? listed
  }

  public var flaky: [TestResult] { tests.filter(\.isFlaky) }
  public var quarantined: [TestResult] { tests.filter { $0.quarantined != nil } }
}

extension Report {
  /// The order that tests were put into.
  public struct Shuffle: Hashable, Sendable {
    /// What the same order can be had by, up to 2^32 - 1.
    public let seed: UInt64
    /// Those whose tests were seen to run in that order.
    public let projects: [Project]

    public init(seed: UInt64, projects: [Project]) {
      self.seed = seed
      self.projects = projects
    }
  }

  /// The moment and the code that a run began with.
  public struct Beginning: Hashable, Sendable {
    /// Seconds since 1970, UTC.
    public let date: Double
    /// Equal for runs between which no file of the workspace changed, by name, size and date; nil when that was not
    /// looked at.
    public let codeState: String?

    public init(date: Double, codeState: String? = nil) {
      self.date = date
      self.codeState = codeState
    }
  }
}

/// One test and everything it did.
public struct TestResult: Hashable, Sendable {
  public let test: TestCase
  /// In the order in which they were made; never empty.
  public let attempts: [Attempt]
  /// Which of the attempts is the final outcome.
  public let deciding: Int
  /// It failed and it passed, on the same code.
  public var isFlaky = false
  /// What its final outcome would be without the quarantine file; nil when that is not concerned.
  public var quarantined: QuarantinedFailure?

  /// - Parameter everyMustPass: the last failed attempt decides, else the last of all.
  public init(
    test: TestCase, first: Attempt, more: [Attempt] = [], everyMustPass: Bool = false
  ) {
    self.test = test
    attempts = [first] + more
    let failed = everyMustPass ? attempts.lastIndex { $0.outcome.countsAsFailed } : nil
    deciding = failed ?? attempts.count - 1
  }

  /// nil when there is no attempt.
  public init?(test: TestCase, attempts: [Attempt], everyMustPass: Bool = false) {
    guard let first = attempts.first else { return nil }
    self.init(
      test: test, first: first, more: Array(attempts.dropFirst()), everyMustPass: everyMustPass)
  }

  /// Its failure kept out of the verdict.
  public init(_ result: TestResult, quarantined failure: QuarantinedFailure) {
    test = result.test
    deciding = result.deciding
    var attempts = result.attempts
    attempts[deciding] = failure.standIn
    self.attempts = attempts
    quarantined = failure
  }

  /// What really happened, where an attempt has a stand-in as well.
  public var executions: [Attempt] {
    var result = attempts
    if let quarantined { result[deciding] = quarantined.attempt }
    return result
  }

  /// The attempt that decides: the last, or where each had to pass the last that failed.
  public var last: Attempt { attempts[deciding] }
  public var outcome: Outcome { last.outcome }
}

/// Totals: `total` = passed + failed + skipped.
public struct Counts: Hashable, Sendable {
  public let passed: Int
  public let failed: Int
  public let skipped: Int
  public var total: Int { passed + failed + skipped }

  public init(passed: Int, failed: Int, skipped: Int) {
    self.passed = passed
    self.failed = failed
    self.skipped = skipped
  }

  public init(_ tests: [TestResult]) {
    passed = tests.count { $0.outcome == .passed }
    failed = tests.count { $0.outcome.countsAsFailed }
    skipped = tests.count { $0.outcome == .skipped }
  }

  public static func + (left: Counts, right: Counts) -> Counts {
    Counts(
      passed: left.passed + right.passed, failed: left.failed + right.failed,
      skipped: left.skipped + right.skipped)
  }
}

/// What one project's runner did.
public struct AdapterReport: Sendable {
  public struct Command: Sendable {
    public let purpose: Invocation.Purpose
    /// As it ran, placeholders shown as such.
    public let argv: [String]
    /// nil when it could not be started.
    public let status: ExitStatus?
    public let durationMS: Double
    /// Peak memory of the whole process tree in megabytes; nil when it could not be measured.
    public let peakMemoryMB: Double?
    /// Milliseconds of processor time of the whole process tree.
    public let cpuMS: Double?
    /// Milliseconds between the run's beginning and its own; nil when unknown.
    public let startedMS: Double?
    /// What it used while it ran, in the order of time.
    public let samples: [UsageSample]

    public init(
      purpose: Invocation.Purpose, argv: [String], status: ExitStatus?, durationMS: Double,
      peakMemoryMB: Double? = nil, cpuMS: Double? = nil, startedMS: Double? = nil,
      samples: [UsageSample] = []
    ) {
      self.purpose = purpose
      self.argv = argv
      self.status = status
      self.durationMS = durationMS
      self.peakMemoryMB = peakMemoryMB
      self.cpuMS = cpuMS
      self.startedMS = startedMS
      self.samples = samples
    }
  }

  public let project: Project
  /// The tool's version, when known.
  public let version: String?
  public let counts: Counts
  public let commands: [Command]
  public let durationMS: Double
  /// The end of what the runner printed, when that helps to understand an error.
  public let output: CapturedText?

  public init(
    project: Project, version: String?, counts: Counts, commands: [Command], durationMS: Double,
    output: CapturedText? = nil
  ) {
    self.project = project
    self.version = version
    self.counts = counts
    self.commands = commands
    self.durationMS = durationMS
    self.output = output
  }
}

/// What a listing answers.
public struct Listing: Sendable {
  public let tests: [TestCase]
  public let errors: [RunError]
  public let projects: [Project]
  public let verdict: Verdict

  public init(tests: [TestCase], errors: [RunError], projects: [Project], verdict: Verdict) {
    self.tests = tests
    self.errors = errors
    self.projects = projects
    self.verdict = verdict
  }
}

/// What happens while a run goes on, for live views.
public enum Progress: Sendable {
  case detected([Project])
  /// An invocation of a project began: `building`, `running tests`.
  case began(Project, title: String)
  case listed(TestCase)
  case started(TestID)
  case finished(TestResult)
  case error(RunError)
  /// A project has nothing more to do.
  case done(Project)
  /// What the running command of a project uses, some times a second.
  case usage(Project, UsageSample)
  /// An attack of the self-test was made.
  case attacked(SelfTestAnswer.Attack)
}

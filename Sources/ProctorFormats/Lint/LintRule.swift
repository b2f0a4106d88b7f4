/// A limit of a platform, and how a file is seen to be past it.
struct LintRule {
  let platform: LintPlatform?
  let formats: Set<LintFormat>
  let code: String
  /// Where the limit is written down.
  let source: String
  /// nil when nothing is lost.
  let check: @Sendable (LintFacts, _ name: String) -> Hit?

  struct Hit {
    let count: Int
    let message: String
    var examples: [String] = []
  }

  func finding(_ facts: LintFacts, _ format: LintFormat, _ name: String) -> LintFinding? {
    guard formats.contains(format), let hit = check(facts, name) else { return nil }
    return LintFinding(self, hit)
  }

  static let all: [LintRule] = general + github + gitlab + jenkins + buildkite

  // MARK: for everyone

  private static let general = [
    LintRule(
      platform: nil, formats: [.junit, .ctrf, .sarif, .codeQuality, .tap], code: "malformed",
      source: "the format"
    ) { facts, _ in
      facts.malformed.map {
        Hit(count: 1, message: "readers refuse it, or lose what follows: \($0)")
      }
    },
    tally(
      nil, [.ctrf, .sarif], "incomplete", \.incomplete, "lack what the format's schema requires",
      "the format's schema"),
  ]

  // MARK: GitHub

  private static let annotations =
    "GitHub's documentation, Workflow commands; github.com/orgs/community/discussions/26680"
  private static let codeScanning =
    "GitHub's documentation, SARIF support for code scanning and SARIF results exceed limits"

  private static let github: [LintRule] = [
    LintRule(
      platform: .github, formats: [.junit, .ctrf], code: "too_many_annotations",
      source: annotations
    ) { facts, _ in
      facts.failing.count <= GitHubRenderer.limit
        ? nil
        : Hit(
          count: facts.failing.count - GitHubRenderer.limit,
          message: "failures beyond the \(GitHubRenderer.limit) errors that are shown of a step")
    },
    tally(
      .github, [.junit, .ctrf], "no_location", \.placeless,
      "failures name no file and line: they cannot be shown beside the code", annotations),
    tally(
      .github, [.junit], "several_failures", \.severalFailures,
      "tests have several failures: actions that read the file show the first",
      "github.com/dorny/test-reporter"),
    tally(
      .github, [.junit], "nested_suites", \.nestedSuites,
      "suites stand in suites: actions that read the file leave their tests out",
      "github.com/dorny/test-reporter/issues/701"),
    LintRule(
      platform: .github, formats: [.sarif], code: "too_many_results", source: codeScanning
    ) { facts, _ in
      switch facts.fullestRun {
      case ...5000: nil
      case ...SARIFRenderer.resultLimit:
        Hit(
          count: facts.fullestRun - 5000,
          message: "results beyond the 5000 of a run that are shown")
      default:
        Hit(
          count: facts.fullestRun,
          message: "results: a run with more than \(SARIFRenderer.resultLimit) is refused")
      }
    },
    LintRule(
      platform: .github, formats: [.sarif], code: "too_many_runs", source: codeScanning
    ) { facts, _ in
      facts.runs <= 20 ? nil : Hit(count: facts.runs, message: "runs: more than 20 are refused")
    },
    tally(
      .github, [.sarif], "no_location", \.placeless,
      "results have no file and line: code scanning does not show them", codeScanning),
  ]

  // MARK: GitLab

  private static let unitTests = "GitLab's documentation, Unit test reports"
  private static let junitParser = "GitLab's source, lib/gitlab/ci/parsers/test/junit.rb"
  private static let codeQuality =
    "GitLab's documentation, Code Quality; its source, parsers/codequality/code_climate.rb"

  private static let gitlab: [LintRule] = [
    LintRule(
      platform: .gitlab, formats: [.junit], code: "file_too_large", source: unitTests
    ) { facts, _ in
      facts.bytes < JUnitRenderer.sizeLimit
        ? nil
        : Hit(count: 1, message: "it has \(facts.bytes) bytes: files from 30 MB on are refused")
    },
    LintRule(
      platform: .gitlab, formats: [.junit], code: "too_many_tests", source: unitTests
    ) { facts, _ in
      facts.items <= 500_000
        ? nil
        : Hit(count: facts.items, message: "tests: gitlab.com reads up to 500000 of a file")
    },
    LintRule(
      platform: .gitlab, formats: [.junit], code: "wrong_suffix", source: unitTests
    ) { _, name in
      name.hasSuffix(".xml") ? nil : Hit(count: 1, message: "its name does not end in .xml")
    },
    tally(
      .gitlab, [.junit], "duplicate_names", \.duplicates,
      "tests have the class and name of one before: the first is taken", unitTests),
    tally(
      .gitlab, [.junit], "long_names", \.longNames,
      "names are cut to 255 characters where failures are remembered",
      "GitLab's source, app/models/ci/unit_test.rb"),
    tally(
      .gitlab, [.junit], "several_failures", \.severalFailures,
      "tests have several failures: they run into each other, and errors beside a failure are dropped",
      junitParser),
    tally(
      .gitlab, [.junit], "outside_tests", \.outside,
      "failures stand in a suite and not in a test: they are dropped", junitParser),
    tally(
      .gitlab, [.junit], "attempts", \.attempts, "attempts of tests are dropped", junitParser),
    LintRule(
      platform: .gitlab, formats: [.junit], code: "lone_case", source: junitParser
    ) { facts, _ in
      facts.isLoneCase
        ? Hit(count: 1, message: "the root is a test without a suite: it is dropped") : nil
    },
    tally(
      .gitlab, [.codeQuality], "incomplete", \.incomplete,
      "entries lack a description, fingerprint, path, line or known severity: they and those after them are dropped",
      codeQuality),
    tally(
      .gitlab, [.codeQuality], "duplicate_fingerprints", \.duplicates,
      "entries have the fingerprint of one before: one is shown", codeQuality),
  ]

  // MARK: Jenkins

  private static let jenkinsCase = "Jenkins' junit-plugin, CaseResult.java"

  private static let jenkins: [LintRule] = [
    tally(
      .jenkins, [.junit], "several_failures", \.severalFailures,
      "tests have several failures: the first error is shown, or else the first failure",
      jenkinsCase),
    tally(
      .jenkins, [.junit], "output_cut", \.longOutput,
      "tests print more than the 1000 characters that are kept of one that passed, or the 100000 of one that failed",
      jenkinsCase),
    tally(
      .jenkins, [.junit], "outside_tests", \.outsideFailures,
      "failures stand in a suite and not in a test: only an error is read there",
      "Jenkins' junit-plugin, SuiteResult.java"),
    tally(
      .jenkins, [.junit], "unknown_attributes", \.strangeAttributes,
      "tests have attributes that junit-10.xsd does not know: the xUnit plugin refuses the file",
      "Jenkins' xunit-plugin, junit-10.xsd"),
    LintRule(
      platform: .jenkins, formats: [.tap], code: "no_plan", source: "the TAP specification"
    ) { facts, _ in
      facts.hasPlan ? nil : Hit(count: 1, message: "it has no plan: what is missing is not seen")
    },
  ]

  // MARK: Buildkite

  private static let testEngine = "Buildkite's documentation, Importing JUnit XML"

  private static let buildkite: [LintRule] = [
    tally(
      .buildkite, [.junit], "no_name", \.nameless, "tests have no name, which is required",
      testEngine),
    tally(
      .buildkite, [.junit], "no_class_name", \.classless,
      "tests have no classname, which is required", testEngine),
  ]

  private static func tally(
    _ platform: LintPlatform?, _ formats: Set<LintFormat>, _ code: String,
    _ path: any KeyPath<LintFacts, LintTally> & Sendable, _ message: String, _ source: String
  ) -> LintRule {
    LintRule(platform: platform, formats: formats, code: code, source: source) { facts, _ in
      let tally = facts[keyPath: path]
      return tally.count == 0
        ? nil : Hit(count: tally.count, message: message, examples: tally.examples)
    }
  }
}

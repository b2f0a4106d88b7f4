import Foundation
import ProctorModel
import Testing

@testable import ProctorFormats

struct ReportLintTests {
  /// A file of `fixtures/lint`, and each finding with its count, read off the file by hand.
  static let files: [(String, [String])] = [
    (
      "everything.xml",
      [
        "github no_location 1", "github several_failures 1", "github nested_suites 1",
        "gitlab duplicate_names 1", "gitlab several_failures 1", "gitlab outside_tests 1",
        "gitlab attempts 1",
        "jenkins several_failures 1", "jenkins unknown_attributes 1",
        "buildkite no_name 1", "buildkite no_class_name 1",
      ]
    ),
    ("truncated.xml", ["everyone malformed 1"]),
    ("small.ctrf.json", ["everyone incomplete 2", "github no_location 1"]),
    ("small.sarif", ["github no_location 1"]),
    ("quality.json", ["gitlab incomplete 2", "gitlab duplicate_fingerprints 1"]),
    ("planless.tap", ["jenkins no_plan 1"]),
  ]

  private static func lint(
    _ data: Data, _ name: String = "report.xml", for platforms: [LintPlatform]? = nil
  ) throws -> LintAnswer {
    try #require(ReportLint.examine(data, name: name, platforms: platforms))
  }

  private static func words(_ answer: LintAnswer) -> [String] {
    answer.findings.map { "\($0.platform?.rawValue ?? "everyone") \($0.code) \($0.count)" }
  }

  @Test(arguments: files)
  func `what would be lost is told`(_ name: String, _ expected: [String]) throws {
    let data = try Data(contentsOf: Golden.repository.appending(path: "fixtures/lint/\(name)"))
    let answer = try Self.lint(data, name)
    #expect(Self.words(answer) == expected)
    #expect(try Validator.problems(answer.json, "lint_report") == nil)
    #expect(TextSummary.render(answer, of: name, style: .plain).contains("LOSSY \(name)"))
  }

  /// Nothing is lost of what proctor writes, but where many tests fail, and where no line is known.
  @Test(arguments: [
    ("junit", "report.xml"), ("ctrf", "report.json"), ("sarif", "report.sarif"),
    ("gitlab", "report.json"), ("tap", "report.tap"),
  ])
  func `what proctor writes is whole`(_ format: String, _ name: String) throws {
    let renderer = try #require(RenderFormat.named(format))
    let context = RenderContext(workspace: "shop", version: "1", date: 0, nonce: "")
    let failing = TestResult(
      test: Samples.test("red"),
      first: Attempt(
        outcome: .failed, rawStatus: "failed",
        failures: [Failure(message: "no", location: SourceLocation(file: "src/a.py", line: 4))]))
    let report = RenderSamples.report(
      .partialFailure, .testsFailed, tests: [Samples.passed("green"), failing],
      errors: [Samples.buildError])
    let answer = try Self.lint(renderer.render(report, context).data, name)
    #expect(Self.words(answer) == [])
  }

  @Test func `limits of size and number`() throws {
    func xml(_ cases: String) -> Data { Data("<testsuite name='s'>\(cases)</testsuite>".utf8) }
    let failures = (1...13).map {
      "<testcase classname='c' name='t\($0)'><failure>at a.py:1</failure></testcase>"
    }.joined()
    #expect(Self.words(try Self.lint(xml(failures))) == ["github too_many_annotations 3"])
    let loud = String(repeating: "o", count: 1001)
    #expect(
      Self.words(
        try Self.lint(
          xml("<testcase classname='c' name='t'><system-out>\(loud)</system-out></testcase>")))
        == ["jenkins output_cut 1"])
    let long = String(repeating: "n", count: 256)
    #expect(
      Self.words(try Self.lint(xml("<testcase classname='c' name='\(long)'/>"))) == [
        "gitlab long_names 1"
      ])
    let value = String(repeating: "x", count: 1_000_000)
    let properties = String(repeating: "<property name='p' value='\(value)'/>", count: 30)
    let large = xml("<properties>\(properties)</properties><testcase classname='c' name='t'/>")
    #expect(Self.words(try Self.lint(large)) == ["gitlab file_too_large 1"])
    let result =
      #"{"message": {"text": "m"}, "locations": [{"physicalLocation": {"artifactLocation": {"uri": "a"}, "region": {"startLine": 1}}}]}"#
    let results = Array(repeating: result, count: 5002).joined(separator: ",")
    #expect(
      Self.words(
        try Self.lint(
          Data(#"{"version": "2.1.0", "runs": [{"results": [\#(results)]}]}"#.utf8), "a.sarif"))
        == ["github too_many_results 2"])
  }

  @Test func `only what was asked for, and what is not read at all`() throws {
    let data = try Data(contentsOf: Golden.repository.appending(path: "fixtures/lint/small.sarif"))
    let answer = try Self.lint(data, "small.sarif", for: [.gitlab])
    #expect(Self.words(answer) == ["gitlab not_read 1"])
  }

  @Test(arguments: ["", "hello", "{}", "{\"a\": 1}", "\u{0}\u{1}", "okay then"])
  func `what is no report is none`(_ text: String) {
    #expect(ReportLint.examine(Data(text.utf8), name: "x", platforms: nil) == nil)
  }

  @Test(arguments: [
    "<html/>", "<testsuite", "<!DOCTYPE x><testsuite/>", "[1, 2", "[7]", "{\"runs\": 4}",
    "1..3\nok 1\n", "ok 1\nBail out! no disk",
  ])
  func `broken ones are said to be`(_ text: String) throws {
    let answer = ReportLint.examine(Data(text.utf8), name: "x.xml", platforms: nil)
    guard let answer else { return #expect(text == "{\"runs\": 4}") }
    #expect(
      ["malformed", "incomplete"].contains(answer.findings.first?.code), "\(Self.words(answer))")
  }
}

import FoundationEssentials
public import ProctorModel

/// SARIF 2.1.0 (OASIS standard): a result for each thing that is wrong, none for what passed.
///
/// Rules are proctor's outcomes and the kinds of what is wrong outside tests. A physical location stands only where one is
/// known; GitHub's code scanning shows results with one only.
public struct SARIFRenderer: Renderer {
  public let name = "sarif"
  public let suffix = ".sarif"
  /// Results of a run; GitHub refuses a file with more.
  static let resultLimit = 25_000
  private static let messageLimit = 20_000

  public init() {}

  public func render(
    _ report: Report, _ context: RenderContext
  ) throws(RenderError) -> Rendering {
    let all =
      report.problems.map { SARIFResult($0, context, Self.messageLimit) }
      + report.failed.map { SARIFResult($0, context, Self.messageLimit) }
      + report.flakyPasses.map { SARIFResult(flaky: $0, context, Self.messageLimit) }
    let omitted = max(0, all.count - Self.resultLimit)
    let notes =
      omitted == 0 ? [] : ["\(omitted) results are left out: \(Self.resultLimit) are the limit"]
    let log = SARIFLog(
      report, context, Array(all.prefix(Self.resultLimit)), notes: notes)
    return Rendering(ContractJSON.encode(log), notes: notes)
  }
}

private struct SARIFText: Encodable { let text: String }

private struct SARIFLog: Encodable {
  struct Rule: Encodable {
    let id: String
    let shortDescription: SARIFText
  }

  struct Driver: Encodable {
    let name = "proctor"
    let version: String
    let rules: [Rule]
  }

  struct Tool: Encodable { let driver: Driver }

  struct Notification: Encodable {
    let level: String
    let message: SARIFText
  }

  struct Invocation: Encodable {
    let executionSuccessful: Bool
    let startTimeUtc: String
    let toolExecutionNotifications: [Notification]?
  }

  struct Properties: Encodable {
    let status: Verdict.Status
    let reason: Verdict.Reason?
    let passed: Int
    let failed: Int
    let skipped: Int
    let commit: String?
  }

  struct Run: Encodable {
    let tool: Tool
    let invocations: [Invocation]
    let results: [SARIFResult]
    let columnKind = "unicodeCodePoints"
    let properties: Properties
  }

  let schema = "https://json.schemastore.org/sarif-2.1.0.json"
  let version = "2.1.0"
  let runs: [Run]

  private enum CodingKeys: String, CodingKey {
    case schema = "$schema"
    case version, runs
  }

  init(
    _ report: Report, _ context: RenderContext, _ results: [SARIFResult], notes: [String]
  ) {
    let rules =
      SARIFRule.tests.map { Rule(id: $0.id, shortDescription: SARIFText(text: $0.meaning)) }
      + RunProblem.Kind.allCases.map {
        Rule(id: $0.rawValue, shortDescription: SARIFText(text: $0.meaning))
      }
    let isGreen = report.verdict.status == .passed
    let message = report.verdict.message ?? report.verdict.title
    let words =
      (isGreen ? [] : [Notification(level: "error", message: SARIFText(text: message))])
      + notes.map { Notification(level: "warning", message: SARIFText(text: $0)) }
    runs = [
      Run(
        tool: Tool(driver: Driver(version: context.version, rules: rules)),
        invocations: [
          Invocation(
            executionSuccessful: report.verdict.status != .error,
            startTimeUtc: Timestamp.text(context.start(of: report)),
            toolExecutionNotifications: words.nonEmpty)
        ],
        results: results,
        properties: Properties(
          status: report.verdict.status, reason: report.verdict.reason,
          passed: report.counts.passed, failed: report.counts.failed,
          skipped: report.counts.skipped, commit: context.commit))
    ]
  }
}

private struct SARIFRule {
  let id: String
  let meaning: String

  init(_ outcome: Outcome, _ meaning: String) {
    id = Self.id(outcome)
    self.meaning = meaning
  }

  private init(id: String, meaning: String) {
    self.id = id
    self.meaning = meaning
  }

  static func id(_ outcome: Outcome) -> String {
    "test-" + outcome.rawValue.split(separator: "_").joined(separator: "-")
  }

  static let flaky = SARIFRule(
    id: "test-flaky", meaning: "a test passed after an attempt that failed")

  static let tests = [
    SARIFRule(.failed, "a test failed"),
    SARIFRule(.errored, "a test broke outside its own assertions"),
    SARIFRule(.timedOut, "a test timed out"),
    SARIFRule(.crashed, "a test ended its process"),
    flaky,
  ]
}

private struct SARIFResult: Encodable {
  struct Region: Encodable {
    let startLine: Int
    let startColumn: Int?
  }

  struct Artifact: Encodable {
    let uri: String
    let uriBaseId: String?
  }

  struct Physical: Encodable {
    let artifactLocation: Artifact
    let region: Region?
  }

  struct Logical: Encodable {
    let fullyQualifiedName: String
    let kind = "function"
  }

  struct Location: Encodable {
    let physicalLocation: Physical?
    let logicalLocations: [Logical]?
  }

  let ruleId: String
  let level: String
  let message: SARIFText
  let locations: [Location]?
  let partialFingerprints: [String: String]

  init(_ problem: RunProblem, _ context: RenderContext, _ limit: Int) {
    self.init(
      problem.kind.rawValue, "error", "\(problem.title)\n\(problem.message)".bounded(limit),
      at: problem.location, test: problem.test, key: problem.key, context)
  }

  init(_ result: TestResult, _ context: RenderContext, _ limit: Int) {
    let text = result.last.failureText ?? result.last.rawStatus
    let rule = SARIFRule.id(result.outcome)
    self.init(
      rule, "error",
      "\(result.test.fullName.harmless(multiline: false))\n\(text)".bounded(limit),
      at: result.place, test: result.test, key: "\(rule)\n\(result.test.id)", context)
  }

  init(flaky result: TestResult, _ context: RenderContext, _ limit: Int) {
    let wrong = result.attempts.last { $0.outcome.countsAsFailed }
    let rule = SARIFRule.flaky.id
    self.init(
      rule, "warning",
      "\(result.test.fullName.harmless(multiline: false)) passed, after an attempt that failed:\n\(wrong?.failureText ?? "")"
        .bounded(limit),
      at: result.place, test: result.test, key: "\(rule)\n\(result.test.id)", context)
  }

  private init(
    _ rule: String, _ level: String, _ text: String, at place: SourceLocation?, test: TestCase?,
    key: String, _ context: RenderContext
  ) {
    ruleId = rule
    self.level = level
    message = SARIFText(text: text.harmless(multiline: true))
    let physical = place.map { place in
      Physical(
        artifactLocation: Artifact(
          uri: Self.uri(context.repositoryPath(place.file)),
          uriBaseId: place.file.hasPrefix("/") ? nil : "%SRCROOT%"),
        region: place.line.map { Region(startLine: $0, startColumn: place.column) })
    }
    let logical = test.map { [Logical(fullyQualifiedName: $0.id.text)] }
    locations =
      physical == nil && logical == nil
      ? nil : [Location(physicalLocation: physical, logicalLocations: logical)]
    partialFingerprints = ["proctor/v1": StableID.hex128(key)]
  }

  /// A relative reference, or `file:` with an absolute path (RFC 3986).
  private static func uri(_ path: String) -> String {
    let escaped = path.utf8.map { byte in
      let scalar = Unicode.Scalar(byte)
      let isPlain =
        byte < 0x80 && (Character(scalar).isLetter || Character(scalar).isNumber)
        || "/-._~".unicodeScalars.contains(scalar)
      guard !isPlain else { return String(Character(scalar)) }
      let digits = String(byte, radix: 16, uppercase: true)
      return "%" + (digits.count < 2 ? "0" : "") + digits
    }.joined()
    return path.hasPrefix("/") ? "file://\(escaped)" : escaped
  }
}

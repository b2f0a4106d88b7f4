import FoundationEssentials
public import ProctorModel

/// OpenTelemetry spans as OTLP/JSON: one for the run, and below it one for each test, with the attributes `test.*` of the
/// semantic conventions. Identifiers follow from the run and the test, so that a file that is sent twice is one trace.
public struct OTelRenderer: Renderer {
  public let name = "otel"
  public let suffix = ".json"
  private static let messageLimit = 8000

  public init() {}

  public func render(
    _ report: Report, _ context: RenderContext
  ) throws(RenderError) -> Rendering {
    let trace = Trace(report, context)
    let resource = OTLPResource(
      attributes: [
        OTLPAttribute("service.name", "proctor"), OTLPAttribute("service.version", context.version),
        OTLPAttribute("proctor.workspace", context.workspace),
        context.commit.map { OTLPAttribute("vcs.ref.head.revision", $0) },
      ].compactMap(\.self))
    let scope = OTLPScope(name: "proctor", version: context.version)
    let document = OTLPDocument(resourceSpans: [
      OTLPResourceSpans(
        resource: resource, scopeSpans: [OTLPScopeSpans(scope: scope, spans: trace.spans)])
    ])
    return Rendering(ContractJSON.encode(document))
  }

  private struct Trace {
    let report: Report
    let id: String
    let root: String
    /// Seconds since 1970.
    let start: Double

    init(_ report: Report, _ context: RenderContext) {
      self.report = report
      start = context.start(of: report)
      let run = "\(context.workspace)\n\(start)\n\(context.commit ?? "")"
      id = StableID.hex128(run)
      root = StableID.hex64("\(run)\nroot")
    }

    var spans: [OTLPSpan] { [run] + report.tests.map(span) }

    private var run: OTLPSpan {
      let verdict = report.verdict
      let counts = report.counts
      return OTLPSpan(
        traceId: id, spanId: root, parentSpanId: nil, name: "proctor run",
        startTimeUnixNano: nanoseconds(0), endTimeUnixNano: nanoseconds(report.durationMS),
        attributes: [
          OTLPAttribute("test.suite.name", "proctor run"),
          OTLPAttribute("test.suite.run.status", Self.word(verdict)),
          OTLPAttribute("proctor.status", verdict.status.rawValue),
          verdict.reason.map { OTLPAttribute("proctor.reason", $0.rawValue) },
          OTLPAttribute("proctor.passed", counts.passed),
          OTLPAttribute("proctor.failed", counts.failed),
          OTLPAttribute("proctor.skipped", counts.skipped),
        ].compactMap(\.self),
        events: report.problems.map { problem in
          OTLPEvent(
            timeUnixNano: nanoseconds(report.durationMS), name: "exception",
            attributes: [
              OTLPAttribute("exception.type", problem.kind.rawValue),
              OTLPAttribute(
                "exception.message",
                "\(problem.title)\n\(problem.message)".bounded(OTelRenderer.messageLimit)),
            ] + OTLPAttribute.place(problem.location))
        },
        status: verdict.status == .passed
          ? OTLPStatus(code: 1, message: nil)
          : OTLPStatus(code: 2, message: verdict.message ?? verdict.title))
    }

    private func span(_ result: TestResult) -> OTLPSpan {
      let (test, last) = (result.test, result.last)
      let began = (last.startedMS ?? 0).clampedMS
      let end = began + (last.durationMS ?? 0).clampedMS
      let isWrong = last.outcome.countsAsFailed
      return OTLPSpan(
        traceId: id, spanId: StableID.hex64("\(id)\n\(test.id)"), parentSpanId: root,
        name: test.fullName.isEmpty ? test.id.text : test.fullName,
        startTimeUnixNano: nanoseconds(began), endTimeUnixNano: nanoseconds(end),
        attributes: [
          OTLPAttribute("test.case.name", test.fullName),
          OTLPAttribute("test.suite.name", test.suite),
          // The conventions know no word for a test that did not run.
          last.outcome == .skipped
            ? nil : OTLPAttribute("test.case.result.status", isWrong ? "fail" : "pass"),
          OTLPAttribute("proctor.test.id", test.id.text),
          OTLPAttribute("proctor.test.outcome", last.outcome.rawValue),
          OTLPAttribute("proctor.test.raw_status", last.rawStatus),
          OTLPAttribute("proctor.test.attempts", result.attempts.count),
          OTLPAttribute("proctor.test.adapter", test.project.adapter.rawValue),
        ].compactMap(\.self) + OTLPAttribute.place(test.definition),
        events: result.attempts.enumerated().compactMap { index, attempt in
          event(attempt, number: index + 1, at: end)
        },
        status: isWrong
          ? OTLPStatus(
            code: 2, message: last.failureLine.bounded(1000))
          : last.outcome == .passed ? OTLPStatus(code: 1, message: nil) : nil)
    }

    private func event(_ attempt: Attempt, number: Int, at time: Double) -> OTLPEvent? {
      guard let text = attempt.failureText else { return nil }
      return OTLPEvent(
        timeUnixNano: nanoseconds(time), name: "exception",
        attributes: [
          OTLPAttribute("exception.type", attempt.outcome.rawValue),
          OTLPAttribute("exception.message", text.bounded(OTelRenderer.messageLimit)),
          OTLPAttribute("proctor.test.attempt", number),
        ] + OTLPAttribute.place(attempt.failures.first?.location))
    }

    /// - Parameter offset: milliseconds since the run's beginning.
    private func nanoseconds(_ offset: Double) -> String {
      // Whole microseconds: a Double holds those of this century exactly.
      let micro = (start * 1_000_000 + offset.clampedMS * 1000).rounded()
      return micro.isFinite && micro > 0 && micro < 9e15 ? "\(Int(micro))000" : "0"
    }

    private static func word(_ verdict: Verdict) -> String {
      switch (verdict.status, verdict.reason) {
      case (.passed, _): "success"
      case (.noTests, .allSkipped): "skipped"
      case (.error, .timedOut): "timed_out"
      case (.error, _): "aborted"
      case (.failed, _), (.partialFailure, _), (.noTests, _): "failure"
      }
    }
  }
}

// The shapes of OTLP/JSON (opentelemetry-proto, trace.proto): camel case, 64-bit numbers as text, ids in hexadecimal.

private struct OTLPDocument: Encodable { let resourceSpans: [OTLPResourceSpans] }

private struct OTLPResourceSpans: Encodable {
  let resource: OTLPResource
  let scopeSpans: [OTLPScopeSpans]
}

private struct OTLPResource: Encodable { let attributes: [OTLPAttribute] }

private struct OTLPScopeSpans: Encodable {
  let scope: OTLPScope
  let spans: [OTLPSpan]
}

private struct OTLPScope: Encodable {
  let name: String
  let version: String
}

private struct OTLPSpan: Encodable {
  let traceId: String
  let spanId: String
  let parentSpanId: String?
  let name: String
  /// `SPAN_KIND_INTERNAL`.
  let kind = 1
  let startTimeUnixNano: String
  let endTimeUnixNano: String
  let attributes: [OTLPAttribute]
  let events: [OTLPEvent]
  let status: OTLPStatus?
}

private struct OTLPStatus: Encodable {
  /// 1 is `STATUS_CODE_OK`, 2 `STATUS_CODE_ERROR`.
  let code: Int
  let message: String?
}

private struct OTLPEvent: Encodable {
  let timeUnixNano: String
  let name: String
  let attributes: [OTLPAttribute]
}

private struct OTLPAttribute: Encodable {
  struct Value: Encodable {
    var stringValue: String?
    var intValue: String?
  }

  let key: String
  let value: Value

  init(_ key: String, _ text: String) {
    self.key = key
    value = Value(stringValue: text)
  }

  init(_ key: String, _ number: Int) {
    self.key = key
    value = Value(intValue: String(number))
  }

  static func place(_ place: SourceLocation?) -> [OTLPAttribute] {
    guard let place else { return [] }
    return [
      OTLPAttribute("code.file.path", place.file),
      place.line.map { OTLPAttribute("code.line.number", $0) },
    ].compactMap(\.self)
  }
}

public import FoundationEssentials

/// What platforms would drop, cut or refuse of a report file.
public enum ReportLint {
  /// Bytes of a file other than XML, which is held in memory.
  public static let treeLimit = 200 << 20

  /// - Parameters:
  ///   - name: of the file; one platform looks at how it ends.
  ///   - platforms: nil for those that read the format.
  /// - Returns: nil when it is no report of a known format.
  public static func examine(
    _ data: Data, name: String, platforms: [LintPlatform]?
  ) -> LintAnswer? {
    guard let format = LintFormat(of: data) else { return nil }
    let facts =
      switch format {
      case .junit: JUnitLintReader.facts(data)
      case .ctrf: CTRFLintReader.facts(data)
      case .sarif: SARIFLintReader.facts(data)
      case .codeQuality: CodeQualityLintReader.facts(data)
      case .tap: TAPLintReader.facts(data)
      }
    let asked = platforms ?? LintPlatform.allCases.filter { $0.reads(format) }
    let findings = LintRule.all.compactMap { $0.finding(facts, format, name) }
      .filter { $0.platform.map(asked.contains) ?? true }
    let unread = asked.filter { !$0.reads(format) }.map { LintFinding(unread: format, $0) }
    return LintAnswer(
      format: format, facts: facts, platforms: asked, findings: findings + unread)
  }
}

/// Where reports are shown.
public enum LintPlatform: String, CaseIterable, Encodable, Sendable {
  case github, gitlab, jenkins, buildkite

  /// By itself, or by the action or plugin that everyone uses there.
  func reads(_ format: LintFormat) -> Bool {
    switch (self, format) {
    case (_, .junit), (.github, .ctrf), (.github, .sarif), (.gitlab, .codeQuality),
      (.jenkins, .tap):
      true
    default: false
    }
  }
}

/// A format of report files, known by its content.
public enum LintFormat: String, Encodable, Sendable {
  case junit, ctrf, sarif
  case codeQuality = "code_quality"
  case tap

  init?(of data: Data) {
    let start = data.prefix(4096)
    let isUTF16 = start.starts(with: [0xff, 0xfe]) || start.starts(with: [0xfe, 0xff])
    let text = start.drop { $0 <= 0x20 || $0 == 0xef || $0 == 0xbb || $0 == 0xbf }
    switch text.first {
    case UInt8(ascii: "<"): self = .junit
    case _ where isUTF16: self = .junit
    case UInt8(ascii: "["): self = .codeQuality
    case UInt8(ascii: "{"):
      guard let known = Self.ofObject(data) else { return nil }
      self = known
    default:
      guard TAPLintReader.looksLikeTAP(data) else { return nil }
      self = .tap
    }
  }

  private struct Marks: Decodable {
    struct Anything: Decodable { init(from decoder: any Decoder) throws {} }

    let reportFormat: String?
    let results: Anything?
    let runs: [Anything]?
  }

  /// By the keys that only one of them has.
  private static func ofObject(_ data: Data) -> LintFormat? {
    guard let marks = try? JSONDecoder().decode(Marks.self, from: data) else { return nil }
    if marks.runs != nil { return .sarif }
    return marks.reportFormat == "CTRF" || marks.results != nil ? .ctrf : nil
  }
}

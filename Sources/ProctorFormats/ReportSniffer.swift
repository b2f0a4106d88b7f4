public import FoundationEssentials

/// Tells a report's format by its content: the first bytes and their structure decide, no decoder is
/// tried.
public enum ReportSniffer {
  public enum Finding: Sendable {
    case format(ReportFormat)
    /// It holds nothing but blanks.
    case empty
    /// An answer of proctor's own.
    case own
    /// - Parameter beginning: what it begins with, in words.
    case unknown(beginning: String)
  }

  /// Bytes of a file's start that are looked at.
  public static let headSize = 256 * 1024
  private static let linesLooked = 500

  /// - Parameter head: a file's start, all of it when it is shorter than `headSize`.
  public static func look(at head: Data) -> Finding {
    let markup = XMLByteSource(CollectionOfOne(head))
    let text = TextPieces(CollectionOfOne(head)).reduce(into: Data()) { $0.append($1) }
    guard let first = text.first(where: { $0 > 0x20 }) else { return .empty }
    switch first {
    case UInt8(ascii: "<"): return xml(markup)
    case UInt8(ascii: "{"): return json(text)
    default: return lines(text)
    }
  }

  // MARK: XML

  private static func xml(_ source: XMLByteSource) -> Finding {
    // What is refused, or ends before its root, is said by the decoder of the usual format.
    if source.objection != nil { return .format(.junit) }
    let name = source.rootName.split(separator: ":").last.map(String.init) ?? ""
    switch name {
    case "testsuites", "testsuite", "testcase": return .format(.junit)
    case "assemblies", "assembly": return .format(.xunit)
    case "test-run", "test-results": return .format(.nunit)
    case "TestRun": return .format(.trx)
    default: return .unknown(beginning: "XML whose root element is <\(source.rootName.prefix(40))>")
    }
  }

  // MARK: JSON

  private static func json(_ text: Data) -> Finding {
    guard let object = JSONTreeReader.read(text).tree?.members else {
      return .unknown(beginning: beginning(text))
    }
    if let format = format(of: object) { return .format(format) }
    if isOwn(object) { return .own }
    let keys = object.keys.sorted().prefix(5).map { "\"\($0.prefix(30))\"" }
    return .unknown(
      beginning: keys.isEmpty
        ? "a JSON object without keys"
        : "a JSON object with the keys \(keys.joined(separator: ", "))")
  }

  /// Keys of answers are in order: of a long one the head has the runners, and not the counts.
  private static func isOwn(_ object: [String: JSONTree]) -> Bool {
    if object["total_tests"] != nil, object["status"] != nil { return true }
    let runner = object["adapters"]?.array?.first?.members
    return runner?["adapter"] != nil && runner?["commands"] != nil
  }

  /// By the keys that only this format has.
  private static func format(of object: [String: JSONTree]) -> ReportFormat? {
    func has(_ keys: String...) -> Bool { keys.allSatisfy { object[$0] != nil } }
    if object["reportFormat"]?.text == "CTRF" { return .ctrf }
    if let results = object["results"]?.members,
      results["tests"] != nil || results["summary"] != nil && results["tool"] != nil
    {
      return .ctrf
    }
    if has("Action"), has("Package") || has("Time") || has("ImportPath") { return .goJSON }
    if has("$report_type") { return .pytestLog }
    if has("type", "event"), ["suite", "test", "bench"].contains(object["type"]?.text ?? "") {
      return .libtest
    }
    if has("kind", "payload") { return .swiftTesting }
    if has("numTotalTests") || has("testResults") || has("numFailedTestSuites") { return .jest }
    if object["stats"]?["passes"] != nil || object["stats"]?["suites"] != nil { return .mocha }
    if has("examples") || has("summary_line") { return .rspec }
    if has("exitcode"), has("root") || has("created") { return .pytestJSON }
    return nil
  }

  // MARK: lines

  private static func lines(_ text: Data) -> Finding {
    let lines = text.split(separator: 0x0a, maxSplits: linesLooked).prefix(linesLooked)
    for line in lines {
      if line.first == UInt8(ascii: "{"), let object = JSONTreeReader.read(line).tree?.members,
        let format = format(of: object),
        [ReportFormat.goJSON.id, ReportFormat.libtest.id].contains(format.id)
      {
        return .format(format)
      }
      if let format = format(ofLine: String(decoding: line.prefix(200), as: UTF8.self)) {
        return .format(format)
      }
    }
    return .unknown(beginning: beginning(text))
  }

  private static func format(ofLine text: String) -> ReportFormat? {
    let line = text.withoutTerminalCodes
    if line.hasPrefix("TAP version ") || line.hasPrefix("Bail out!") || isPlan(line)
      || isResult(line)
    {
      return .tap
    }
    if line.hasPrefix("running "), line.contains(" test") { return .cargoText }
    if line.hasPrefix("error[E") || line.hasPrefix("   Compiling ")
      || line.hasPrefix("    Finished ")
    {
      return .cargoText
    }
    let goStarts = [
      "=== RUN ", "--- PASS: ", "--- FAIL: ", "--- SKIP: ", "ok  \t", "FAIL\t", "?   \t",
    ]
    return goStarts.contains { line.hasPrefix($0) } ? .goText : nil
  }

  private static func isPlan(_ line: String) -> Bool {
    guard line.hasPrefix("1..") else { return false }
    let rest = line.dropFirst(3)
    let digits = rest.prefix { $0.isNumber }
    let after = rest.dropFirst(digits.count).first
    return !digits.isEmpty && (after == nil || after == " " || after == "\r")
  }

  private static func isResult(_ line: String) -> Bool {
    let rest =
      line.hasPrefix("not ok ") ? line.dropFirst(7) : line.hasPrefix("ok ") ? line.dropFirst(3) : ""
    return rest.first?.isNumber == true || rest.hasPrefix("- ")
  }

  /// The first bytes as they can be shown.
  private static func beginning(_ text: Data) -> String {
    let start = String(decoding: text.drop { $0 <= 0x20 }.prefix(60), as: UTF8.self)
    let shown = start.unicodeScalars.map {
      $0.properties.generalCategory == .control ? " " : String(Character($0))
    }
    return "\"\(shown.joined().prefix(40))\""
  }
}

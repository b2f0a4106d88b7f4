import FoundationEssentials
import ProctorEngine
import ProctorFormats
import ProctorModel

/// Reports and output of the session's runs, whole.
struct MCPResources {
  private static let root = "proctor://runs/"
  /// Bytes of a log that are read at once.
  private static let logPage = 100_000
  /// Roughly, of a report.
  private static let reportPage = 400_000

  let runs: RunStore
  let workspace: String

  static let templates = MCPResult(
    [
      (
        "resourceTemplates",
        [
          template(
            "{run}/report{?offset}", "report",
            "The whole report of a run, a large one page by page: next_offset", "application/json"),
          template(
            "{run}/log{?offset}", "log", "What the failing tests and the runners of a run printed",
            "text/plain"),
          template(
            "{run}/failures/{number}", "failure",
            "One failing test of a run with all its output, from 1", "text/plain"),
        ]
      )
    ], keeping: .whole)

  private static func template(
    _ path: String, _ name: String, _ description: String, _ type: String
  ) -> JSONValue {
    [
      "uriTemplate": .string(root + path), "name": .string(name),
      "description": .string(description), "mimeType": .string(type),
    ]
  }

  var list: MCPResult {
    let over = runs.all.filter { (try? $0.outcome?.get()) != nil }
    let resources = over.flatMap { run -> [JSONValue] in
      [
        [
          "uri": "\(Self.root)\(run.id)/report", "name": "\(run.id) report",
          "description": "The whole report of \(run.id)", "mimeType": "application/json",
        ],
        [
          "uri": "\(Self.root)\(run.id)/log", "name": "\(run.id) log",
          "description": "What the failing tests and the runners of \(run.id) printed",
          "mimeType": "text/plain",
        ],
      ]
    }
    return MCPResult([("resources", .array(resources))], keeping: .notAtAll)
  }

  /// nil when there is no such resource.
  func read(_ uri: String) -> MCPResult? {
    guard uri.hasPrefix(Self.root) else { return nil }
    let parts = uri.dropFirst(Self.root.count).split(
      separator: "/", omittingEmptySubsequences: false)
    guard let id = parts.first, case .success(let (report, _))? = runs[String(id)]?.outcome,
      let (text, type) = content(report, parts.dropFirst().map(String.init))
    else { return nil }
    return MCPResult(
      [
        (
          "contents",
          [["uri": .string(uri), "mimeType": .string(type), "text": .string(text)]]
        )
      ], keeping: .notAtAll)
  }

  private func content(_ report: Report, _ path: [String]) -> (text: String, type: String)? {
    if path.count == 1, let offset = Self.offset(of: path[0], in: "report") {
      let json = ContractJSON.runAllTests(report, from: offset, bytes: Self.reportPage)
      return (String(decoding: JSONText.compacted(json), as: UTF8.self), "application/json")
    }
    if path.count == 1, let offset = Self.offset(of: path[0], in: "log") {
      return log(report, from: offset)
    }
    let failed = report.tests.filter { $0.outcome.countsAsFailed }
    guard path.count == 2, path[0] == "failures", let number = Int(path[1]),
      (1...max(1, failed.count)).contains(number), !failed.isEmpty
    else { return nil }
    return (RunLog.entry(of: failed[number - 1], workspace: workspace), "text/plain")
  }

  /// `log` → 0, `log?offset=7` → 7; nil for what is neither.
  private static func offset(of part: String, in name: String) -> Int? {
    if part == name { return 0 }
    let query = "\(name)?offset="
    guard part.hasPrefix(query), let offset = Int(part.dropFirst(query.count)), offset >= 0 else {
      return nil
    }
    return offset
  }

  private func log(_ report: Report, from offset: Int) -> (text: String, type: String) {
    let (text, next) = RunLog(report, workspace: workspace).part(from: offset, bytes: Self.logPage)
    return (text + (next.map { "[continued at ?offset=\($0)]\n" } ?? ""), "text/plain")
  }
}

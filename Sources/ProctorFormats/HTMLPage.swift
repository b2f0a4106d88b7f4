public import FoundationEssentials
import ProctorModel

/// The page to look at runs with: one file without outside resources.
///
/// Data stands in it as JSON in which nothing can end its element; scripts and styles run only by the nonce.
public enum HTMLPage {
  /// Bytes of whole reports that a page holds; older ones are a row of the trends only.
  private static let reportLimit = 16 << 20

  /// A page that holds its runs.
  /// - Parameters:
  ///   - reports: at least one.
  ///   - nonce: nobody can guess it.
  public static func file(_ reports: [RecordedReport], title: String, nonce: String) -> Data {
    page(nonce: nonce, connects: false, data: PageData(inOrder(reports), title, reportLimit).json)
  }

  /// A page that asks the server it came from.
  /// - Parameter nonce: another one each time, which nobody can guess.
  public static func served(nonce: String) -> Data {
    page(nonce: nonce, connects: true, data: Data("null".utf8))
  }

  /// By the time of their beginning when all of them tell, else as given: the last is the newest.
  private static func inOrder(_ reports: [RecordedReport]) -> [RecordedReport] {
    let dated = reports.compactMap { report in report.startedAt.map { ($0, report) } }
    guard dated.count == reports.count else { return reports }
    return dated.enumerated().sorted { ($0.element.0, $0.offset) < ($1.element.0, $1.offset) }
      .map(\.element.1)
  }

  /// One scope, in this order.
  private static let scripts = [
    PackageResources.base_js, PackageResources.data_js, PackageResources.tests_js,
    PackageResources.detail_js, PackageResources.charts_js, PackageResources.views_js,
    PackageResources.live_js, PackageResources.questions_js,
    PackageResources.main_js,
  ]

  private static func page(nonce: String, connects: Bool, data: Data) -> Data {
    var page = Data()
    let template = String(decoding: PackageResources.page_html, as: UTF8.self)
    for (index, part) in template.split(separator: "%%", omittingEmptySubsequences: false)
      .enumerated()
    {
      switch (index % 2, part) {
      case (0, _): page += Data(part.utf8)
      case (_, "nonce"): page += Data(nonce.utf8)
      case (_, "connect"): page += Data((connects ? "'self'" : "'none'").utf8)
      case (_, "style"): page += Data(PackageResources.page_css)
      case (_, "script"): page += Data(scripts.joined(separator: [UInt8(ascii: "\n")]))
      case (_, "data"): page += harmless(data)
      default: break
      }
    }
    return page
  }

  /// JSON in which nothing is markup: `<`, `>` and `&` stand in strings only, and are escaped there, as are the ends of
  /// lines that only JavaScript knows.
  static func harmless(_ json: Data) -> Data {
    var result = Data(capacity: json.count + json.count / 16)
    let bytes = [UInt8](json)
    var index = 0
    while index < bytes.count {
      let byte = bytes[index]
      index += 1
      switch byte {
      case UInt8(ascii: "<"): result += Data(#"\u003c"#.utf8)
      case UInt8(ascii: ">"): result += Data(#"\u003e"#.utf8)
      case UInt8(ascii: "&"): result += Data(#"\u0026"#.utf8)
      case 0x7f: result += Data(#"\u007f"#.utf8)
      case 0xe2
      where index + 1 < bytes.count && bytes[index] == 0x80
        && (bytes[index + 1] == 0xa8 || bytes[index + 1] == 0xa9):
        result += Data((bytes[index + 1] == 0xa8 ? #"\u2028"# : #"\u2029"#).utf8)
        index += 2
      default: result.append(byte)
      }
    }
    return result
  }
}

/// What a page holds: rows of all runs, the newest first, and whole reports of the newest.
private struct PageData {
  private let runs: [RunRow]
  private let reports: [Data]
  private let title: String

  /// - Parameter reports: the newest last.
  init(_ reports: [RecordedReport], _ title: String, _ limit: Int) {
    self.title = title
    let named = reports.enumerated().map { index, report in
      (name: report.run ?? "report-\(index + 1)", report: report)
    }
    runs = named.reversed().map { RunRow($0.report, run: $0.name) }
    let outcomes = named.map { (run: $0.name, outcomes: RunOutcomes($0.report)) }
    var (whole, left): ([Data], Int) = ([], limit)
    for index in named.indices.reversed() {
      var report = named[index].report
      report.run = named[index].name
      let history = RunHistory(Array(outcomes[...index]))
      let data = ContractJSON.compact(RecordedPage(report: report, history: history))
      // There is nothing to look at without one.
      guard data.count <= left || whole.isEmpty else { break }
      left -= data.count
      whole.append(data)
    }
    self.reports = whole
  }

  var json: Data {
    var data = Data(#"{"title":"#.utf8) + ContractJSON.compact(title)
    data += Data(#","runs":"#.utf8) + ContractJSON.compact(runs)
    data += Data(#","reports":["#.utf8)
    for (index, report) in reports.enumerated() {
      if index > 0 { data.append(UInt8(ascii: ",")) }
      data += report
    }
    return data + Data("]}".utf8)
  }
}

private struct RecordedPage: Encodable {
  let report: RecordedReport
  let history: RunHistory

  func encode(to encoder: any Encoder) throws {
    try report.encode(to: encoder)
    try History(history: history).encode(to: encoder)
  }

  private struct History: Encodable { let history: RunHistory }
}

import ArgumentParser
import FoundationEssentials
import Glibc
import ProctorEngine
import ProctorFormats
import ProctorModel

struct ReportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Write runs as a page to look at: one file, nothing else needed.",
    discussion: """
      Without reports, the page shows the last runs of the workspace, which proctor run and proctor test keep in the \
      cache folder. With several, the newest is shown with the trends of all.

      EXAMPLES
        proctor report --html page.html
        proctor run --format json --details > today.json; proctor report --html page.html today.json
        proctor report --html page.html monday.json tuesday.json wednesday.json

      EXIT STATUS
        0 written, whatever the runs' verdicts · 2 wrong usage, or a file that is no report · 5 not written
      """)

  @Option(
    name: .customLong("html"),
    help: ArgumentHelp(
      "The file to write, replaced when it is there; - for standard output.", valueName: "file"))
  var html: String

  @Argument(help: "Answers of proctor run --format json; --details adds the tests that passed.")
  var reports: [String] = []

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Where the code is that the reports speak of.", valueName: "dir"))
  var workspace = "."

  @OptionGroup var common: CommonOptions

  func validate() throws {
    guard !html.isEmpty else { throw ValidationError("--html takes the name of a file.") }
  }

  func run() async throws {
    do {
      let (reports, broken) = try read()
      for file in broken { Console.error("proctor: \(file) cannot be read and is left out") }
      let page = HTMLPage.file(reports, title: title, nonce: Self.nonce())
      try write(page)
      guard html != "-" else { return }
      let answer = PageAnswer(
        html: html, bytes: page.count, runs: reports.count, unreadable: broken)
      let runs = reports.count == 1 ? "1 run" : "\(reports.count) runs"
      let text = TextSummary.lines("wrote \(html): \(runs), \(page.count) bytes\n")
      Console.write(common.format == .json ? answer.json : Data(text.utf8))
    } catch {
      if common.format == .json, html != "-" {
        Console.write(PageAnswer(failure: "\(error.message). \(error.resolution)").json)
      }
      Console.error("proctor: \(error.message)\n\(error.resolution)")
      throw ProctorExit(error).code
    }
  }

  private func read() throws(EngineError) -> (reports: [RecordedReport], broken: [String]) {
    let reader = try ReportReader(
      workspace: workspace, environment: ProcessInfo.processInfo.environment)
    return reports.isEmpty ? try reader.keptReports() : (try reader.reports(in: reports), [])
  }

  /// The name of the workspace's folder.
  private var title: String {
    let root = (try? Engine.root(of: workspace)) ?? workspace
    return root.split(separator: "/").last.map(String.init) ?? root
  }

  private func write(_ page: Data) throws(EngineError) {
    guard html != "-" else {
      guard Console.write(page) else {
        throw EngineError(
          .storage, "the page cannot be written: \(String(cString: strerror(errno)))",
          resolution: "Give --html the name of a file.")
      }
      return
    }
    var status = stat()
    if stat(html, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
      throw EngineError(
        .usage, "\(html) is no file that can be replaced",
        resolution: "Give --html the name of a new file.")
    }
    let folder = FileManager.default.currentDirectoryPath
    try AtomicFile.write(page, to: html.hasPrefix("/") ? html : "\(folder)/\(html)")
  }

  /// 128 random bits.
  private static func nonce() -> String {
    var generator = SystemRandomNumberGenerator()
    return (0..<2).map { _ in String(generator.next() as UInt64, radix: 36) }.joined()
  }
}

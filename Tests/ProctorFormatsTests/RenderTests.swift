import Foundation
import ProctorModel
import Testing

@testable import ProctorFormats

struct RenderTests {
  private static let context = RenderContext(
    workspace: "shop", version: "1.0.0", commit: String(repeating: "8c1f", count: 10),
    date: 1_767_323_050,
    nonce: "n0nce")

  /// The page is proctor's own program, and json is one of `fixtures/answers`.
  static let goldens = RenderFormat.all.map(\.name).filter { $0 != "html" && $0 != "json" }

  private static func render(_ report: Report, _ format: String) throws -> Rendering {
    try #require(RenderFormat.named(format)).render(report, context)
  }

  @Test(arguments: goldens)
  func `a mixed report is as recorded`(_ format: String) throws {
    let renderer = try #require(RenderFormat.named(format))
    for (name, report) in [
      ("mixed", Samples.mixed),
      ("flaky", RenderSamples.report(.passed, tests: [RenderSamples.flaky])),
    ] {
      let rendering = try renderer.render(report, Self.context)
      #expect(rendering.notes == [])
      try Golden.check(rendering.data, "fixtures/renders/\(name)/\(format)\(renderer.suffix)")
    }
  }

  @Test func `other readers read every format, and none takes for green what is not`() throws {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "renders-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    for (name, report) in RenderSamples.all {
      let place = folder.appending(path: name)
      try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
      for renderer in RenderFormat.all {
        let rendering = try renderer.render(report, Self.context)
        try rendering.data.write(to: place.appending(path: renderer.name + renderer.suffix))
      }
      try Data(TextSummary.render(report, style: .plain).utf8)
        .write(to: place.appending(path: "answer.txt"))
      let isGreen = report.verdict.status == .passed
      try Data(#"{"green": \#(isGreen), "tests": \#(report.tests.count)}"#.utf8)
        .write(to: place.appending(path: "verdict.json"))
    }
    try Readers.check(folder.path)
  }

  @Test func `what is the same in two runs has the same identity`() throws {
    for format in ["gitlab", "sarif", "otel", "ctrf", "junit"] {
      let first = try Self.render(Samples.mixed, format)
      let again = try Self.render(Samples.mixed, format)
      #expect(first.data == again.data)
    }
  }

  @Test func `annotations beyond the limit are told in one`() throws {
    let report = try #require(RenderSamples.all.first { $0.0 == "many" }?.1)
    let rendering = try Self.render(report, "github")
    let lines = String(decoding: rendering.data, as: UTF8.self).split(separator: "\n")
    #expect(lines.count == 10)
    #expect(lines.last == "::error title=more failures::51 more are not shown here")
    #expect(rendering.notes == ["51 errors are told in one: GitHub shows 10 of a step"])
  }

  @Test func `a cause that many tests share is one annotation`() throws {
    let report = RenderSamples.report(
      .failed, .testsFailed,
      tests: (1...60).map { RenderSamples.failed("t\($0)", .failed, "port \($0) is taken") })
    let text = String(decoding: try Self.render(report, "github").data, as: UTF8.self)
    #expect(text.split(separator: "\n").count == 1)
    #expect(text.contains("%0A%0A59 more fail alike: tests/test_a.py::t2, "))
  }

  @Test func `files are named from the repository's root`() throws {
    let context = RenderContext(
      workspace: "api", version: "1", prefix: "services/api/", date: 0, nonce: "")
    for format in ["github", "gitlab", "sarif"] {
      let renderer = try #require(RenderFormat.named(format))
      let text = String(decoding: try renderer.render(Samples.mixed, context).data, as: UTF8.self)
      #expect(text.contains("services/api/src/lib.rs"), "\(format)")
    }
  }

  @Test func `a summary that would be too long says what is not in it`() throws {
    let tests = (1...400).map {
      RenderSamples.failed("t\($0)", .failed, String(repeating: "|`<", count: 3000))
    }
    let rendering = try Self.render(
      RenderSamples.report(.failed, .testsFailed, tests: tests), "markdown")
    #expect(rendering.data.count <= 1 << 20)
    #expect(rendering.notes.count == 1)
    let text = String(decoding: rendering.data, as: UTF8.self)
    let shown = text.split(separator: "<details>").count - 1
    #expect(
      text.contains("\n\(400 - shown) more are not shown: the summary may have 1048576 bytes\n"))
  }

  @Test func `junit gives up output before it is too large, and never a case`() throws {
    let output = CapturedText(text: String(repeating: "o", count: 60_000))
    let tests = (1...700).map { number in
      TestResult(
        test: Samples.test("t\(number)"),
        first: Attempt(outcome: .passed, rawStatus: "passed", stdout: output))
    }
    let rendering = try Self.render(RenderSamples.report(.passed, tests: tests), "junit")
    #expect(rendering.data.count < 1_000_000)
    #expect(rendering.notes == ["the output of tests that passed is left out: 30 MB are the limit"])
    let text = String(decoding: rendering.data, as: UTF8.self)
    #expect(text.split(separator: "<testcase").count == 701)
  }

  @Test func `sarif leaves out what GitHub would refuse, and says so`() throws {
    let tests = (1...25_010).map { RenderSamples.failed("t\($0)") }
    let rendering = try Self.render(
      RenderSamples.report(.failed, .testsFailed, tests: tests), "sarif")
    #expect(rendering.notes == ["10 results are left out: 25000 are the limit"])
    #expect(String(decoding: rendering.data, as: UTF8.self).contains(rendering.notes[0]))
  }
}

/// Tests/Support/renders.py: readers of other people.
private enum Readers {
  static func check(_ folder: String) throws {
    let root = Golden.repository.path
    let process = Process()
    process.executableURL = URL(filePath: "\(root)/.cache/mcp/bin/python")
    process.arguments = ["-B", "\(root)/Tests/Support/renders.py"]
    process.environment = ProcessInfo.processInfo.environment.merging(["RENDERS": folder]) { $1 }
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let words = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(words.suffix(8000))")
    #expect(words.contains("\nRan ") && !words.contains("skipped="), "\(words.suffix(2000))")
  }
}

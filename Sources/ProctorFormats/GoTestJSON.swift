public import FoundationEssentials
import ProctorModel

/// Reads what `go test -json` prints (go doc test2json), one event a line.
///
/// A parent with subtests is no case of its own, unless it fails without any of them. A package that
/// fails without a failing test is an error outside tests: it did not build, or something after its
/// tests went wrong. A package without a closing event, or a test without one, makes the file incomplete.
public enum GoTestJSON {
  private struct Event {
    let action: String
    let package: String?
    let test: String?
    let output: String?
    let elapsed: Double?

    init?(_ tree: JSONTree) {
      guard let action = tree["Action"]?.text else { return nil }
      self.action = action
      package = tree["Package"]?.text
      test = tree["Test"]?.text
      output = tree["Output"]?.string
      elapsed = tree["Elapsed"]?.number
    }
  }

  private struct Test {
    var output = ""
    var result: String?
    var elapsed: Double?
    var hasChildren = false
  }

  private struct Package {
    var order: [String] = []
    var tests: [String: Test] = [:]
    var output = ""
    var result: String?
  }

  private static let outputLimit = 64 * 1024

  /// The packages that are not over yet, and what is known besides.
  private struct Reader {
    var notes = ReadingNotes()
    var packages: [String: Package] = [:]
    var order: [String] = []
    var builds = ""
    var strange = 0
    var seen = 0
  }

  public static func decode(_ data: Data) -> (cases: [ReportedCase], reading: ReportReading) {
    var cases: [ReportedCase] = []
    let reading = decode(CollectionOfOne(data), into: EachCase { cases.append($0) })
    return (cases, reading)
  }

  public static func decode(
    _ pieces: some Sequence<Data>, into sink: some CaseSink
  ) -> ReportReading {
    var reader = Reader()
    let tooLong = LineSplitter.split(pieces) { line, isLast in
      take(line, isLast, &reader, sink)
    }
    if tooLong > 0 { reader.notes.breaks(.refused, "\(tooLong) lines are too long") }
    for name in reader.order { close(name, &reader, sink) }
    if reader.seen == 0, reader.strange > 0 {
      reader.notes.breaks(.malformed, "no event of go test -json in it")
    }
    return reader.notes.reading
  }

  private static func take(
    _ line: Data, _ isLast: Bool, _ reader: inout Reader, _ sink: some CaseSink
  ) {
    let (tree, problem, _) = JSONTreeReader.read(line)
    guard problem == nil, let event = tree.flatMap(Event.init) else {
      // Before Go 1.24 a package that does not build says so in plain text.
      if let name = unbuilt(line) {
        if reader.packages[name] == nil { reader.order.append(name) }
        reader.packages[name] = Package(output: "[build failed]", result: "fail")
        reader.seen += 1
      } else if !line.isEmpty {
        reader.strange += 1
      }
      if isLast, problem == .cut { reader.notes.add(problem, in: "the last line") }
      return
    }
    if event.action == "build-output", reader.builds.utf8.count < outputLimit {
      reader.builds += event.output ?? ""
    }
    guard let name = event.package else { return }
    if reader.packages[name] == nil {
      reader.packages[name] = Package()
      reader.order.append(name)
      reader.seen += 1
    }
    take(event, into: &reader.packages[name, default: Package()])
    // Its last event: what it held is told and let go.
    if event.test == nil, ["pass", "fail", "skip"].contains(event.action) {
      close(name, &reader, sink)
      reader.order.removeAll { $0 == name }
    }
  }

  private static func close(_ name: String, _ reader: inout Reader, _ sink: some CaseSink) {
    guard let package = reader.packages.removeValue(forKey: name) else { return }
    let found = reported(package, name)
    for test in found.cases { reader.notes.give(test, to: sink) }
    if let problem = found.problem { reader.notes.breaks(.truncated, problem) }
    if package.result == "fail", !found.cases.contains(where: { $0.outcome.countsAsFailed }) {
      reader.notes.add(error(package, name, reader.builds))
    }
  }

  /// `FAIL\texample.org/x [build failed]`.
  private static func unbuilt(_ line: Data) -> String? {
    let text = String(decoding: line, as: UTF8.self)
    guard text.hasPrefix("FAIL\t"),
      text.hasSuffix(" [build failed]") || text.hasSuffix(" [setup failed]")
    else { return nil }
    return String(text.dropFirst(5).prefix { $0 != " " })
  }

  private static func take(_ event: Event, into package: inout Package) {
    guard let name = event.test else {
      switch event.action {
      case "output":
        if package.output.utf8.count < outputLimit { package.output += event.output ?? "" }
      case "pass", "fail", "skip": package.result = event.action
      default: break
      }
      return
    }
    if package.tests[name] == nil {
      package.tests[name] = Test()
      package.order.append(name)
      // Only go test itself starts subtests of tests that run.
      if let slash = name.lastIndex(of: "/") {
        let parent = String(name[..<slash])
        package.tests[parent]?.hasChildren = true
      }
    }
    switch event.action {
    case "output":
      if package.tests[name]?.output.utf8.count ?? 0 < outputLimit {
        package.tests[name]?.output += event.output ?? ""
      }
    case "pass", "fail", "skip":
      package.tests[name]?.result = event.action
      package.tests[name]?.elapsed = event.elapsed
    default: break
    }
  }

  private static func reported(
    _ package: Package, _ name: String
  ) -> (cases: [ReportedCase], problem: String?) {
    var cases: [ReportedCase] = []
    var problem: String?
    if package.result == nil { problem = "the package \(name) has no closing event" }
    // The testing package says PASS at its end; a program that ends itself before does not.
    if package.result == "pass", !package.output.contains("PASS"),
      !package.output.contains("no test files")
    {
      problem = "the package \(name) ended before the end of its tests"
    }
    for test in package.order {
      guard let known = package.tests[test] else { continue }
      if known.hasChildren {
        let failedBelow = package.order.contains {
          $0.hasPrefix(test + "/") && package.tests[$0]?.result == "fail"
        }
        if known.result != "fail" || failedBelow { continue }
      }
      if known.result == nil, problem == nil {
        problem = "the test \(name).\(test) has no closing event"
      }
      cases.append(
        ReportedCase(
          suites: [], classname: name, name: test, definition: nil,
          attempts: [attempt(known, package)]))
    }
    return (cases, problem)
  }

  private static func attempt(_ test: Test, _ package: Package) -> Attempt {
    let lines = test.output.split(separator: "\n", omittingEmptySubsequences: false).filter {
      line in
      !["=== RUN", "=== PAUSE", "=== CONT", "=== NAME", "--- "].contains {
        line.drop { $0 == " " }.hasPrefix($0)
      }
    }
    let text = lines.joined(separator: "\n")
    let stdout = CapturedText(text: text).nonEmpty
    let duration = test.elapsed.map { $0 * 1000 }
    switch test.result {
    case "pass":
      return Attempt(outcome: .passed, rawStatus: "pass", durationMS: duration, stdout: stdout)
    case "skip":
      return Attempt(
        outcome: .skipped, rawStatus: "skip", durationMS: duration,
        note: lines.first { !$0.allSatisfy(\.isWhitespace) }.map {
          String($0.drop { $0.isWhitespace })
        })
    case "fail":
      let panic = package.output.firstRange(of: "panic: ").map {
        String(package.output[$0.lowerBound...].prefix(JUnitXML.messageLimit))
      }
      let own = text.trimmingBlankEnds
      return Attempt(
        outcome: .failed, rawStatus: "fail", durationMS: duration,
        failures: [Failure(message: own.isEmpty ? panic ?? "it failed without a message" : own)],
        stdout: stdout)
    default:
      return Attempt(
        outcome: .crashed, rawStatus: "unfinished",
        failures: [Failure(message: "go test says nothing about its end")])
    }
  }

  private static func error(_ package: Package, _ name: String, _ builds: String) -> RunError {
    let isBuild = ["[build failed]", "[setup failed]"].contains { package.output.contains($0) }
    let text = isBuild ? builds : package.output
    return RunError(
      stage: isBuild ? .build : .suite, adapter: nil,
      message: isBuild
        ? "the package \(name) does not build" + (text.isEmpty ? "" : ": \(text.trimmingBlankEnds)")
        : "the package \(name) failed outside its tests: \(text.trimmingBlankEnds.prefix(2000))",
      suite: name)
  }
}

extension String {
  fileprivate var trimmingBlankEnds: String {
    var text = self[...]
    while text.last?.isWhitespace == true { text = text.dropLast() }
    while text.first?.isNewline == true { text = text.dropFirst() }
    return String(text)
  }
}

public import FoundationEssentials
import ProctorModel

/// Reads what `go test -json` prints (go doc test2json), one event a line.
///
/// A parent with subtests is no case of its own, unless it fails without any of them. A package that
/// fails without a failing test is an error outside tests: it did not build, or something after its
/// tests went wrong. A package without a closing event, or a test without one, makes the file incomplete.
public enum GoTestJSON {
  private struct Event: Decodable {
    let Action: String
    let Package: String?
    let Test: String?
    let Output: String?
    let Elapsed: Double?
    let ImportPath: String?
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

  public static func decode(_ data: Data) -> (cases: [ReportedCase], reading: ReportReading) {
    var packages: [String: Package] = [:]
    var order: [String] = []
    var builds = ""
    var strange = 0
    for line in data.split(separator: UInt8(ascii: "\n")) {
      guard let event = try? JSONDecoder().decode(Event.self, from: Data(line)) else {
        // Before Go 1.24 a package that does not build says so in plain text.
        if let name = unbuilt(line) {
          if packages[name] == nil { order.append(name) }
          packages[name] = Package(output: "[build failed]", result: "fail")
        } else {
          strange += 1
        }
        continue
      }
      if event.Action == "build-output" { builds += event.Output ?? "" }
      guard let name = event.Package else { continue }
      if packages[name] == nil {
        packages[name] = Package()
        order.append(name)
      }
      take(event, into: &packages[name, default: Package()])
    }
    var cases: [ReportedCase] = []
    var errors: [RunError] = []
    var notes: [ReportReading.Note] = []
    for name in order {
      guard let package = packages[name] else { continue }
      let found = reported(package, name)
      cases += found.cases
      if let problem = found.problem {
        notes.append(ReportReading.Note(kind: .truncated, message: problem))
      }
      if package.result == "fail", !found.cases.contains(where: { $0.outcome.countsAsFailed }) {
        errors.append(error(package, name, builds))
      }
    }
    if order.isEmpty, strange > 0 {
      notes.append(ReportReading.Note(kind: .malformed, message: "no event of go test -json in it"))
    }
    return (
      cases,
      ReportReading(cases: cases.count, errors: errors, notes: notes, isComplete: notes.isEmpty)
    )
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
    guard let name = event.Test else {
      switch event.Action {
      case "output":
        if package.output.utf8.count < outputLimit { package.output += event.Output ?? "" }
      case "pass", "fail", "skip": package.result = event.Action
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
    switch event.Action {
    case "output":
      if package.tests[name]?.output.utf8.count ?? 0 < outputLimit {
        package.tests[name]?.output += event.Output ?? ""
      }
    case "pass", "fail", "skip":
      package.tests[name]?.result = event.Action
      package.tests[name]?.elapsed = event.Elapsed
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

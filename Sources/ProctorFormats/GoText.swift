public import FoundationEssentials
import ProctorModel

/// Reads what `go test` prints for people, best with `-v`: a last resort.
///
/// Each package ends with a line of its own, `ok` or `FAIL`; tests without it are not believed.
public enum GoText {
  fileprivate struct Test {
    let name: String
    let word: String
    let durationMS: Double?
  }

  fileprivate struct Reader {
    var notes = ReadingNotes()
    var tests: [Test] = []
    /// By test, of the package that is being told of.
    var output: [String: String] = [:]
    /// The test whose output comes now.
    var current: String?
    /// Tests that began and have no result yet.
    var started: [String] = []
    /// What the compiler says, by package.
    var builds: [String: String] = [:]
    var building: String?
    var packages = 0
    /// Packages that passed without saying which tests they have.
    var silent = 0
  }

  public static func decode(
    _ pieces: some Sequence<Data>, into sink: some CaseSink
  ) -> ReportReading {
    var reader = Reader()
    reader.notes.add(
      .plainText,
      "text for people: tests can print what looks like a result; only packages with a closing line are believed"
    )
    let tooLong = LineSplitter.split(pieces) { line, _ in
      reader.take(String(decoding: line, as: UTF8.self), sink)
    }
    if tooLong > 0 { reader.notes.breaks(.refused, "\(tooLong) lines are too long") }
    return reader.finish(sink)
  }
}

extension GoText.Reader {
  private static let outputLimit = 64 * 1024

  fileprivate mutating func take(_ line: String, _ sink: some CaseSink) {
    let bare = line.drop { $0 == " " }
    if bare.hasPrefix("=== ") {
      let name = String(bare.dropFirst(4).drop { $0 != " " }.drop { $0 == " " })
      if bare.hasPrefix("=== RUN ") { started.append(name) }
      (current, building) = (name, nil)
    } else if bare.hasPrefix("--- ") {
      result(bare.dropFirst(4))
    } else if line.hasPrefix("ok  \t") || line.hasPrefix("FAIL\t") || line.hasPrefix("?   \t") {
      close(line.split(separator: "\t").map(String.init), sink)
    } else if line.hasPrefix("# ") {
      building = String(line.dropFirst(2).prefix { $0 != " " })
    } else if let building {
      Self.append(line, to: &builds[building, default: ""])
    } else if let current, line != "PASS", line != "FAIL" {
      Self.append(line, to: &output[current, default: ""])
    }
  }

  private static func append(_ line: String, to text: inout String) {
    if text.utf8.count < outputLimit { text += line + "\n" }
  }

  /// `FAIL: TestAdd (0.00s)`; without -v what the test said follows.
  private mutating func result(_ text: Substring) {
    let parts = text.split(separator: " ")
    guard parts.count >= 2, ["PASS:", "FAIL:", "SKIP:"].contains(parts[0]) else { return }
    let name = String(parts[1])
    let digits = parts.last.map { $0.drop { $0 == "(" }.prefix { $0.isNumber || $0 == "." } }
    started.removeAll { $0 == name }
    current = name
    tests.append(
      GoText.Test(
        name: name, word: String(parts[0].dropLast()),
        durationMS: digits.flatMap { Double($0) }.map { $0 * 1000 }))
  }

  /// `ok`, the package, its time.
  private mutating func close(_ fields: [String], _ sink: some CaseSink) {
    packages += 1
    let package = fields.count > 1 ? String(fields[1].prefix { $0 != " " }) : "a package"
    let parents = Set(tests.flatMap { Self.parents(of: $0.name) })
    let failedBelow = tests.filter { $0.word == "FAIL" }
    var failed = 0
    for test in tests {
      let isParent = parents.contains(test.name)
      let isExplained = failedBelow.contains { $0.name.hasPrefix(test.name + "/") }
      if isParent, test.word != "FAIL" || isExplained { continue }
      failed += test.word == "FAIL" ? 1 : 0
      let found = ReportedCase(
        suites: [], classname: package, name: test.name, definition: nil,
        attempts: [Self.attempt(test, output[test.name])])
      notes.give(found, to: sink)
    }
    judge(fields, package, failed)
    (tests, started, output, current, building) = ([], [], [:], nil, nil)
  }

  private mutating func judge(_ fields: [String], _ package: String, _ failed: Int) {
    if fields[0] == "FAIL" {
      let isBuild = fields.contains {
        $0.contains("[build failed]") || $0.contains("[setup failed]")
      }
      if isBuild || failed == 0 {
        notes.add(
          RunError(
            stage: isBuild ? .build : .suite, adapter: nil,
            message: boundedMessage(
              (isBuild ? "the package \(package) does not build" : "the package \(package) failed")
                + (builds[package].map { ": \($0)" } ?? "")), suite: package))
      }
    } else if failed > 0 || !started.isEmpty {
      notes.breaks(
        .countsDisagree, "the package \(package) says ok, which does not fit its tests")
    } else if tests.isEmpty, fields[0].hasPrefix("ok") {
      silent += 1
    }
  }

  private static func parents(of name: String) -> [String] {
    name.indices.filter { name[$0] == "/" }.map { String(name[..<$0]) }
  }

  private static func attempt(_ test: GoText.Test, _ output: String?) -> Attempt {
    let text = output.map { String($0.reversed().drop(while: \.isNewline).reversed()) }
    switch test.word {
    case "PASS": return Attempt(outcome: .passed, rawStatus: "PASS", durationMS: test.durationMS)
    case "SKIP":
      return Attempt(
        outcome: .skipped, rawStatus: "SKIP", durationMS: test.durationMS,
        note: text.map { String($0.drop { $0 == " " }.prefix(200)) })
    default:
      return Attempt(
        outcome: .failed, rawStatus: "FAIL", durationMS: test.durationMS,
        failures: [Failure(message: boundedMessage(text ?? "FAIL"))])
    }
  }

  fileprivate mutating func finish(_ sink: some CaseSink) -> ReportReading {
    if silent > 0 {
      notes.add(
        .noTests, "\(silent) packages are ok, but only -v or -json says which tests they ran")
    }
    if !tests.isEmpty || !started.isEmpty {
      notes.breaks(.truncated, "the last package has no closing line")
      close(["", "a package without a name"], sink)
    }
    if packages == 0 { notes.breaks(.malformed, "no package says how it went") }
    return notes.reading
  }
}

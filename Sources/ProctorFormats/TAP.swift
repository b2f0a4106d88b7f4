public import FoundationEssentials
import ProctorModel

/// Reads the Test Anything Protocol, versions 12 to 14 (testanything.org/tap-version-14-specification).
///
/// Subtests are the indented form of version 14 and of Test::More. The tests inside are the cases; the
/// line that closes a subtest is one only where it says something that they do not. What is no TAP is
/// the tests' own output and is passed over. Without its plan a file is not whole.
public enum TAP {
  public static func decode(_ data: Data) -> (cases: [ReportedCase], reading: ReportReading) {
    var block = TAPBlock()
    // Cut as bytes: to a string, a carriage return and a line feed are one character.
    let lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      .map {
        String(decoding: $0.last == UInt8(ascii: "\r") ? $0.dropLast() : $0, as: UTF8.self)[...]
      }
    var rest = lines[...]
    block.read(&rest, indent: 0)
    var notes: [ReportReading.Note] = []
    if let problem = block.problem {
      notes.append(
        ReportReading.Note(kind: block.isCut ? .truncated : .malformed, message: problem))
    }
    return (
      block.cases,
      ReportReading(
        cases: block.cases.count, errors: [], notes: notes, isComplete: block.problem == nil)
    )
  }
}

/// One level of a TAP document: the document itself, or a subtest.
private struct TAPBlock {
  private(set) var cases: [ReportedCase] = []
  private(set) var problem: String?
  /// Whether what is missing is the end.
  private(set) var isCut = false
  private var plan: Int?
  private var seen = 0
  private var last: Line?
  private var comments: [String] = []
  /// What the subtest before this line held.
  private var subtest: (cases: [ReportedCase], problem: String?)?

  /// `ok 3 - the name # SKIP why`.
  private struct Line {
    let passed: Bool
    let number: Int?
    let name: String
    let directive: String?
    let reason: String?

    init?(_ text: Substring) {
      let failed = text.hasPrefix("not ok")
      guard failed || text.hasPrefix("ok") else { return nil }
      var rest = text.dropFirst(failed ? 6 : 2)
      guard rest.isEmpty || rest.first == " " else { return nil }
      rest = rest.drop { $0 == " " }
      let digits = rest.prefix { $0.isNumber }
      number = Int(digits)
      rest = rest.dropFirst(digits.count).drop { $0 == " " }
      // Version 12 producers leave the number out: `ok` alone is what prove writes about a file.
      if number == nil && rest.isEmpty { return nil }
      if rest.hasPrefix("- ") { rest = rest.dropFirst(2) } else if rest == "-" { rest = "" }
      passed = !failed
      var text = rest
      var word: String?
      var why: String?
      for mark in rest.ranges(of: "#").reversed()
      where mark.lowerBound == rest.startIndex || rest[..<mark.lowerBound].last != "\\" {
        let after = rest[mark.upperBound...].drop { $0 == " " }
        let directive = after.prefix { $0.isLetter }.lowercased()
        guard directive == "todo" || directive.hasPrefix("skip") else { continue }
        word = directive == "todo" ? "todo" : "skip"
        why = String(after.drop { !$0.isWhitespace }.drop { $0 == " " })
        text = rest[..<mark.lowerBound]
        break
      }
      directive = word
      reason = why.flatMap { $0.isEmpty ? nil : $0 }
      while text.last == " " { text = text.dropLast() }
      name = String(text).replacing("\\#", with: "#")
    }
  }

  mutating func read(_ lines: inout ArraySlice<Substring>, indent: Int) {
    while let whole = lines.first, problem == nil {
      let blanks = whole.prefix { $0 == " " }.count
      let text = whole.dropFirst(min(blanks, indent))
      if blanks < indent, !whole.allSatisfy({ $0 == " " }) { break }
      if blanks >= indent + 4, startsBlock(whole.dropFirst(indent + 4)) {
        settle()
        var inner = TAPBlock()
        inner.read(&lines, indent: indent + 4)
        subtest = (inner.cases, inner.problem)
        continue
      }
      lines.removeFirst()
      take(text, &lines, indent: indent)
    }
    settle()
    finish()
  }

  private func startsBlock(_ text: Substring) -> Bool {
    text.hasPrefix("# Subtest") || text.hasPrefix("1..") || Line(text) != nil
      || text.hasPrefix("TAP version")
  }

  private mutating func take(
    _ text: Substring, _ lines: inout ArraySlice<Substring>, indent: Int
  ) {
    if let line = Line(text) {
      settle()
      last = line
      comments = []
    } else if text.hasPrefix("1..") {
      settle()
      plan = Int(text.dropFirst(3).prefix { $0.isNumber })
    } else if text.hasPrefix("Bail out!") {
      settle()
      problem = "the run bailed out: \(text.dropFirst(9).drop { $0 == " " })"
    } else if text.hasPrefix("  ---"), last != nil {
      while let next = lines.first {
        lines.removeFirst()
        if next.drop(while: { $0 == " " }) == "..." { break }
        comments.append(String(next.dropFirst(min(next.count, indent + 2))))
      }
    } else if text.hasPrefix("#") {
      comments.append(String(text.dropFirst().drop { $0 == " " }))
    }
  }

  /// What follows a line about a test, its diagnostics, is read: the test is one.
  private mutating func settle() {
    guard let line = last else { return }
    last = nil
    seen += 1
    if let number = line.number, number != seen {
      problem = "test \(number) came where test \(seen) was due"
    }
    let name = line.name.isEmpty ? "test \(line.number ?? seen)" : line.name
    if let inner = subtest {
      subtest = nil
      let nested = inner.cases.map { found in
        ReportedCase(
          suites: [name] + found.suites, classname: nil, name: found.name, definition: nil,
          attempts: found.attempts)
      }
      cases += nested
      if problem == nil, let inside = inner.problem { problem = "\(name): \(inside)" }
      let failedInside = nested.contains { $0.outcome.countsAsFailed }
      if !nested.isEmpty, line.passed || failedInside { return }
    }
    cases.append(
      ReportedCase(
        suites: [], classname: nil, name: name, definition: nil, attempts: [attempt(line)]))
  }

  private func attempt(_ line: Line) -> Attempt {
    switch (line.directive, line.passed) {
    case ("skip"?, _):
      return Attempt(outcome: .skipped, rawStatus: "skip", note: line.reason)
    case ("todo"?, _):
      return Attempt(outcome: .skipped, rawStatus: "todo", note: line.reason)
    case (_, true): return Attempt(outcome: .passed, rawStatus: "ok")
    case (_, false):
      let words = comments.joined(separator: "\n")
      return Attempt(
        outcome: .failed, rawStatus: "not ok",
        failures: [
          Failure(message: words.isEmpty ? "not ok" : String(words.prefix(JUnitXML.messageLimit)))
        ])
    }
  }

  private mutating func finish() {
    guard problem == nil else { return }
    if subtest?.cases.isEmpty == false {
      problem = "a subtest has no closing line"
      isCut = true
    } else if let plan, plan != seen {
      problem = "\(plan) tests were planned and \(seen) reported"
      isCut = seen < plan
    } else if plan == nil {
      problem = "the plan is missing, so tests may be"
      isCut = true
    }
  }
}

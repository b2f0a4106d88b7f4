public import FoundationEssentials
import ProctorModel

/// Reads what `cargo test` prints for people: a last resort.
///
/// Tests can print lines that look like results, so nothing of it is believed without the line of
/// totals at the end of each binary's tests, which must agree.
public enum CargoText {
  fileprivate struct Binary {
    var name: String?
    let announced: Int
    var tests: [(name: String, word: String, note: String?)] = []
    var output: [String: String] = [:]

    func count(_ word: String) -> Int { tests.count { $0.word == word } }
  }

  fileprivate struct Reader {
    var notes = ReadingNotes()
    var title: String?
    var binary: Binary?
    /// The test whose output is being shown.
    var showing: String?
    var compileErrors: [String] = []
    var isInError = false
    var binaries = 0
  }

  public static func decode(
    _ pieces: some Sequence<Data>, into sink: some CaseSink
  ) -> ReportReading {
    var reader = Reader()
    reader.notes.add(
      .plainText,
      "text for people: tests can print what looks like a result; only totals that agree are believed"
    )
    let tooLong = LineSplitter.split(pieces) { line, _ in
      reader.take(String(decoding: line, as: UTF8.self).withoutTerminalCodes, sink)
    }
    if tooLong > 0 { reader.notes.breaks(.refused, "\(tooLong) lines are too long") }
    return reader.finish(sink)
  }
}

extension CargoText.Reader {
  private static let outputLimit = 64 * 1024

  fileprivate mutating func take(_ line: String, _ sink: some CaseSink) {
    if binary == nil {
      takeBetween(line)
    } else if line.hasPrefix("test result: ") {
      close(line, sink)
    } else if line.hasPrefix("---- "), line.hasSuffix(" stdout ----") {
      showing = String(line.dropFirst(5).dropLast(12))
    } else if line == "failures:" || line == "successes:" {
      showing = nil
    } else if let showing {
      append(line, to: showing)
    } else if line.hasPrefix("test "), let mark = line.ranges(of: " ... ").last {
      result(line, mark)
    }
  }

  private mutating func takeBetween(_ line: String) {
    let bare = line.drop { $0 == " " }
    if let count = Self.announced(line) {
      isInError = false
      binaries += 1
      binary = CargoText.Binary(name: title, announced: count)
      title = nil
    } else if bare.hasPrefix("Running ") || bare.hasPrefix("Doc-tests ") {
      title = String(bare.drop { $0 != " " }.dropFirst())
      // `Running unittests src/lib.rs (target/debug/deps/name-0123)`: the hash says nothing.
      if let place = title?.firstRange(of: " (") {
        title = title.map { String($0[..<place.lowerBound]) }
      }
    } else if line.hasPrefix("error[") || line.hasPrefix("error: ") {
      // Cargo's own last words about tests that failed are none of the compiler's.
      isInError =
        !["test failed", "doctest failed", "Recipe", "1 target failed"].contains {
          line.dropFirst(7).hasPrefix($0)
        } && !line.contains("targets failed")
      if isInError { compileErrors.append(line) }
    } else if isInError, !line.isEmpty, let last = compileErrors.indices.last,
      compileErrors[last].utf8.count < JUnitXML.messageLimit
    {
      compileErrors[last] += "\n" + line
    } else if line.isEmpty {
      isInError = false
    }
  }

  private static func announced(_ line: String) -> Int? {
    guard line.hasPrefix("running ") else { return nil }
    let rest = line.dropFirst(8)
    guard rest.hasSuffix(" tests") || rest.hasSuffix(" test") else { return nil }
    return Int(rest.prefix { $0.isNumber })
  }

  private mutating func result(_ line: String, _ mark: Range<String.Index>) {
    var name = String(line[..<mark.lowerBound].dropFirst(5))
    if name.hasSuffix(" - should panic") { name = String(name.dropLast(15)) }
    let said = line[mark.upperBound...]
    let word = said.prefix { $0.isLetter }
    guard ["ok", "FAILED", "ignored", "bench"].contains(word) else { return }
    let note = said.dropFirst(word.count).trimmingPrefix(", ")
    binary?.tests.append(
      (name, String(word), note.isEmpty || word != "ignored" ? nil : String(note)))
  }

  private mutating func append(_ line: String, to name: String) {
    guard (binary?.output[name]?.utf8.count ?? 0) < Self.outputLimit else { return }
    binary?.output[name, default: ""] += line + "\n"
  }

  /// `test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s`.
  private mutating func close(_ line: String, _ sink: some CaseSink) {
    guard let ended = binary else { return }
    binary = nil
    showing = nil
    give(ended, sink)
    let fields = line.split(whereSeparator: { $0 == ";" || $0 == "." })
    func said(_ word: String) -> Int? {
      fields.lazy.map { $0.drop { $0 == " " } }.first { $0.hasSuffix(" " + word) }
        .flatMap { Int($0.prefix { $0.isNumber }) }
    }
    let rows = [
      ("passed", "ok"), ("failed", "FAILED"), ("ignored", "ignored"), ("measured", "bench"),
    ].map { (word: $0, said: said($0), held: ended.count($1)) }
    let agrees =
      rows.allSatisfy { $0.said == nil ? $0.held == 0 : $0.said == $0.held }
      && ended.announced == ended.tests.count
    if !agrees {
      notes.breaks(
        .countsDisagree,
        "\(ended.name ?? "a binary") announced \(ended.announced) tests and its totals do not fit the \(ended.tests.count) that are in the text"
      )
    }
  }

  private mutating func give(_ binary: CargoText.Binary, _ sink: some CaseSink) {
    for test in binary.tests {
      let found = ReportedCase(
        suites: [binary.name].compactMap(\.self), classname: nil, name: notes.name(test.name),
        definition: nil, attempts: [Self.attempt(test.word, test.note, binary.output[test.name])])
      notes.give(found, to: sink)
    }
  }

  private static func attempt(_ word: String, _ note: String?, _ output: String?) -> Attempt {
    switch word {
    case "ok", "bench": return Attempt(outcome: .passed, rawStatus: word)
    case "ignored": return Attempt(outcome: .skipped, rawStatus: word, note: note)
    default:
      let text = output.map { $0.trimmingPrefix("\n") }.map(String.init) ?? ""
      return Attempt(
        outcome: .failed, rawStatus: word,
        failures: [Failure(message: boundedMessage(text.isEmpty ? word : text))])
    }
  }

  fileprivate mutating func finish(_ sink: some CaseSink) -> ReportReading {
    if let cut = binary {
      give(cut, sink)
      notes.breaks(.truncated, "\(cut.name ?? "a binary") has no line of totals")
    }
    for error in compileErrors {
      notes.add(RunError(stage: .build, adapter: nil, message: boundedMessage(error)))
    }
    if binaries == 0, compileErrors.isEmpty {
      notes.breaks(.malformed, "no test binary says that it runs its tests")
    }
    return notes.reading
  }
}

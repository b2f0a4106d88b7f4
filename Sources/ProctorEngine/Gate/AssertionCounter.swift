/// Counts what looks like an assertion in the lines of a test. A heuristic: it reads words, not the language.
struct AssertionCounter {
  private let words: [String]
  private let comments: [String]
  private let lines: [Substring]

  /// - Parameters:
  ///   - file: whose ending tells the language.
  ///   - text: of the whole file.
  /// - Returns: nil for a language that it has no words for.
  init?(file: String, text: String) {
    let ending = file.split(separator: ".").last.map(String.init) ?? ""
    guard let language = Self.languages.first(where: { $0.endings.contains(ending) }) else {
      return nil
    }
    words = language.words
    comments = language.comments
    lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
  }

  /// In the whole file.
  var all: Int { count(lines[...]) }

  /// In one test.
  /// - Parameters:
  ///   - line: where it starts, 1-based; with its decorators or without.
  ///   - next: where the next test starts; nil for none.
  func count(from line: Int, upTo next: Int?) -> Int? {
    guard line >= 1, line <= lines.count else { return nil }
    let bound = next.map { min(max($0 - 1, line), lines.count) } ?? lines.count
    return count(body(lines[(line - 1)..<bound]))
  }

  /// By indentation, which all languages' formatters keep: up to the first line after the body that stands no deeper
  /// than the first.
  private func body(_ lines: ArraySlice<Substring>) -> ArraySlice<Substring> {
    guard let first = lines.first else { return lines }
    let margin = Self.indentation(first)
    var isInside = false
    for index in lines.indices.dropFirst() {
      let line = lines[index]
      let text = line.drop { $0 == " " || $0 == "\t" }
      if text.isEmpty { continue }
      let depth = Self.indentation(line)
      if depth > margin {
        isInside = true
      } else if depth < margin || isInside {
        // `) -> None:` and `) {` end a list of parameters, not the test.
        if depth == margin, text.first == ")", let last = text.last, ":{".contains(last) {
          continue
        }
        return lines[...index].dropLast()
      }
    }
    return lines
  }

  private static func indentation(_ line: Substring) -> Int {
    line.prefix { $0 == " " || $0 == "\t" }.count
  }

  private func count(_ lines: ArraySlice<Substring>) -> Int {
    lines.reduce(0) { sum, line in
      let text = line.drop { $0 == " " || $0 == "\t" }
      guard !comments.contains(where: text.hasPrefix) else { return sum }
      return sum + words.reduce(0) { $0 + Self.occurrences(of: $1, in: text) }
    }
  }

  /// Those before which no name goes on.
  private static func occurrences(of word: String, in text: Substring) -> Int {
    var (count, rest) = (0, text)
    while let found = rest.firstRange(of: word) {
      let before =
        found.lowerBound > text.startIndex ? text[text.index(before: found.lowerBound)] : " "
      if !(before.isLetter || before.isNumber || before == "_") || word.hasPrefix(".") {
        count += 1
      }
      rest = rest[found.upperBound...]
    }
    return count
  }

  // MARK: languages

  private struct Language {
    let endings: Set<String>
    let comments: [String]
    let words: [String]
  }

  private static let languages = [
    Language(
      endings: ["py"], comments: ["#"],
      words: [
        "assert ", "assert(", "self.assert", ".assert_", "pytest.raises", "pytest.warns",
        "pytest.fail", "self.fail(",
      ]),
    Language(
      endings: ["js", "jsx", "ts", "tsx", "mjs", "cjs", "mts", "cts"], comments: ["//", "*", "/*"],
      words: ["expect(", "expect.", "assert(", "assert.", ".should."]),
    Language(
      endings: ["rs"], comments: ["//"],
      words: [
        "assert!", "assert_eq!", "assert_ne!", "assert_matches!", "debug_assert!",
        "debug_assert_eq!", "debug_assert_ne!", "prop_assert", "panic!", "should_panic",
      ]),
    Language(
      endings: ["swift"], comments: ["//"],
      words: ["#expect", "#require", "XCTAssert", "XCTFail", "XCTUnwrap", "Issue.record"]),
    Language(
      endings: ["go"], comments: ["//"],
      words: ["t.Error", "t.Fatal", "t.Fail", "assert.", "require."]),
    Language(
      endings: ["java", "kt", "kts", "groovy", "scala", "cs"], comments: ["//", "*", "/*"],
      words: ["assert", "Assert.", "verify(", "fail(", "expect"]),
    Language(
      endings: ["rb"], comments: ["#"],
      words: ["assert", "refute", "expect(", "expect {", ".should", ".must_"]),
    Language(
      endings: ["bats", "sh"], comments: ["#"], words: ["[ ", "[[ ", "assert", "refute"]),
    Language(
      endings: ["t", "pl", "pm"], comments: ["#"],
      words: ["ok(", "ok ", "is(", "isnt(", "is_deeply(", "like(", "cmp_ok(", "fail(", "pass("]),
    Language(
      endings: ["c", "cc", "cpp", "cxx", "h", "hpp"], comments: ["//", "*", "/*"],
      words: ["assert(", "EXPECT_", "ASSERT_", "CHECK(", "CHECK_", "REQUIRE(", "REQUIRE_"]),
  ]
}

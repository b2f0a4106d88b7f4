import ProctorModel

/// Failing tests with one cause, as far as their messages and places tell.
struct FailureGroup: Sendable {
  /// In listing order, never empty.
  var tests: [TestResult]

  private struct Cause: Hashable {
    let message: String
    let outcome: Outcome
    let file: String?
    let line: Int?
  }

  /// The largest first, then in listing order.
  static func all(of tests: [TestResult]) -> [FailureGroup] {
    var groups: [FailureGroup] = []
    var places: [Cause: Int] = [:]
    for test in tests where test.outcome.countsAsFailed {
      let failure = test.last.failures.first
      // Without a message and a place there is nothing they have in common.
      let cause = Cause(
        message: neutral(failure?.message.unixLines.first ?? test.test.id.text),
        outcome: test.outcome, file: failure?.location?.file, line: failure?.location?.line)
      if let index = places[cause] {
        groups[index].tests.append(test)
      } else {
        places[cause] = groups.count
        groups.append(FailureGroup(tests: [test]))
      }
    }
    return groups.enumerated().sorted {
      ($1.element.tests.count, $0.offset) < ($0.element.tests.count, $1.offset)
    }.map(\.element)
  }

  /// A message without what differs from test to test: numbers, addresses, what is quoted, paths.
  static func neutral(_ message: String) -> String {
    var result = ""
    var rest = message.prefix(500)[...]
    while let character = rest.first {
      if character.isQuote, let end = rest.dropFirst().firstIndex(of: character) {
        result += "\"\""
        rest = rest[rest.index(after: end)...]
      } else if character.isWord {
        let word = rest.prefix { $0.isWord }
        result += neutralWord(word)
        rest = rest.dropFirst(word.count)
      } else {
        result.append(character)
        rest = rest.dropFirst()
      }
    }
    return result
  }

  private static func neutralWord(_ word: Substring) -> String {
    if word.contains("/") { return "/" }
    if word.contains(where: \.isNumber) { return "0" }
    return String(word)
  }
}

/// Errors outside tests that say the same of several places: a module that no test file can import.
struct ErrorGroup: Sendable {
  /// Never empty.
  var errors: [RunError]

  private struct Cause: Hashable {
    let stage: RunError.Stage
    let code: String?
    let message: String?
  }

  /// Those of most places first, then in the order they came.
  static func all(of errors: [RunError]) -> [ErrorGroup] {
    var groups: [ErrorGroup] = []
    var places: [Cause: Int] = [:]
    for error in errors {
      let cause = Cause(
        stage: error.stage, code: error.code, message: error.message.unixLines.first)
      if let index = places[cause] {
        groups[index].errors.append(error)
      } else {
        places[cause] = groups.count
        groups.append(ErrorGroup(errors: [error]))
      }
    }
    return groups.enumerated().sorted {
      ($1.element.errors.count, $0.offset) < ($0.element.errors.count, $1.offset)
    }.map(\.element)
  }
}

extension Character {
  fileprivate var isQuote: Bool { self == "'" || self == "\"" || self == "`" }
  fileprivate var isWord: Bool { isLetter || isNumber || "/._-".contains(self) }
}

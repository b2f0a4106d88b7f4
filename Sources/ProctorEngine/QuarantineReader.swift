import FoundationEssentials
import ProctorModel
import TOMLKit

/// Reads `proctor-quarantine.toml`; every complaint names the file and the line.
struct QuarantineReader {
  static let fileName = "proctor-quarantine.toml"
  private static let known = ["test", "pattern", "owner", "reason", "expires"]
  private static let header = "quarantine"

  private let text: String

  /// - Throws: `EngineError` with code `configuration`.
  static func read(_ text: String) throws(EngineError) -> [QuarantineEntry] {
    try QuarantineReader(text: text).entries()
  }

  private func entries() throws(EngineError) -> [QuarantineEntry] {
    var result: [QuarantineEntry] = []
    for (key, value) in try table() {
      guard key == Self.header else {
        throw complaint("unknown key \(key)", at: line(of: key), "Known here: [[quarantine]].")
      }
      guard let items = value.array else {
        throw complaint("quarantine must be entries, [[quarantine]] each", at: line(of: key))
      }
      for (index, item) in items.enumerated() {
        guard let table = item.table else {
          throw complaint("an entry of quarantine is no table", at: line(of: key))
        }
        result.append(try entry(table, index))
      }
    }
    let subjects = result.map(\.subject)
    for (index, subject) in subjects.enumerated() where subjects[..<index].contains(subject) {
      throw complaint("\(result[index].text) is quarantined twice", at: start(of: index))
    }
    return result
  }

  private func table() throws(EngineError) -> TOMLTable {
    do {
      return try TOMLTable(string: text)
    } catch let error as TOMLParseError {
      throw complaint(error.description, at: error.source.begin.line, "Correct the TOML syntax.")
    } catch {
      throw complaint("\(error)", at: nil, "Correct the TOML syntax.")
    }
  }

  private func entry(_ table: TOMLTable, _ index: Int) throws(EngineError) -> QuarantineEntry {
    for (key, _) in table where !Self.known.contains(key) {
      throw complaint(
        "unknown key \(key)", at: line(of: key, in: index),
        "Known keys here: \(Self.known.joined(separator: ", ")).")
    }
    let (test, pattern) = (
      try optional("test", table, index), try optional("pattern", table, index)
    )
    let subject: QuarantineEntry.Subject
    switch (test, pattern) {
    case (let test?, nil): subject = .id(TestID(text: test))
    case (nil, let pattern?):
      do {
        _ = try Pattern(pattern)
      } catch {
        throw complaint(error.message, at: line(of: "pattern", in: index), error.resolution)
      }
      subject = .pattern(pattern)
    default:
      throw complaint(
        "an entry names either a test (its id) or a pattern (a regex on full names)",
        at: start(of: index))
    }
    return QuarantineEntry(
      subject: subject, owner: try required("owner", table, index),
      reason: try required("reason", table, index), expires: try date(table, index))
  }

  // MARK: values

  private func optional(
    _ key: String, _ table: TOMLTable, _ index: Int
  ) throws(EngineError) -> String? {
    guard let value = table[key] else { return nil }
    guard let text = value.string, text.contains(where: { !$0.isWhitespace }) else {
      throw complaint("\(key) must be a text", at: line(of: key, in: index))
    }
    return text
  }

  private func required(
    _ key: String, _ table: TOMLTable, _ index: Int
  ) throws(EngineError) -> String {
    guard let text = try optional(key, table, index) else {
      throw complaint(
        "an entry without \(key)", at: start(of: index),
        "Each entry has an owner, a reason and the day on which it expires.")
    }
    return text
  }

  /// A date of TOML's own, or a text of its form.
  private func date(_ table: TOMLTable, _ index: Int) throws(EngineError) -> String {
    if let date = table["expires"]?.date {
      return Self.text(date.year, date.month, date.day)
    }
    if table["expires"] != nil, table["expires"]?.string == nil { throw wrongDate(index) }
    let parts = try required("expires", table, index).split(
      separator: "-", omittingEmptySubsequences: false)
    guard parts.map(\.count) == [4, 2, 2] else { throw wrongDate(index) }
    let numbers = parts.compactMap { Int($0) }
    let days = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    guard numbers.count == 3, (1...12).contains(numbers[1]),
      (1...days[numbers[1] - 1]).contains(numbers[2])
    else { throw wrongDate(index) }
    return Self.text(numbers[0], numbers[1], numbers[2])
  }

  private func wrongDate(_ index: Int) -> EngineError {
    complaint("expires must be a day, such as 2026-12-31", at: line(of: "expires", in: index))
  }

  private static func text(_ year: Int, _ month: Int, _ day: Int) -> String {
    func padded(_ number: Int, _ width: Int) -> String {
      String(repeating: "0", count: max(0, width - "\(number)".count)) + "\(number)"
    }
    return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
  }

  // MARK: lines

  private func complaint(
    _ what: String, at line: Int?, _ resolution: String = "Correct the entry, or remove it."
  ) -> EngineError {
    EngineError(
      .configuration, "\(Self.fileName)\(line.map { ":\($0)" } ?? ""): \(what)",
      resolution: resolution)
  }

  // The parser keeps no positions, so that the text is searched.

  private var lines: [Substring] {
    text.split(separator: "\n", omittingEmptySubsequences: false)
      .map { $0.drop { $0 == " " || $0 == "\t" } }
  }

  private func line(of key: String) -> Int? {
    lines.firstIndex { $0.hasPrefix(key) || $0.hasPrefix("[") && $0.contains(key) }.map { $0 + 1 }
  }

  /// Where an entry begins, 1-based; nil when it is written in another way than `[[quarantine]]`.
  private func start(of index: Int) -> Int? {
    let starts = lines.indices.filter {
      lines[$0].filter { $0 != " " && $0 != "\t" }.hasPrefix("[[\(Self.header)]]")
    }
    return starts.indices.contains(index) ? starts[index] + 1 : line(of: Self.header)
  }

  private func line(of key: String, in index: Int) -> Int? {
    guard let start = start(of: index) else { return nil }
    let inside = lines[start...].prefix { !$0.hasPrefix("[") }
    let found = inside.firstIndex {
      $0.hasPrefix(key) && $0.dropFirst(key.count).first.map { " \t=".contains($0) } == true
    }
    return found.map { $0 + 1 } ?? start
  }
}

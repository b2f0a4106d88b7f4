import FoundationEssentials
import ProctorFormats
import ProctorModel

/// Reads tests from JSON of any shape, or from lines, by the names of their fields.
struct TestTable {
  struct Problem: Error {
    let message: String
  }

  /// One test of a table.
  struct Row {
    var name: String
    var suite: String?
    var file: String?
    var line: Int?
    var id: String?
  }

  let fields: AdapterManifest.Fields?
  let context: AdapterContext

  func rows(
    _ data: Data, format: AdapterManifest.Format, pattern: String?
  ) throws(Problem) -> [Row] {
    switch format {
    case .json: return try items(data).compactMap(row)
    case .jsonLines:
      var result: [Row] = []
      for line in data.split(separator: UInt8(ascii: "\n")) {
        guard let value = JSONValue(Data(line)), let row = row(value) else { continue }
        guard let pattern else {
          result.append(row)
          continue
        }
        result += try matches(row.name, pattern).map { found in
          Row(
            name: found.name, suite: found.suite ?? row.suite, file: found.file ?? row.file,
            line: found.line ?? row.line, id: row.id)
        }
      }
      return result
    default: return try matches(String(decoding: data, as: UTF8.self), pattern ?? "^(?<name>.+)$")
    }
  }

  private func matches(_ text: String, _ pattern: String) throws(Problem) -> [Row] {
    do {
      return try RegularExpression(pattern, multiline: true).captures(in: text).compactMap {
        groups in
        groups["name"].map {
          Row(
            name: $0, suite: groups["suite"], file: groups["file"],
            line: groups["line"].flatMap { Int($0) })
        }
      }
    } catch {
      throw Problem(message: "the pattern \(pattern) cannot be used on it")
    }
  }

  private func items(_ data: Data) throws(Problem) -> [JSONValue] {
    guard let document = JSONValue(data) else {
      throw Problem(message: "it is not JSON, or cut short")
    }
    guard let list = document.at(fields?.items)?.array else {
      throw Problem(message: "it has no list \(fields?.items ?? "of tests")")
    }
    return list
  }

  private func row(_ value: JSONValue) -> Row? {
    guard let name = value.text(fields?.name ?? "name") else { return nil }
    return Row(
      name: name, suite: fields?.suite.flatMap(value.text), file: fields?.file.flatMap(value.text),
      line: fields?.line.flatMap(value.text).flatMap { Int($0) },
      id: fields?.id.flatMap(value.text))
  }

  // MARK: results

  func results(
    _ data: Data, run: AdapterManifest.Run
  ) -> (cases: [ReportedCase], reading: ReportReading) {
    do {
      let items = try items(data)
      let cases = items.compactMap { reported($0, run) }
      let document = JSONValue(data)
      let hasErrors = fields?.errors_count.map { document?.text($0) != "0" } ?? true
      let texts = hasErrors ? fields?.errors.flatMap { document?.at($0)?.array } ?? [] : []
      let errors = texts.compactMap { value in
        value.text("").map {
          RunError(stage: .collection, adapter: context.project.adapter, message: $0)
        }
      }
      // Who has no name has a result all the same.
      let notes =
        cases.count == items.count
        ? []
        : [ReportReading.Note(kind: .malformed, message: "a test in it has no name")]
      return (
        cases,
        ReportReading(
          cases: cases.count, errors: errors, notes: notes, isComplete: notes.isEmpty)
      )
    } catch {
      let note = ReportReading.Note(kind: .malformed, message: error.message)
      return ([], ReportReading(cases: 0, errors: [], notes: [note], isComplete: false))
    }
  }

  private func reported(_ value: JSONValue, _ run: AdapterManifest.Run) -> ReportedCase? {
    guard let row = row(value) else { return nil }
    return ReportedCase(
      suites: row.suite.map { [$0] } ?? [], classname: nil, name: row.name,
      definition: row.file.map { SourceLocation(file: $0, line: row.line) },
      attempts: [attempt(value, run)])
  }

  private func attempt(_ value: JSONValue, _ run: AdapterManifest.Run) -> Attempt {
    let word = fields?.status.flatMap(value.text) ?? "no status"
    let duration = fields?.duration.flatMap(value.text).flatMap(Double.init).map {
      $0 * (run.duration_unit ?? .ms).milliseconds
    }
    func means(_ outcome: String) -> Bool {
      (run.status?[outcome] ?? [outcome]).contains(word)
    }
    if means("passed") { return Attempt(outcome: .passed, rawStatus: word, durationMS: duration) }
    if means("skipped") {
      return Attempt(
        outcome: .skipped, rawStatus: word, note: fields?.note.flatMap(value.text))
    }
    let message = [fields?.message, fields?.trace].compactMap { $0.flatMap(value.text) }
      .joined(separator: "\n")
    return Attempt(
      outcome: means("failed") ? .failed : .errored, rawStatus: word, durationMS: duration,
      failures: [Failure(message: message.isEmpty ? word : message)])
  }
}

/// A JSON value of unknown shape.
enum JSONValue: Decodable {
  case text(String)
  case list([JSONValue])
  case object([String: JSONValue])
  case null

  init?(_ data: Data) {
    guard let value = try? JSONDecoder().decode(JSONValue.self, from: data) else { return nil }
    self = value
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let text = try? container.decode(String.self) {
      self = .text(text)
    } else if let bool = try? container.decode(Bool.self) {
      self = .text("\(bool)")
    } else if let number = try? container.decode(Int.self) {
      self = .text("\(number)")
    } else if let number = try? container.decode(Double.self) {
      self = .text("\(number)")
    } else if let list = try? container.decode([JSONValue].self) {
      self = .list(list)
    } else if let object = try? container.decode([String: JSONValue].self) {
      self = .object(object)
    } else {
      self = .null
    }
  }

  var array: [JSONValue]? { if case .list(let list) = self { list } else { nil } }

  /// The value at keys joined with dots; the value itself for nil.
  func at(_ path: String?) -> JSONValue? {
    guard let path else { return self }
    return path.split(separator: ".").reduce(self as JSONValue?) { value, key in
      if case .object(let object)? = value { object[String(key)] } else { nil }
    }
  }

  /// A text, number or truth value at a path; a list as lines.
  func text(_ path: String) -> String? {
    switch at(path) {
    case .text(let text)?: text
    case .list(let list)?:
      list.compactMap { if case .text(let text) = $0 { text } else { nil } }.joined(separator: "\n")
    default: nil
    }
  }
}

import Foundation

/// A fixture's `expected.json`, and how far an answer is from it.
struct ExpectedAnswer {
  private let expected: [String: Any]

  init(fixture: String) throws {
    let data = try Data(
      contentsOf: URL(
        filePath: "\(ProctorProcess.repository)/fixtures/\(fixture)/expected.json"))
    guard let object = try JSONSerialization.jsonObject(with: data) as? [String: Any] else {
      throw FixtureError("\(fixture)/expected.json is no object")
    }
    expected = object
  }

  /// As the pages write it: `failed (build_failed)`.
  var verdict: String { "\(show(expected["status"])) (\(show(expected["reason"])))" }

  /// A virtual environment below `.cache` that the fixture needs.
  var virtualEnvironment: String? { expected["virtual_environment"] as? String }

  var arguments: [String] {
    expected["arguments"] as? [String] ?? ["run"]
  }

  /// Every difference, in words; empty when the answer is as expected.
  func differences(_ answer: [String: Any], status: Int32) -> [String] {
    var result: [String] = []
    if let code = expected["exit_code"] as? Int, code != Int(status) {
      result.append("exit code \(status), expected \(code)")
    }
    for key in ["status", "reason", "total_tests", "passed", "failed", "skipped"]
    where expected[key] != nil && !same(expected[key], answer[key]) {
      result.append("\(key) is \(show(answer[key])), expected \(show(expected[key]))")
    }
    result += tests(answer) + errors(answer)
    let notes = answer["notes"] as? [String] ?? []
    for words in expected["notes_contain"] as? [String] ?? []
    where !notes.contains(where: { $0.contains(words) }) {
      result.append("no note has \(words): \(notes)")
    }
    if let words = expected["sentence_contains"] as? String {
      let sentence = answer["message"] as? String ?? answer["error"] as? String ?? ""
      if !sentence.contains(words) { result.append("the sentence lacks \(words)") }
    }
    if !result.isEmpty, let message = answer["message"] { result.append("message: \(message)") }
    return result
  }

  private func tests(_ answer: [String: Any]) -> [String] {
    guard let wanted = expected["tests"] as? [String: [String: Any]] else { return [] }
    let rows = answer["tests"] as? [[String: Any]] ?? []
    let failures = answer["failures"] as? [[String: Any]] ?? []
    func byID(_ rows: [[String: Any]]) -> [String: [String: Any]] {
      Dictionary(rows.map { ($0["id"] as? String ?? "?", $0) }) { first, _ in first }
    }
    let (all, failed) = (byID(rows), byID(failures))
    var result = Set(all.keys).subtracting(wanted.keys).sorted().map { "unexpected test \($0)" }
    result += Set(wanted.keys).subtracting(all.keys).sorted().map { "missing test \($0)" }
    for (id, keys) in wanted.sorted(by: { $0.key < $1.key }) {
      guard let row = all[id]?.merging(failed[id] ?? [:], uniquingKeysWith: { $1 }) else {
        continue
      }
      result += compare(keys, row, id)
    }
    return result
  }

  private func errors(_ answer: [String: Any]) -> [String] {
    guard let wanted = expected["errors"] as? [[String: Any]] else { return [] }
    var rows = answer["errors"] as? [[String: Any]] ?? []
    var result: [String] = []
    for keys in wanted {
      if let index = rows.firstIndex(where: { compare(keys, $0, "").isEmpty }) {
        rows.remove(at: index)
      } else {
        result.append("no error like \(keys)")
      }
    }
    return result + rows.map { "unexpected error \($0)" }
  }

  private func compare(_ keys: [String: Any], _ row: [String: Any], _ id: String) -> [String] {
    keys.sorted { $0.key < $1.key }.compactMap { key, value in
      if key == "message_contains" {
        let message = (row["error"] ?? row["message"]) as? String ?? ""
        let parts = value as? [String] ?? [value as? String ?? ""]
        let absent = parts.filter { !message.contains($0) }
        return absent.isEmpty ? nil : "\(id): message \(message.debugDescription) lacks \(absent)"
      }
      return same(value, row[key])
        ? nil : "\(id): \(key) is \(show(row[key])), expected \(show(value))"
    }
  }

  private func same(_ left: Any?, _ right: Any?) -> Bool {
    switch (left, right) {
    case (is NSNull, nil), (nil, nil): true
    case (let left as NSNumber, let right as NSNumber): left == right
    case (let left as String, let right as String): left == right
    default: false
    }
  }

  private func show(_ value: Any?) -> String { value.map { "\($0)" } ?? "absent" }
}

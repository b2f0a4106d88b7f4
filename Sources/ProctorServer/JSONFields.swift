import FoundationEssentials
import ProctorModel

/// The members of a JSON object as somebody sent them; `null` counts as absent.
struct JSONFields: Sendable {
  private let text: JSONText

  /// nil for what is no object.
  init?(_ data: Data) {
    guard let text = try? JSONText(data) else { return nil }
    self.init(text)
  }

  init?(_ text: JSONText) {
    guard text.shape == .object else { return nil }
    self.text = text
  }

  var names: [String] { text.members.keys.sorted() }

  subscript(_ name: String) -> Data? {
    guard let data = text.member(name), data != Data("null".utf8) else { return nil }
    return data
  }

  /// Whether it is there, also as `null`.
  func has(_ name: String) -> Bool { text.members[name] != nil }

  func string(_ name: String) -> String? { decoded(name) }
  func integer(_ name: String) -> Int? { decoded(name) }
  func bool(_ name: String) -> Bool? { decoded(name) }
  func fields(_ name: String) -> JSONFields? { self[name].flatMap { JSONFields($0) } }

  private func decoded<Value: Decodable>(_ name: String) -> Value? {
    self[name].flatMap { try? JSONDecoder().decode(Value.self, from: $0) }
  }
}

import FoundationEssentials
import ProctorModel

/// One argument that an operation takes.
struct Parameter: Sendable {
  enum Kind: Sendable {
    case string
    /// Above 0, at most the bound.
    case seconds(upTo: Double)
    case integer(ClosedRange<Int>)
    case boolean
    case choice([String])
    /// At least one.
    case strings
    /// Any JSON, which goes on as text.
    case json
  }

  let name: String
  let kind: Kind
  let description: String
  var isRequired = false

  init(_ name: String, _ kind: Kind, _ description: String, isRequired: Bool = false) {
    self.name = name
    self.kind = kind
    self.description = description
    self.isRequired = isRequired
  }

  /// What anybody may say with any call: why it is made.
  static let reason = Parameter(
    "reason", .string, "Why you make this call, for the user's records.")

  /// As it is taken: what is not needed may also be `null`.
  var lenientSchema: JSONValue {
    isRequired ? schema : ["anyOf": [schema, ["type": "null"]]]
  }

  var schema: JSONValue {
    let about = JSONValue.string(description)
    switch kind {
    case .string: return ["type": "string", "description": about]
    case .seconds(let most):
      return [
        "type": "number", "exclusiveMinimum": 0, "maximum": .int(Int(most)), "description": about,
      ]
    case .integer(let range):
      return [
        "type": "integer", "minimum": .int(range.lowerBound), "maximum": .int(range.upperBound),
        "description": about,
      ]
    case .boolean: return ["type": "boolean", "description": about]
    case .choice(let words):
      return ["enum": .array(words.map { .string($0) }), "description": about]
    case .strings:
      return [
        "type": "array", "items": ["type": "string"], "minItems": 1, "description": about,
      ]
    case .json: return ["description": about]
    }
  }

  /// What a value must be; nil when it is.
  func complaint(_ value: Data) -> String? {
    let decoder = JSONDecoder()
    switch kind {
    case .json: return nil
    case .string:
      return (try? decoder.decode(String.self, from: value)) == nil ? "must be a string" : nil
    case .strings:
      let texts = try? decoder.decode([String].self, from: value)
      return texts?.isEmpty == false ? nil : "must be a list of strings, with one at least"
    case .boolean:
      return (try? decoder.decode(Bool.self, from: value)) == nil ? "must be true or false" : nil
    case .seconds(let most):
      if let number = try? decoder.decode(Double.self, from: value), number > 0, number <= most {
        return nil
      }
      return "must be a number of seconds above 0 and up to \(Int(most))"
    case .integer(let range):
      if let number = try? decoder.decode(Int.self, from: value), range.contains(number) {
        return nil
      }
      return "must be an integer from \(range.lowerBound) to \(range.upperBound)"
    case .choice(let words):
      if let word = try? decoder.decode(String.self, from: value), words.contains(word) {
        return nil
      }
      return "must be one of \(words.joined(separator: ", "))"
    }
  }
}

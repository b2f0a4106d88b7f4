import FoundationEssentials
import ProctorEngine
import ProctorModel

/// The arguments of one call, each of the type that its parameter wants.
struct Arguments: Sendable {
  private let values: [String: Data]

  /// - Parameter fields: nil for none.
  /// - Throws: `EngineError` with code `usage` that names what is wrong.
  init(_ fields: JSONFields?, for parameters: [Parameter]) throws(EngineError) {
    var values: [String: Data] = [:]
    for name in fields?.names ?? [] {
      guard let parameter = parameters.first(where: { $0.name == name }) else {
        throw Self.wrong("there is no argument \"\(name.prefix(80))\"", parameters)
      }
      guard let value = fields?[name] else { continue }
      if let complaint = parameter.complaint(value) {
        throw Self.wrong("the argument \(name) \(complaint)", parameters)
      }
      values[name] = value
    }
    if let missing = parameters.first(where: { $0.isRequired && values[$0.name] == nil }) {
      throw Self.wrong("the argument \(missing.name) is missing", parameters)
    }
    self.values = values
  }

  private static func wrong(_ message: String, _ parameters: [Parameter]) -> EngineError {
    let known = parameters.map { $0.isRequired ? $0.name : "\($0.name) (optional)" }
    return EngineError(
      .usage, message, resolution: "The arguments are: \(known.joined(separator: ", ")).")
  }

  func string(_ name: String) -> String? { decoded(name) }
  func strings(_ name: String) -> [String]? { decoded(name) }
  func integer(_ name: String) -> Int? { decoded(name) }
  func seconds(_ name: String) -> Double? { decoded(name) }
  func bool(_ name: String) -> Bool { decoded(name) ?? false }

  /// The JSON text as it was sent.
  func text(_ name: String) -> String? { values[name].map { String(decoding: $0, as: UTF8.self) } }

  private func decoded<Value: Decodable>(_ name: String) -> Value? {
    values[name].flatMap { try? JSONDecoder().decode(Value.self, from: $0) }
  }
}

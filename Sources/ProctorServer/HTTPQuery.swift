import FoundationEssentials
import HTTPTypes
import Hummingbird
import ProctorModel

/// The arguments of a call that has them in its query.
struct HTTPQuery {
  private let call: HTTPCall

  init(_ call: HTTPCall) { self.call = call }

  /// A JSON object, each value as its parameter wants it; nil for none.
  func fields(for parameters: [Parameter]) throws(HTTPProblem) -> JSONFields? {
    let own = call.request.uri.queryParameters.filter {
      $0.key != HTTPWorkspaces.parameter.name[...]
    }
    let members = own.map { name, value in
      let kind = parameters.first { $0.name == name }?.kind
      return (String(name), Self.json(String(value), kind))
    }
    guard !members.isEmpty else { return nil }
    guard let fields = JSONFields(JSONValue.object(members).data) else {
      throw HTTPProblem(.badRequest, "an argument is given twice")
    }
    return fields
  }

  /// What is meant by a text.
  private static func json(_ text: String, _ kind: Parameter.Kind?) -> JSONValue {
    switch kind {
    case .string, .choice, nil: .string(text)
    case .seconds, .integer, .boolean, .strings, .json:
      (try? JSONText(Data(text.utf8))) == nil ? .string(text) : .text(Data(text.utf8))
    }
  }
}

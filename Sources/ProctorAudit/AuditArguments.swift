public import FoundationEssentials
import ProctorModel

/// The arguments of a call as a JSON object, made by doors that do not get one.
public struct AuditArguments: Sendable {
  private var members: [Data] = []

  public init() {}

  /// Absent arguments are left out.
  public mutating func add(_ name: String, _ text: String?) {
    if let text { add(name, json: MaskedJSON.quoted(text)) }
  }

  public mutating func add(_ name: String, _ number: Int?) {
    if let number { add(name, json: Data("\(number)".utf8)) }
  }

  public mutating func add(_ name: String, _ number: Double?) {
    if let number, number.isFinite { add(name, json: Data("\(number)".utf8)) }
  }

  /// Left out when it is not given.
  public mutating func add(_ name: String, flag: Bool) {
    if flag { add(name, json: Data("true".utf8)) }
  }

  /// Left out when there are none.
  public mutating func add(_ name: String, _ texts: [String]) {
    guard !texts.isEmpty else { return }
    let items = texts.map(MaskedJSON.quoted)
    add(name, json: Data("[".utf8) + Data(items.joined(separator: Data(",".utf8))) + Data("]".utf8))
  }

  /// JSON as somebody wrote it; a text when it is none.
  public mutating func add(_ name: String, text json: String) {
    let data = Data(json.utf8)
    add(name, json: (try? JSONText(data)) == nil ? MaskedJSON.quoted(json) : data)
  }

  private mutating func add(_ name: String, json: Data) {
    members.append(MaskedJSON.quoted(name) + Data(":".utf8) + json)
  }

  public var data: Data {
    Data("{".utf8) + Data(members.joined(separator: Data(",".utf8))) + Data("}".utf8)
  }
}

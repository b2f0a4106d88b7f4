import FoundationEssentials

/// JSON to be written, on one line, its keys in the order in which they are given.
indirect enum JSONValue: Sendable {
  case object([(String, JSONValue)])
  case array([JSONValue])
  case string(String)
  case int(Int)
  case number(Double)
  case bool(Bool)
  case null
  /// The text of a value, which is put in as it is: numbers of any size stay what they are.
  case text(Data)

  var data: Data {
    var result = Data()
    write(to: &result)
    return result
  }

  private func write(to data: inout Data) {
    switch self {
    case .object(let members):
      Self.list(members, between: "{", "}", &data) { member, data in
        Self.quote(member.0, &data)
        data.append(UInt8(ascii: ":"))
        member.1.write(to: &data)
      }
    case .array(let items):
      Self.list(items, between: "[", "]", &data) { item, data in item.write(to: &data) }
    case .string(let text): Self.quote(text, &data)
    case .int(let number): data.append(contentsOf: "\(number)".utf8)
    case .number(let number): data.append(contentsOf: (number.isFinite ? "\(number)" : "null").utf8)
    case .bool(let value): data.append(contentsOf: (value ? "true" : "false").utf8)
    case .null: data.append(contentsOf: "null".utf8)
    case .text(let text): data.append(text)
    }
  }

  private static func list<Item>(
    _ items: [Item], between start: Unicode.Scalar, _ end: Unicode.Scalar, _ data: inout Data,
    _ write: (Item, inout Data) -> Void
  ) {
    data.append(UInt8(ascii: start))
    for (index, item) in items.enumerated() {
      if index > 0 { data.append(UInt8(ascii: ",")) }
      write(item, &data)
    }
    data.append(UInt8(ascii: end))
  }

  private static func quote(_ text: String, _ data: inout Data) {
    data.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        data.append(UInt8(ascii: "\\"))
        data.append(byte)
      case UInt8(ascii: "\n"): data.append(contentsOf: #"\n"#.utf8)
      case 0..<0x20, 0x7f:
        let digits = String(byte, radix: 16)
        data.append(contentsOf: "\\u00\(digits.count < 2 ? "0" : "")\(digits)".utf8)
      default: data.append(byte)
      }
    }
    data.append(UInt8(ascii: "\""))
  }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByStringInterpolation,
  ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral,
  ExpressibleByDictionaryLiteral
{
  init(stringLiteral text: String) { self = .string(text) }
  init(integerLiteral number: Int) { self = .int(number) }
  init(booleanLiteral value: Bool) { self = .bool(value) }
  init(arrayLiteral items: JSONValue...) { self = .array(items) }
  /// Members without a value are left out.
  init(dictionaryLiteral members: (String, JSONValue?)...) {
    self = .object(members.compactMap { name, value in value.map { (name, $0) } })
  }
}

import FoundationEssentials

/// JSON as text: numbers of any size stay as they are written.
enum JSONText {
  enum Shape { case array, object, scalar }

  /// nil when it is not JSON.
  static func shape(_ text: String) -> Shape? {
    let wrapped = Data("[\(text)]".utf8)
    guard let values = try? JSONDecoder().decode([Anything].self, from: wrapped), values.count == 1
    else { return nil }
    switch text.first(where: { !$0.isWhitespace }) {
    case "[": return .array
    case "{": return .object
    default: return .scalar
    }
  }

  /// The text of one member of an object that is known to be valid JSON; the first of that name.
  static func member(_ name: String, of object: Data) -> Data? {
    let bytes = Array(object)
    var depth = 0
    var index = 0
    var key: String?
    var valueStart: Int?
    while index < bytes.count {
      switch bytes[index] {
      case UInt8(ascii: "\""):
        let start = index
        index += 1
        while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
          index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        guard index < bytes.count else { return nil }
        if depth == 1, valueStart == nil, key == nil {
          key = String(decoding: bytes[(start + 1)..<index], as: UTF8.self)
        }
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: ":") where depth == 1 && valueStart == nil: valueStart = index + 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: ","):
        let isEnd = depth == 1
        if isEnd, let start = valueStart {
          if key == name { return Data(bytes[start..<index]) }
          (key, valueStart) = (nil, nil)
        }
        if bytes[index] != UInt8(ascii: ",") { depth -= 1 }
      default: break
      }
      index += 1
    }
    return nil
  }

  /// Any JSON value, of which nothing is kept.
  private struct Anything: Decodable {
    init(from decoder: any Decoder) throws {}
  }
}

public import FoundationEssentials

/// JSON as text: numbers of any size stay as they are written.
///
/// Decoders pass over what they are not asked for; here every byte is looked at.
public struct JSONText: Sendable {
  public enum Shape: Sendable { case array, object, scalar }

  public enum Problem: Error, Hashable, Sendable {
    case syntax
    /// Nested deeper than `depthLimit`.
    case depth
  }

  public static let depthLimit = 500

  public let shape: Shape
  /// The texts of an object's members; empty for other values. An object may not name one twice.
  public let members: [String: Range<Int>]
  private let bytes: [UInt8]

  /// - Throws: `Problem` when it is not exactly one JSON value in UTF-8.
  public init(_ data: some Sequence<UInt8>) throws(Problem) {
    bytes = Array(data)
    guard String(validating: bytes, as: UTF8.self) != nil else { throw .syntax }
    var scanner = Scanner(bytes: bytes)
    scanner.skipBlanks()
    switch scanner.next {
    case UInt8(ascii: "["): shape = .array
    case UInt8(ascii: "{"): shape = .object
    default: shape = .scalar
    }
    try scanner.value(depth: 0)
    scanner.skipBlanks()
    guard scanner.isAtEnd else { throw .syntax }
    members = scanner.members
  }

  /// The text of a member.
  public func member(_ name: String) -> Data? { members[name].map { Data(bytes[$0]) } }

  /// JSON without blanks between its parts: one line.
  public static func compacted(_ data: Data) -> Data {
    var result = Data(capacity: data.count)
    var (isString, isEscaped) = (false, false)
    for byte in data {
      if isString {
        (isString, isEscaped) = (
          isEscaped || byte != UInt8(ascii: "\""), !isEscaped && byte == UInt8(ascii: "\\")
        )
      } else if byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d {
        continue
      } else {
        isString = byte == UInt8(ascii: "\"")
      }
      result.append(byte)
    }
    return result
  }

  /// Half of a surrogate pair is no character: strict readers refuse the whole text. It becomes U+FFFD.
  public static func repaired(_ data: Data) -> Data {
    guard
      data.firstRange(of: Data(#"\ud"#.utf8)) != nil
        || data.firstRange(of: Data(#"\uD"#.utf8)) != nil
    else { return data }
    var bytes = Array(data)
    var index = 0
    while index < bytes.count {
      guard bytes[index] == UInt8(ascii: "\\") else {
        index += 1
        continue
      }
      guard let unit = unit(bytes, index) else {
        index += 2
        continue
      }
      if (0xd800..<0xdc00).contains(unit), let low = self.unit(bytes, index + 6),
        (0xdc00..<0xe000).contains(low)
      {
        index += 12
        continue
      }
      if (0xd800..<0xe000).contains(unit) {
        bytes.replaceSubrange(index + 2..<index + 6, with: "fffd".utf8)
      }
      index += 6
    }
    return Data(bytes)
  }

  /// The number of an escape `\uXXXX` that begins here.
  private static func unit(_ bytes: [UInt8], _ index: Int) -> Int? {
    guard index + 6 <= bytes.count, bytes[index] == UInt8(ascii: "\\"),
      bytes[index + 1] == UInt8(ascii: "u")
    else { return nil }
    return Int(String(decoding: bytes[index + 2..<index + 6], as: UTF8.self), radix: 16)
  }
}

private struct Scanner {
  let bytes: [UInt8]
  var index = 0
  var members: [String: Range<Int>] = [:]

  var isAtEnd: Bool { index == bytes.count }
  var next: UInt8? { index < bytes.count ? bytes[index] : nil }

  mutating func skipBlanks() {
    while let byte = next, [0x20, 0x09, 0x0a, 0x0d].contains(byte) { index += 1 }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard next == UInt8(ascii: character) else { return false }
    index += 1
    return true
  }

  mutating func value(depth: Int) throws(JSONText.Problem) {
    guard depth <= JSONText.depthLimit else { throw .depth }
    switch next {
    case UInt8(ascii: "["):
      try list(depth, end: "]") { scanner throws(JSONText.Problem) in
        try scanner.value(depth: depth + 1)
      }
    case UInt8(ascii: "{"):
      try list(depth, end: "}") { scanner throws(JSONText.Problem) in
        try scanner.pair(depth)
      }
    case UInt8(ascii: "\""): try string()
    case UInt8(ascii: "t"): try word("true")
    case UInt8(ascii: "f"): try word("false")
    case UInt8(ascii: "n"): try word("null")
    default: try number()
    }
  }

  private mutating func list(
    _ depth: Int, end: Unicode.Scalar, _ item: (inout Scanner) throws(JSONText.Problem) -> Void
  ) throws(JSONText.Problem) {
    index += 1
    skipBlanks()
    if take(end) { return }
    while true {
      skipBlanks()
      try item(&self)
      skipBlanks()
      if take(end) { return }
      guard take(",") else { throw .syntax }
    }
  }

  private mutating func pair(_ depth: Int) throws(JSONText.Problem) {
    let start = index
    try string()
    let name = bytes[start..<index]
    skipBlanks()
    guard take(":") else { throw .syntax }
    skipBlanks()
    let valueStart = index
    try value(depth: depth + 1)
    guard depth == 0 else { return }
    // Readers differ in which of two they take, however a name is written.
    guard let key = try? JSONDecoder().decode(String.self, from: Data(name)),
      members.updateValue(valueStart..<index, forKey: key) == nil
    else { throw .syntax }
  }

  private mutating func string() throws(JSONText.Problem) {
    guard take("\"") else { throw .syntax }
    while let byte = next {
      index += 1
      switch byte {
      case UInt8(ascii: "\""): return
      case UInt8(ascii: "\\"): try escape()
      case 0..<0x20: throw .syntax
      default: break
      }
    }
    throw .syntax
  }

  private mutating func escape() throws(JSONText.Problem) {
    guard let byte = next else { throw .syntax }
    index += 1
    guard byte == UInt8(ascii: "u") else {
      guard #""\/bfnrt"#.utf8.contains(byte) else { throw .syntax }
      return
    }
    for _ in 0..<4 {
      guard let digit = next, Character(Unicode.Scalar(digit)).isHexDigit, digit < 0x80 else {
        throw .syntax
      }
      index += 1
    }
  }

  private mutating func word(_ text: StaticString) throws(JSONText.Problem) {
    let wanted = text.withUTF8Buffer { Array($0) }
    guard bytes[index...].starts(with: wanted) else { throw .syntax }
    index += wanted.count
  }

  private mutating func number() throws(JSONText.Problem) {
    _ = take("-")
    if !take("0") { try digits() }
    if take(".") { try digits() }
    if take("e") || take("E") {
      if !take("+") { _ = take("-") }
      try digits()
    }
  }

  private mutating func digits() throws(JSONText.Problem) {
    let start = index
    while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { index += 1 }
    guard index > start else { throw .syntax }
  }
}

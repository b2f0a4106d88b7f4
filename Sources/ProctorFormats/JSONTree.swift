import FoundationEssentials

/// JSON as a tree, for reports whose keys come and go with the versions of the tool that writes them.
enum JSONTree {
  case null
  case bool(Bool)
  case number(Double)
  case string(String)
  case array([JSONTree])
  case object([String: JSONTree])

  /// A member of an object; nil when it is absent, or `null`.
  subscript(_ key: String) -> JSONTree? {
    guard case .object(let members) = self, let value = members[key] else { return nil }
    if case .null = value { return nil }
    return value
  }

  var string: String? { if case .string(let text) = self { text } else { nil } }
  /// nil for an empty one, too.
  var text: String? { string.flatMap { $0.isEmpty ? nil : $0 } }
  var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  var array: [JSONTree]? { if case .array(let items) = self { items } else { nil } }
  var members: [String: JSONTree]? { if case .object(let members) = self { members } else { nil } }

  /// Also of a number in quotes.
  var number: Double? {
    switch self {
    case .number(let value): value
    case .string(let text): Double(text)
    default: nil
    }
  }

  /// nil for what is no whole number from 0.
  var count: Int? { number.flatMap { $0 >= 0 ? Int(exactly: $0) : nil } }
  var line: Int? { number.flatMap { Int(exactly: $0) } }
}

/// Reads JSON as far as it can be understood: what comes before the place where it breaks off, or is
/// wrong, is kept.
struct JSONTreeReader {
  enum Problem: Hashable {
    /// It ends in the middle.
    case cut
    /// - Parameter offset: 0-based, in bytes.
    case syntax(offset: Int)
    /// Nested deeper than `depthLimit`.
    case depth
  }

  static let depthLimit = 200

  private let bytes: UnsafeBufferPointer<UInt8>
  private var index: Int
  private(set) var problem: Problem?

  /// The first value in a text, and what is wrong with it.
  /// - Returns: `end`, the first byte that is not part of it.
  static func read(_ data: some ContiguousBytes) -> (tree: JSONTree?, problem: Problem?, end: Int) {
    data.withUnsafeBytes { raw in
      raw.withMemoryRebound(to: UInt8.self) { bytes in
        var reader = JSONTreeReader(bytes)
        let tree = reader.value(0)
        return (tree, reader.problem, reader.index)
      }
    }
  }

  private init(_ bytes: UnsafeBufferPointer<UInt8>) {
    self.bytes = bytes
    index = 0
  }

  private var next: UInt8? { index < bytes.count ? bytes[index] : nil }

  private mutating func skipBlanks() {
    while let byte = next, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 {
      index += 1
    }
  }

  private mutating func fail(_ found: Problem? = nil) -> JSONTree? {
    if problem == nil { problem = found ?? (next == nil ? .cut : .syntax(offset: index)) }
    return nil
  }

  private mutating func value(_ depth: Int) -> JSONTree? {
    guard depth <= Self.depthLimit else { return fail(.depth) }
    skipBlanks()
    switch next {
    case UInt8(ascii: "{"): return object(depth)
    case UInt8(ascii: "["): return array(depth)
    case UInt8(ascii: "\""): return string().map { .string($0) }
    case UInt8(ascii: "-"): return number()
    case let byte? where (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte): return number()
    default: return word()
    }
  }

  private mutating func array(_ depth: Int) -> JSONTree? {
    var items: [JSONTree] = []
    index += 1
    skipBlanks()
    if take("]") { return .array([]) }
    while true {
      if let item = value(depth + 1) { items.append(item) }
      if problem != nil { return .array(items) }
      skipBlanks()
      if take("]") { return .array(items) }
      guard take(",") else {
        _ = fail()
        return .array(items)
      }
    }
  }

  private mutating func object(_ depth: Int) -> JSONTree? {
    var members: [String: JSONTree] = [:]
    index += 1
    skipBlanks()
    if take("}") { return .object([:]) }
    while true {
      skipBlanks()
      guard next == UInt8(ascii: "\""), let key = string() else {
        _ = fail()
        return .object(members)
      }
      skipBlanks()
      guard take(":") else {
        _ = fail()
        return .object(members)
      }
      if let value = value(depth + 1) { members[key] = value }
      if problem != nil { return .object(members) }
      skipBlanks()
      if take("}") { return .object(members) }
      guard take(",") else {
        _ = fail()
        return .object(members)
      }
    }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard next == UInt8(ascii: character) else { return false }
    index += 1
    return true
  }

  private mutating func number() -> JSONTree? {
    let start = index
    while let byte = next, Self.isOfNumber(byte) { index += 1 }
    // Python writes -Infinity for what JSON has no number for.
    if index == start + 1, bytes[start] == UInt8(ascii: "-"), next == UInt8(ascii: "I") {
      return word()
    }
    let text = String(decoding: bytes[start..<index], as: UTF8.self)
    if let value = Double(text) { return .number(value) }
    if next == nil { return fail(.cut) }
    return fail(.syntax(offset: start))
  }

  private static func isOfNumber(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"),
      UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"):
      true
    default: false
    }
  }

  private mutating func word() -> JSONTree? {
    let words: [(StaticString, JSONTree)] = [
      ("true", .bool(true)), ("false", .bool(false)), ("null", .null), ("NaN", .null),
      ("Infinity", .null),
    ]
    let rest = bytes[index...]
    for (word, value) in words {
      let wanted = UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
      if rest.starts(with: wanted) {
        index += wanted.count
        return value
      }
      if rest.count < wanted.count, wanted.starts(with: rest) {
        index = bytes.count
        return fail(.cut)
      }
    }
    return fail()
  }

  // MARK: strings

  /// What is not UTF-8, and half a surrogate pair, becomes U+FFFD.
  private mutating func string() -> String? {
    index += 1
    let start = index
    while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") { index += 1 }
    if take("\"") { return String(decoding: bytes[start..<index - 1], as: UTF8.self) }
    var text = Array(bytes[start..<index])
    while let byte = next {
      index += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"):
        guard escape(&text) else { return nil }
      default: text.append(byte)
      }
    }
    _ = fail(.cut)
    return nil
  }

  private mutating func escape(_ text: inout [UInt8]) -> Bool {
    guard let byte = next else {
      _ = fail(.cut)
      return false
    }
    index += 1
    switch byte {
    case UInt8(ascii: "n"): text.append(0x0a)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "r"): text.append(0x0d)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0c)
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "u"): return unicode(&text)
    default:
      _ = fail(.syntax(offset: index - 1))
      return false
    }
    return true
  }

  private mutating func unicode(_ text: inout [UInt8]) -> Bool {
    guard let unit = unit() else { return false }
    var scalar = Unicode.Scalar(unit)
    if UTF16.isLeadSurrogate(UInt16(unit)), next == UInt8(ascii: "\\"),
      index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: "u")
    {
      let before = index
      index += 2
      guard let low = self.unit() else { return false }
      if UTF16.isTrailSurrogate(UInt16(low)) {
        scalar = Unicode.Scalar(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00))
      } else {
        index = before
      }
    }
    text.append(contentsOf: String(Character(scalar ?? "\u{fffd}")).utf8)
    return true
  }

  private mutating func unit() -> UInt32? {
    guard index + 4 <= bytes.count else {
      index = bytes.count
      _ = fail(.cut)
      return nil
    }
    let digits = bytes[index..<index + 4]
    let isHex = digits.allSatisfy { byte in
      (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
    }
    guard isHex, let value = UInt32(String(decoding: digits, as: UTF8.self), radix: 16) else {
      _ = fail(.syntax(offset: index))
      return nil
    }
    index += 4
    return value
  }
}

import Glibc

/// Makes UTF-8 fit for an XML parser: what is not UTF-8, or no character of XML 1.0, becomes U+FFFD.
///
/// That includes references such as `&#27;`: well-meaning tools write them, and XML forbids them.
struct XMLTextRepair {
  private static let replacement: [UInt8] = [0xef, 0xbf, 0xbd]
  /// The longest reference that is looked at: `&#x0010FFFF;`.
  private static let referenceLength = 12

  private var carry: [UInt8] = []
  private(set) var replacedBytes = false
  private(set) var replacedCharacters = false

  /// Takes bytes cut anywhere; keeps back a character or reference that is not whole yet.
  mutating func take(_ bytes: [UInt8], isLast: Bool) -> [UInt8] {
    let content = XMLContent(of: bytes)
    if carry.isEmpty, content.isPlain { return bytes }
    let isASCII = !content.hasHigh && carry.allSatisfy { $0 < 0x80 }
    let hasOnlyReferences = isASCII && !content.hasControl && carry.allSatisfy { $0 >= 0x20 }
    var whole = carry + bytes
    let cut = isLast ? whole.count : Self.safeCut(whole)
    carry = Array(whole[cut...])
    whole.removeSubrange(cut...)
    if !isASCII, String(validating: whole, as: UTF8.self) == nil {
      replacedBytes = true
      whole = Array(String(decoding: whole, as: UTF8.self).utf8)
    }
    return replacingForbidden(whole, onlyReferences: hasOnlyReferences)
  }

  /// - Parameter onlyReferences: nothing but references can be forbidden.
  private mutating func replacingForbidden(_ bytes: [UInt8], onlyReferences: Bool) -> [UInt8] {
    var result: [UInt8] = []
    var copied = 0
    var index = Self.nextSuspect(bytes, from: 0, onlyReferences)
    while index < bytes.count {
      let length = Self.forbiddenLength(bytes[index...])
      if length > 0 {
        if copied == 0 { result.reserveCapacity(bytes.count + 64) }
        result += bytes[copied..<index]
        result += Self.replacement
        copied = index + length
        replacedCharacters = true
      }
      index = Self.nextSuspect(bytes, from: index + max(1, length), onlyReferences)
    }
    return copied == 0 ? bytes : result + bytes[copied...]
  }

  private static func nextSuspect(
    _ bytes: [UInt8], from start: Int, _ onlyReferences: Bool
  ) -> Int {
    bytes.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress, start < bytes.count else { return bytes.count }
      if onlyReferences {
        let found = memchr(base + start, Int32(UInt8(ascii: "&")), bytes.count - start)
        return found.map { UnsafeRawPointer($0) - base } ?? bytes.count
      }
      var index = start
      while index < bytes.count, !isSuspect(bytes[index]) { index += 1 }
      return index
    }
  }

  /// Control characters, and the starts of U+FFFE, U+FFFF and references.
  private static func isSuspect(_ byte: UInt8) -> Bool {
    byte < 0x20 && byte != 0x09 && byte != 0x0a && byte != 0x0d
      || byte == 0xef || byte == UInt8(ascii: "&")
  }

  /// How many bytes at the start stand for a character that XML forbids; 0 if it is allowed.
  private static func forbiddenLength(_ bytes: ArraySlice<UInt8>) -> Int {
    let start = bytes.startIndex
    switch bytes[start] {
    case UInt8(ascii: "&"): return forbiddenReferenceLength(bytes)
    case 0xef:
      guard bytes.count >= 3, bytes[start + 1] == 0xbf else { return 0 }
      return bytes[start + 2] >= 0xbe ? 3 : 0
    default: return 1
    }
  }

  private static func forbiddenReferenceLength(_ bytes: ArraySlice<UInt8>) -> Int {
    let head = bytes.prefix(referenceLength)
    guard head.starts(with: "&#".utf8), let end = head.firstIndex(of: UInt8(ascii: ";")) else {
      return 0
    }
    let digits = String(decoding: head[(head.startIndex + 2)..<end], as: UTF8.self)
    let value = digits.hasPrefix("x") ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
    guard let value, !isAllowed(value) else { return 0 }
    return end - head.startIndex + 1
  }

  private static func isAllowed(_ value: UInt32) -> Bool {
    switch value {
    case 0x9, 0xa, 0xd, 0x20...0xd7ff, 0xe000...0xfffd, 0x10000...0x10ffff: true
    default: false
    }
  }

  /// The end of what can be judged without knowing what follows.
  private static func safeCut(_ bytes: [UInt8]) -> Int {
    var cut = bytes.count
    for back in 1...3 where back <= bytes.count {
      let byte = bytes[bytes.count - back]
      let length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
      if length > back { cut = bytes.count - back }
      if byte & 0xc0 != 0x80 { break }
    }
    let end = bytes[..<cut].suffix(referenceLength - 1)
    if let start = end.lastIndex(of: UInt8(ascii: "&")), !end[start...].contains(UInt8(ascii: ";"))
    {
      cut = start
    }
    return cut
  }
}

/// Turns UTF-16 into UTF-8; lone surrogates become U+FFFD.
struct UTF16Repair {
  let isBigEndian: Bool
  private var carry: [UInt8] = []
  private var isFirst = true
  private(set) var replacedUnits = false

  init(isBigEndian: Bool) { self.isBigEndian = isBigEndian }

  /// Takes bytes cut anywhere.
  mutating func take(_ bytes: [UInt8], isLast: Bool) -> [UInt8] {
    let whole = carry + bytes
    var units = stride(from: 0, to: whole.count - 1, by: 2).map { index in
      let (first, second) = (UInt16(whole[index]), UInt16(whole[index + 1]))
      return isBigEndian ? first << 8 | second : second << 8 | first
    }
    var used = units.count * 2
    if !isLast, let last = units.last, UTF16.isLeadSurrogate(last) {
      units.removeLast()
      used -= 2
    }
    carry = Array(whole[used...])
    if isLast && !carry.isEmpty { replacedUnits = true }
    if isFirst, !units.isEmpty {
      isFirst = false
      if units[0] == 0xfeff { units.removeFirst() }
    }
    if String(validating: units, as: UTF16.self) == nil { replacedUnits = true }
    return Array(String(decoding: units, as: UTF16.self).utf8)
  }
}

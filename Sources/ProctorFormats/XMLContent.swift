/// What kinds of bytes a text holds, found out many at a time.
struct XMLContent {
  /// Bytes that are not ASCII.
  private(set) var hasHigh = false
  /// Control characters other than tab, line feed and carriage return.
  private(set) var hasControl = false
  private(set) var hasReference = false

  /// Nothing in it can be invalid, forbidden or a reference.
  var isPlain: Bool { !hasHigh && !hasControl && !hasReference }

  init(of bytes: [UInt8]) {
    bytes.withUnsafeBytes { look(at: $0) }
  }

  private mutating func look(at bytes: UnsafeRawBufferPointer) {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let tops = ones << 7
    var high: UInt64 = 0
    var references: UInt64 = 0
    var index = 0
    while index + 8 <= bytes.count {
      let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
      high |= word
      // The top bit of a byte is set where one of the word is zero, and below 0x20 respectively.
      let other = word ^ (ones &* UInt64(UInt8(ascii: "&")))
      references |= (other &- ones) & ~other
      if (word &- (ones &* 0x20)) & ~word & tops != 0 {
        for offset in index..<index + 8 { look(at: bytes[offset]) }
      }
      index += 8
    }
    hasHigh = high & tops != 0
    hasReference = references & tops != 0
    for byte in bytes[index...] {
      if byte >= 0x80 { hasHigh = true }
      if byte == UInt8(ascii: "&") { hasReference = true }
      look(at: byte)
    }
  }

  private mutating func look(at byte: UInt8) {
    if byte < 0x20, byte != 0x0a, byte != 0x0d, byte != 0x09 { hasControl = true }
  }
}

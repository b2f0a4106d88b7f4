/// Numbers as JUnit XML writers put them down.
enum JUnitXMLNumber {
  /// A `time` attribute, in seconds, as milliseconds; nil when absent, negative or ambiguous.
  ///
  /// `1,234.5` groups thousands (surefire), `1E-07` is .NET's, `0,5` is a locale's decimal comma;
  /// `1,234` could be either and stays unknown.
  static func milliseconds(_ text: String) -> Double? {
    let plain = text.filter { !$0.isWhitespace }
    guard !plain.isEmpty, plain.allSatisfy({ "0123456789.,eE+-".contains($0) }),
      let dotted = withDecimalPoint(plain), let seconds = Double(dotted), seconds >= 0
    else { return nil }
    // Whole nanoseconds: what is smaller comes from binary fractions.
    let nanoseconds = (seconds * 1e9).rounded()
    return nanoseconds.isFinite ? nanoseconds / 1e6 : nil
  }

  /// The same of bytes, quick for the usual `12.345`.
  static func milliseconds(_ bytes: UnsafeBufferPointer<UInt8>) -> Double? {
    var (digits, decimals, point) = (0, 0, false)
    guard bytes.count <= 16 else { return milliseconds(String(decoding: bytes, as: UTF8.self)) }
    for byte in bytes {
      if byte == UInt8(ascii: "."), !point {
        point = true
      } else if byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
        digits = digits * 10 + Int(byte - UInt8(ascii: "0"))
        decimals += point ? 1 : 0
      } else {
        return milliseconds(String(decoding: bytes, as: UTF8.self))
      }
    }
    guard decimals <= 9, bytes.count > (point ? 1 : 0) else {
      return milliseconds(String(decoding: bytes, as: UTF8.self))
    }
    return Double(digits) / powers[decimals] * 1000
  }

  private static let powers: [Double] = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9]

  /// A count; nil when it is none.
  static func count(_ text: String) -> Int? {
    Int(text.filter { $0 != "," && !$0.isWhitespace }).flatMap { $0 >= 0 ? $0 : nil }
  }

  private static func withDecimalPoint(_ text: String) -> String? {
    guard let lastComma = text.lastIndex(of: ",") else { return text }
    if let lastDot = text.lastIndex(of: ".") {
      let decimal: Character = lastDot > lastComma ? "." : ","
      return text.filter { $0 == decimal || ($0 != "." && $0 != ",") }
        .replacing(",", with: ".")
    }
    let groups = text.split(separator: ",", omittingEmptySubsequences: false)
    if groups.count > 2 { return groups.joined() }
    let isAmbiguous = groups[1].count == 3 && groups[0] != "0" && groups[1].allSatisfy(\.isNumber)
    return isAmbiguous ? nil : groups.joined(separator: ".")
  }
}

import ProctorModel

/// Identifiers in the shapes that formats ask for, the same for the same text on every machine. No protection against
/// anyone.
enum StableID {
  /// 32 hexadecimal digits.
  static func hex128(_ text: String) -> String {
    Fingerprint.of(text) + Fingerprint.of("\(text)\n128")
  }

  /// 16 hexadecimal digits, not all zero.
  static func hex64(_ text: String) -> String {
    let digits = Fingerprint.of(text)
    return digits.allSatisfy { $0 == "0" } ? "0000000000000001" : digits
  }

  /// A UUID of version 8, whose bits are anybody's to define (RFC 9562, section 5.8).
  static func uuid(_ text: String) -> String {
    var digits = Array(hex128(text))
    digits[12] = "8"
    digits[16] = "8"
    let parts = [0..<8, 8..<12, 12..<16, 16..<20, 20..<32]
    return parts.map { String(digits[$0]) }.joined(separator: "-")
  }
}

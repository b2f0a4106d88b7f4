/// A short name for a content, for cache entries; no protection against anyone.
public enum Fingerprint {
  /// FNV-1a, 64 bits, as 16 hexadecimal digits.
  public static func of(_ bytes: [UInt8]) -> String {
    var value: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  public static func of(_ text: String) -> String { of(Array(text.utf8)) }
}

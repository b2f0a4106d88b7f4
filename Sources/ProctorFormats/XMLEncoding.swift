/// What an XML file's first bytes say about its encoding.
enum XMLEncoding: Equatable {
  case utf8
  case utf16(isBigEndian: Bool)
  /// Left to libxml2 and its converters.
  case other

  /// - Parameter bytes: the start of the file, at least its declaration.
  init(startOf bytes: [UInt8]) {
    switch bytes.prefix(4) {
    case [0xff, 0xfe, 0, 0], [0, 0, 0xfe, 0xff]: self = .other
    case let start where start.starts(with: [0xff, 0xfe]): self = .utf16(isBigEndian: false)
    case let start where start.starts(with: [0xfe, 0xff]): self = .utf16(isBigEndian: true)
    case [0x3c, 0, 0, 0], [0, 0, 0, 0x3c]: self = .other
    case let start where start.starts(with: [0x3c, 0]): self = .utf16(isBigEndian: false)
    case let start where start.starts(with: [0, 0x3c]): self = .utf16(isBigEndian: true)
    default: self = Self.isUnicode(Self.declared(in: bytes)) ? .utf8 : .other
    }
  }

  /// .NET tools declare UTF-16, the encoding of their strings, in files they write as UTF-8.
  private static func isUnicode(_ name: String?) -> Bool {
    guard let name else { return true }
    return ["utf-8", "utf8", "us-ascii", "ascii", "utf-16", "unicode"].contains(name)
  }

  /// The name in `<?xml ... encoding="NAME"?>`, lowercased.
  private static func declared(in bytes: [UInt8]) -> String? {
    let start = String(decoding: bytes.prefix(256), as: UTF8.self)
    guard start.contains("<?xml"), let end = start.firstRange(of: "?>"),
      let key = start[..<end.lowerBound].firstRange(of: "encoding")
    else { return nil }
    let value = start[key.upperBound..<end.lowerBound].drop { $0 == "=" || $0.isWhitespace }
    guard let quote = value.first, quote == "\"" || quote == "'" else { return nil }
    return value.dropFirst().prefix { $0 != quote }.lowercased()
  }
}

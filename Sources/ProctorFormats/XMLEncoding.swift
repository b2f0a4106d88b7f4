/// What an XML file's first bytes say about its encoding.
enum XMLEncoding: Equatable {
  case utf8
  case utf16(isBigEndian: Bool)
  /// Left to libxml2's converters, by this name. Markup is written in it as in ASCII, and the bytes of
  /// `<`, `!`, `-`, `?` and `>` mean nothing else.
  case other(String)
  case unsupported(String)

  /// - Parameter bytes: the start of the file, at least its declaration.
  init(startOf bytes: [UInt8]) {
    switch bytes.prefix(4) {
    case [0xff, 0xfe, 0, 0], [0, 0, 0xfe, 0xff]: self = .unsupported("UTF-32")
    case let start where start.starts(with: [0xff, 0xfe]): self = .utf16(isBigEndian: false)
    case let start where start.starts(with: [0xfe, 0xff]): self = .utf16(isBigEndian: true)
    case [0x3c, 0, 0, 0], [0, 0, 0, 0x3c]: self = .unsupported("UTF-32")
    case let start where start.starts(with: [0x3c, 0]): self = .utf16(isBigEndian: false)
    case let start where start.starts(with: [0, 0x3c]): self = .utf16(isBigEndian: true)
    default: self = Self.named(Self.declared(in: bytes) ?? "utf-8")
    }
  }

  private static func named(_ name: String) -> XMLEncoding {
    // .NET tools declare UTF-16, the encoding of their strings, in files they write as UTF-8.
    if ["utf-8", "utf8", "us-ascii", "ascii", "utf-16", "unicode"].contains(name) { return .utf8 }
    let known = others.contains(name) || otherFamilies.contains { name.hasPrefix($0) }
    return known ? .other(name) : .unsupported(name)
  }

  private static let others: Set<String> = [
    "latin1", "koi8-r", "koi8-u", "shift_jis", "cp932", "euc-jp", "euc-kr", "gbk", "gb2312",
    "gb18030", "big5",
  ]
  private static let otherFamilies = ["iso-8859-", "windows-125", "cp125"]

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

public import FoundationEssentials

/// A line that a client sent.
public enum InputLine: Sendable {
  /// Bytes of one line; of a longer one nothing is kept.
  public static let limit = 8 << 20

  /// Without its end.
  case line(Data)
  case tooLong
}

/// Cuts what comes into lines.
struct LineCutter {
  private var rest = Data()
  private var isTooLong = false

  /// - Returns: the lines that have come to their end.
  mutating func take(_ bytes: Data) -> [InputLine] {
    var lines: [InputLine] = []
    var bytes = bytes[...]
    while let end = bytes.firstIndex(of: UInt8(ascii: "\n")) {
      keep(bytes[..<end])
      lines.append(isTooLong ? .tooLong : .line(rest))
      (rest, isTooLong) = (Data(), false)
      bytes = bytes[bytes.index(after: end)...]
    }
    keep(bytes)
    return lines
  }

  private mutating func keep(_ bytes: Data) {
    isTooLong = isTooLong || rest.count + bytes.count > InputLine.limit
    if isTooLong { rest = Data() } else { rest.append(bytes) }
  }
}

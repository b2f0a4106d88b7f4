/// Output of a program, bounded: the middle is cut and the cut is counted.
public struct CapturedText: Hashable, Sendable {
  /// The text that was kept; invalid UTF-8 is replaced.
  public let text: String
  /// How many bytes were cut out of the middle; 0 when all is there.
  public let omittedBytes: Int

  /// Bytes kept of one stream of one test.
  public static let perTestLimit = 64 * 1024

  public init(text: String, omittedBytes: Int = 0) {
    self.text = text
    self.omittedBytes = omittedBytes
  }

  /// Keeps the first and the last half of `limit` bytes.
  public init(bytes: some Collection<UInt8>, limit: Int = CapturedText.perTestLimit) {
    guard bytes.count > limit else {
      self.init(text: String(decoding: bytes, as: UTF8.self))
      return
    }
    let omitted = bytes.count - limit
    let head = String(decoding: bytes.prefix(limit / 2), as: UTF8.self)
    let tail = String(decoding: bytes.suffix(limit - limit / 2), as: UTF8.self)
    self.init(text: "\(head)\n[... \(omitted) bytes cut ...]\n\(tail)", omittedBytes: omitted)
  }

  /// Text that holds something, or nil: absent is absent, never "".
  public var nonEmpty: CapturedText? { text.isEmpty ? nil : self }
}

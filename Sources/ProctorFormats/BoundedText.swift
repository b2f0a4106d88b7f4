import ProctorModel

/// Text that comes in pieces and is kept within a limit: its start, its end, and how much is missing.
struct BoundedText {
  private static let half = CapturedText.perTestLimit / 2

  private var head: [UInt8] = []
  private var tail: [UInt8] = []
  /// Bytes left out between the two.
  private var omitted = 0

  mutating func append(_ bytes: some Collection<UInt8>) {
    let room = omitted == 0 ? Self.half - head.count : 0
    head += bytes.prefix(room)
    let rest = bytes.dropFirst(room)
    // A text of many megabytes need not be copied to keep its end.
    let skipped = max(0, rest.count - 2 * Self.half)
    if skipped > 0 {
      omitted += tail.count + skipped
      tail = []
    }
    tail += rest.suffix(2 * Self.half)
    if tail.count > 4 * Self.half {
      omitted += tail.count - Self.half
      tail = tail.suffix(Self.half)
    }
  }

  mutating func append(_ more: BoundedText) {
    append(more.head)
    if more.omitted > 0 {
      omitted += tail.count + more.omitted
      tail = []
    }
    append(more.tail)
  }

  var captured: CapturedText {
    if omitted == 0 && tail.count <= Self.half {
      return CapturedText(text: String(decoding: head + tail, as: UTF8.self))
    }
    let end = tail.suffix(Self.half)
    let missing = omitted + tail.count - end.count
    let start = String(decoding: head, as: UTF8.self)
    return CapturedText(
      text: "\(start)\n[... \(missing) bytes cut ...]\n\(String(decoding: end, as: UTF8.self))",
      omittedBytes: missing)
  }
}

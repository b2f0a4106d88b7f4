import FoundationEssentials

/// Bytes of an XML file on their way to the parser: as UTF-8 that XML can hold, where the encoding
/// is one of Unicode's; otherwise as they are.
///
/// Tools write raw terminal output into reports, and one stray byte would end the parsing.
/// A class because the parser's C callback holds on to it.
final class XMLByteSource {
  enum Prologue {
    /// Nothing before the root element declares entities.
    case clear
    case documentType
    /// Too long to be sure, or in an encoding that only the parser knows.
    case unknown
  }

  private static let pieceSize = 64 * 1024
  private static let tailSize = 256
  /// libxml2's reader parses the last 512 bytes in one go with the end of the file, and when that is
  /// an error, hands out nothing of them: what is whole must not be among them.
  private static let padding = [UInt8](repeating: 0x20, count: 1024)

  private var pieces: AnyIterator<Data>
  private var current = Data()
  private var ended = false
  private var encoding = XMLEncoding.utf8
  private var utf16 = UTF16Repair(isBigEndian: false)
  private var repair = XMLTextRepair()
  private var ready: ArraySlice<UInt8> = []
  /// Converted, but held back until it is known whether it is the end.
  private var held: [UInt8] = []
  private(set) var prologue = Prologue.unknown
  /// The root element's name as written; nil when the prologue does not show it.
  private(set) var rootName: String?
  /// The last bytes of the file, once all were given out.
  private(set) var tail: [UInt8] = []

  init(_ pieces: some Sequence<Data>) {
    self.pieces = AnyIterator(pieces.makeIterator())
    prime()
  }

  /// Whether the parser is given UTF-8, whatever the file declares.
  var isUTF8: Bool { encoding != .other }

  var notes: [ReportReading.Note] {
    var result: [ReportReading.Note] = []
    if repair.replacedBytes || utf16.replacedUnits {
      let name = encoding == .utf8 ? "UTF-8" : "UTF-16"
      result.append(.init(kind: .repaired, message: "invalid \(name) was replaced"))
    }
    if repair.replacedCharacters {
      result.append(
        .init(kind: .repaired, message: "control characters that XML cannot hold were replaced"))
    }
    return result
  }

  /// Copies up to `count` bytes; 0 at the end.
  func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    while ready.isEmpty && !ended { ready = more()[...] }
    let taken = ready.prefix(buffer.count)
    buffer.copyBytes(from: taken)
    ready = ready.dropFirst(taken.count)
    return taken.count
  }

  /// Reads what the parser left, for `tail`.
  func drain() {
    withUnsafeTemporaryAllocation(byteCount: Self.pieceSize, alignment: 1) { buffer in
      while read(into: buffer) > 0 {}
    }
  }

  private func prime() {
    var first: [UInt8] = []
    while first.count < Self.pieceSize, let piece = nextPiece() { first += piece }
    encoding = XMLEncoding(startOf: first)
    if case .utf16(let isBigEndian) = encoding { utf16 = UTF16Repair(isBigEndian: isBigEndian) }
    var start = convert(first, isLast: ended)
    if isUTF8 {
      // A blank line before the XML declaration is an error to the parser and to nobody else.
      start = Array(start.trimmingPrefix { $0 == 0x20 || (0x09...0x0d).contains($0) })
      prologue = judge(start)
    }
    held = start
    if ended { ready = last() }
  }

  private func more() -> [UInt8] {
    while let piece = nextPiece() {
      let next = convert(piece, isLast: false)
      guard next.count >= Self.padding.count else {
        held += next
        continue
      }
      defer { held = next }
      return held
    }
    held += convert([], isLast: true)
    return Array(last())
  }

  /// What is held, with the padding after its last tag.
  private func last() -> ArraySlice<UInt8> {
    tail = held.suffix(Self.tailSize)
    guard isUTF8, let end = held.lastIndex(of: UInt8(ascii: ">")) else { return held[...] }
    return (held[...end] + Self.padding + held[(end + 1)...])[...]
  }

  private func nextPiece() -> [UInt8]? {
    while current.isEmpty {
      guard let next = pieces.next() else {
        ended = true
        return nil
      }
      current = next
    }
    let piece = current.prefix(Self.pieceSize)
    current = current.dropFirst(piece.count)
    return Array(piece)
  }

  private func convert(_ bytes: [UInt8], isLast: Bool) -> [UInt8] {
    switch encoding {
    case .utf8: repair.take(bytes, isLast: isLast)
    case .utf16: repair.take(utf16.take(bytes, isLast: isLast), isLast: isLast)
    case .other: bytes
    }
  }

  /// Steps over declarations and comments to whatever comes before the root element.
  private func judge(_ start: [UInt8]) -> Prologue {
    var rest = start[...]
    while true {
      rest = rest.drop { $0 == 0x20 || (0x09...0x0d).contains($0) }
      let end: [UInt8]
      if rest.starts(with: "<?".utf8) {
        end = Array("?>".utf8)
      } else if rest.starts(with: "<!--".utf8) {
        end = Array("-->".utf8)
      } else if rest.starts(with: "<!".utf8) {
        return .documentType
      } else {
        let name = rest.dropFirst().prefix { $0 > 0x20 && $0 != 0x2f && $0 != 0x3e }
        rootName = name.isEmpty ? nil : String(decoding: name, as: UTF8.self)
        return name.isEmpty ? .unknown : .clear
      }
      guard let found = rest.firstRange(of: end) else { return .unknown }
      rest = rest[found.upperBound...]
    }
  }
}

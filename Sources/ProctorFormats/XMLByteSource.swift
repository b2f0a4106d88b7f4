import FoundationEssentials

/// Bytes of an XML file on their way to the parser: as UTF-8 that XML can hold, where the encoding
/// is one of Unicode's; otherwise as they are.
///
/// Tools write raw terminal output into reports, and one stray byte would end the parsing.
final class XMLByteSource {
  private enum Prologue {
    /// The root element follows, and nothing before it declares anything.
    case clear(root: String)
    case documentType
    /// More bytes are needed to tell.
    case unfinished
    case noElement
  }

  private static let blockSize = 64 * 1024
  /// Bytes of comments before the root element.
  private static let prologueLimit = 1 << 20
  private static let tailSize = 256

  private var pieces: AnyIterator<Data>
  private var current = Data()
  private var ended = false
  private var encoding = XMLEncoding.utf8
  private var utf16 = UTF16Repair(isBigEndian: false)
  private var repair = XMLTextRepair()
  /// Converted, and looked at for what comes before the root element.
  private var held: [UInt8] = []
  /// The root element's name as written.
  private(set) var rootName = ""
  /// Why this file must not be given to the parser. It gets only what was seen to declare no entities:
  /// it expands those in attributes before anyone can ask what they come to.
  private(set) var objection: ReportReading.Note?
  /// The last bytes that were given out.
  private(set) var tail: ArraySlice<UInt8> = []

  init(_ pieces: some Sequence<Data>) {
    self.pieces = AnyIterator(pieces.makeIterator())
    prime()
  }

  /// What the parser is given, whatever the file declares.
  var encodingName: String {
    if case .other(let name) = encoding { name } else { "UTF-8" }
  }

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

  /// The next bytes; nil at the end.
  func next() -> ArraySlice<UInt8>? {
    var block = held
    held = []
    while block.isEmpty {
      if ended { return nil }
      block = convert(nextBlock(), isLast: ended)
    }
    tail =
      block.count < Self.tailSize
      ? (tail + block).suffix(Self.tailSize) : block.suffix(Self.tailSize)
    return block[...]
  }

  /// Reads what the parser left, for `tail`.
  func drain() {
    while next() != nil {}
  }

  private func prime() {
    let first = nextBlock()
    encoding = XMLEncoding(startOf: first)
    if case .utf16(let isBigEndian) = encoding { utf16 = UTF16Repair(isBigEndian: isBigEndian) }
    // A blank line before the XML declaration is an error to the parser and to nobody else.
    held = Array(Self.withoutMark(convert(first, isLast: ended)).drop(while: Self.isBlank))
    var prologue = Self.judge(held)
    while case .unfinished = prologue, held.count < Self.prologueLimit, !ended {
      held += convert(nextBlock(), isLast: ended)
      prologue = Self.judge(held)
    }
    objection = object(to: prologue)
    if case .clear(let root) = prologue { rootName = root }
  }

  private func object(to prologue: Prologue) -> ReportReading.Note? {
    if case .unsupported(let name) = encoding {
      return .init(kind: .refused, message: "the encoding \(name) is not supported")
    }
    switch prologue {
    case .clear: return nil
    case .documentType:
      return .init(
        kind: .refused,
        message: "the file has a document type declaration, which is not processed")
    case .noElement:
      return .init(kind: .malformed, message: "the file does not start like XML")
    case .unfinished:
      guard ended else {
        return .init(kind: .refused, message: "too much comes before the root element")
      }
      let message = held.isEmpty ? "the file is empty" : "the file ends before its root element"
      return .init(kind: .truncated, message: message)
    }
  }

  private static func withoutMark(_ bytes: [UInt8]) -> ArraySlice<UInt8> {
    bytes.starts(with: [0xef, 0xbb, 0xbf]) ? bytes.dropFirst(3) : bytes[...]
  }

  private static func isBlank(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d
  }

  /// A whole block, or what is left; nothing is left once it is shorter.
  private func nextBlock() -> [UInt8] {
    var block: [UInt8] = []
    block.reserveCapacity(Self.blockSize)
    while block.count < Self.blockSize {
      if current.isEmpty {
        guard let next = pieces.next() else {
          ended = true
          break
        }
        current = next
      }
      let taken = current.prefix(Self.blockSize - block.count)
      current = current.dropFirst(taken.count)
      taken.withUnsafeBytes { block.append(contentsOf: $0) }
    }
    return block
  }

  private func convert(_ bytes: [UInt8], isLast: Bool) -> [UInt8] {
    switch encoding {
    case .utf8: repair.take(bytes, isLast: isLast)
    case .utf16: repair.take(utf16.take(bytes, isLast: isLast), isLast: isLast)
    case .other, .unsupported: bytes
    }
  }

  /// Steps over declarations and comments to whatever comes before the root element.
  private static func judge(_ start: [UInt8]) -> Prologue {
    var rest = start[...]
    while true {
      rest = rest.drop(while: isBlank)
      // Enough to tell a comment from a declaration.
      guard rest.count >= 4 else { return .unfinished }
      let end: String
      if rest.starts(with: "<?".utf8) {
        end = "?>"
      } else if rest.starts(with: "<!--".utf8) {
        end = "-->"
        rest = rest.dropFirst(4)
      } else if rest.starts(with: "<!".utf8) {
        return .documentType
      } else {
        let name = rest.dropFirst().prefix { !isBlank($0) && $0 != 0x2f && $0 != 0x3e }
        guard rest.first == 0x3c, !name.isEmpty else { return .noElement }
        return .clear(root: String(decoding: name, as: UTF8.self))
      }
      guard let found = rest.firstRange(of: Array(end.utf8)) else { return .unfinished }
      rest = rest[found.upperBound...]
    }
  }
}

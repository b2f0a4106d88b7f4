import FoundationEssentials
import ProctorModel

/// The pieces of a text file as UTF-8: without a byte order mark, and out of UTF-16, which
/// PowerShell's `>` writes.
struct TextPieces: Sequence, IteratorProtocol {
  private var pieces: AnyIterator<Data>
  private var utf16: UTF16Repair?
  private var isFirst = true
  private var isDone = false

  init(_ pieces: some Sequence<Data>) { self.pieces = AnyIterator(pieces.makeIterator()) }

  mutating func next() -> Data? {
    guard !isDone else { return nil }
    if isFirst { return first() }
    guard let piece = pieces.next() else {
      isDone = true
      let rest = utf16?.take([], isLast: true) ?? []
      return rest.isEmpty ? nil : Data(rest)
    }
    return converted(piece)
  }

  private mutating func first() -> Data? {
    isFirst = false
    var start = Data()
    while start.count < 3, let piece = pieces.next() { start.append(piece) }
    if start.starts(with: [0xef, 0xbb, 0xbf]) { return Data(start.dropFirst(3)) }
    if start.starts(with: [0xff, 0xfe]) { utf16 = UTF16Repair(isBigEndian: false) }
    if start.starts(with: [0xfe, 0xff]) { utf16 = UTF16Repair(isBigEndian: true) }
    return converted(start)
  }

  private mutating func converted(_ piece: Data) -> Data {
    utf16.map { _ in Data(utf16?.take(Array(piece), isLast: false) ?? []) } ?? piece
  }
}

/// Cuts a text that comes in pieces into its lines.
struct LineSplitter {
  /// Bytes of one line; what is longer is left out and counted.
  static let lineLimit = 16 << 20

  private var rest = Data()
  private var isSkipping = false
  /// Lines that were left out.
  private(set) var tooLong = 0

  /// - Parameter each: gets every line without its end.
  static func split(
    _ pieces: some Sequence<Data>, each: (_ line: Data, _ isLast: Bool) -> Void
  ) -> Int {
    var splitter = LineSplitter()
    for piece in pieces { splitter.take(piece) { each($0, false) } }
    if !splitter.rest.isEmpty { each(withoutReturn(splitter.rest), true) }
    return splitter.tooLong
  }

  private mutating func take(_ piece: Data, each: (Data) -> Void) {
    var start = piece.startIndex
    while let end = piece[start...].firstIndex(of: 0x0a) {
      if isSkipping {
        isSkipping = false
      } else if rest.isEmpty {
        each(Self.withoutReturn(piece[start..<end]))
      } else {
        rest.append(piece[start..<end])
        each(Self.withoutReturn(rest))
      }
      rest.removeAll()
      start = end + 1
    }
    if !isSkipping { rest.append(piece[start...]) }
    if rest.count > Self.lineLimit {
      rest.removeAll()
      isSkipping = true
      tooLong += 1
    }
  }

  private static func withoutReturn(_ line: Data) -> Data {
    line.last == 0x0d ? line.dropLast() : line
  }
}

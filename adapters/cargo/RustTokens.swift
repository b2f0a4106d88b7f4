import FoundationEssentials

/// The words of a source of Rust outside comments and literals, with the depth of braces they stand in.
struct RustTokens {
  private var words: [(text: String, depth: Int)] = []

  init(_ source: some Collection<UInt8>) {
    var reader = Reader(bytes: Array(source))
    while let word = reader.next() { words.append(word) }
  }

  /// Whether it is a whole program: a function `main` outside everything else.
  var hasMain: Bool {
    zip(words, words.dropFirst()).contains { first, second in
      first.text == "fn" && second.text == "main" && second.depth == 0
    }
  }

  private struct Reader {
    let bytes: [UInt8]
    var at = 0
    var depth = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    private func byte(_ offset: Int = 0) -> UInt8? {
      at + offset < bytes.count ? bytes[at + offset] : nil
    }

    private static func isWord(_ byte: UInt8) -> Bool {
      byte >= 0x80 || byte == UInt8(ascii: "_") || (0x30...0x39).contains(byte)
        || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
    }

    mutating func next() -> (text: String, depth: Int)? {
      while let current = byte() {
        switch current {
        case UInt8(ascii: "/") where byte(1) == UInt8(ascii: "/"): skipLine()
        case UInt8(ascii: "/") where byte(1) == UInt8(ascii: "*"): skipComment()
        case UInt8(ascii: "\""): skipText()
        case UInt8(ascii: "'"): skipCharacter()
        case UInt8(ascii: "{"), UInt8(ascii: "("), UInt8(ascii: "["):
          depth += 1
          at += 1
        case UInt8(ascii: "}"), UInt8(ascii: ")"), UInt8(ascii: "]"):
          depth -= 1
          at += 1
        case _ where Self.isWord(current):
          let start = at
          while let more = byte(), Self.isWord(more) { at += 1 }
          let text = String(decoding: bytes[start..<at], as: UTF8.self)
          if ["r", "br", "cr"].contains(text), skipRaw() { continue }
          return (text, depth)
        default: at += 1
        }
      }
      return nil
    }

    private mutating func skipLine() {
      while let current = byte(), current != UInt8(ascii: "\n") { at += 1 }
    }

    /// They nest.
    private mutating func skipComment() {
      var level = 0
      repeat {
        if byte() == UInt8(ascii: "/"), byte(1) == UInt8(ascii: "*") {
          level += 1
          at += 2
        } else if byte() == UInt8(ascii: "*"), byte(1) == UInt8(ascii: "/") {
          level -= 1
          at += 2
        } else {
          at += 1
        }
      } while level > 0 && at < bytes.count
    }

    private mutating func skipText() {
      at += 1
      while let current = byte(), current != UInt8(ascii: "\"") {
        at += current == UInt8(ascii: "\\") ? 2 : 1
      }
      at += 1
    }

    /// A character, or the name of a lifetime, which has no end.
    private mutating func skipCharacter() {
      if byte(1) == UInt8(ascii: "\\") {
        at += 3
        while let current = byte(), current != UInt8(ascii: "'") { at += 1 }
        at += 1
        return
      }
      let end = (2...5).first { byte($0) == UInt8(ascii: "'") }
      // Between the marks of a character stands one, of up to four bytes.
      if let end, String(decoding: bytes[(at + 1)..<(at + end)], as: UTF8.self).count == 1 {
        at += end + 1
      } else {
        at += 1
      }
    }

    /// `r#"..."#`; false when it is a name.
    private mutating func skipRaw() -> Bool {
      var marks = 0
      while byte(marks) == UInt8(ascii: "#") { marks += 1 }
      guard byte(marks) == UInt8(ascii: "\"") else { return false }
      at += marks + 1
      let end = [UInt8(ascii: "\"")] + [UInt8](repeating: UInt8(ascii: "#"), count: marks)
      while at < bytes.count, !bytes[at...].starts(with: end) { at += 1 }
      at = min(bytes.count, at + end.count)
      return true
    }
  }
}

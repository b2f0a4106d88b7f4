/// Reads a diff line by line as git does, and finds what git would pass over in silence although it says how something
/// is to change: half a patch is another patch.
struct PatchReader {
  /// A line that git would pass over.
  struct Stray {
    /// Of the patch, from 1.
    let line: Int
    let text: String
    /// What is wrong with it, before its text.
    let why: String
  }

  private typealias Line = ArraySlice<UInt8>

  private enum Place {
    /// Mail, messages of commits, or nothing yet: anything may be said there.
    case words
    /// Below `diff --git`, where no hunk was yet.
    case head
    /// Directly below a hunk.
    case end
    /// Below a hunk and something that is no part of a change.
    case beyond
  }

  private(set) var files: [PatchText.File] = []
  /// The first one; nil when there is none.
  private(set) var stray: Stray?

  private let lines: [Line]
  private var index = 0
  private var place = Place.words
  /// Of a mail in parts.
  private var boundary: Line?

  private static let shown = 120

  /// - Parameter lines: without their ends, also where those are of another system.
  init(_ lines: [ArraySlice<UInt8>]) {
    self.lines = lines
    while index < lines.count, stray == nil {
      take(lines[index])
      index += 1
    }
  }

  private mutating func take(_ line: Line) {
    if line.isEmpty || line.begins("\\") { return }
    if line.begins("@@") { return takeHunk(line) }
    if line.begins("diff --git ") {
      let names = Self.names(line.dropFirst("diff --git ".utf8.count))
      files.append(PatchText.File(old: names?.0, new: names?.1))
      place = .head
    } else if line.begins("--- "), next?.begins("+++ ") == true {
      takeNames(line)
    } else if isUnread(line) {
      refuse("says of a change what git does not read")
    } else if endsPatch(line) {
      place = .words
    } else {
      takeOther(line)
    }
  }

  private var next: Line? { index + 1 < lines.count ? lines[index + 1] : nil }

  private mutating func refuse(_ why: String) {
    stray = Stray(
      line: index + 1, text: String(decoding: lines[index].prefix(Self.shown), as: UTF8.self),
      why: why)
  }

  private mutating func takeNames(_ line: Line) {
    guard index + 2 < lines.count, HunkHead(lines[index + 2]) != nil else {
      return refuse("names a file, and no hunk that git reads (@@ -1,2 +1,2 @@) follows")
    }
    // A plain diff has no line before this one.
    if place != .head { files.append(PatchText.File()) }
    files[files.count - 1].old = Self.name(line.dropFirst(4))
    files[files.count - 1].new = Self.name(lines[index + 1].dropFirst(4))
    index += 1
  }

  private mutating func takeHunk(_ line: Line) {
    guard let head = HunkHead(line) else {
      return refuse("is no head of a hunk that git reads (@@ -1,2 +1,2 @@)")
    }
    if !files.isEmpty {
      files[files.count - 1].hunks.append((String(decoding: line, as: UTF8.self), head.start))
    }
    var (old, new) = (head.old, head.new)
    while old > 0 || new > 0, index + 1 < lines.count {
      index += 1
      switch lines[index].first {
      case UInt8(ascii: "-"): old -= 1
      case UInt8(ascii: "+"): new -= 1
      case UInt8(ascii: "\\"): break
      default: (old, new) = (old - 1, new - 1)  // an empty line is one, too
      }
    }
    place = .end
  }

  /// Below a hunk nothing may look as if it belonged to it: then its counts are too small.
  private mutating func takeOther(_ line: Line) {
    let isChange = line.begins("+") || line.begins("-")
    switch place {
    case .words: break
    case .head where isChange || line.begins(" "), .end where isChange || line.begins(" "),
      .beyond where isChange:
      refuse("belongs to no hunk")
    case .end: place = .beyond
    case .head, .beyond: break
    }
    if place == .words, let mark = line.quoted(after: "boundary=") { boundary = mark }
  }

  /// What other tools and options write of changes.
  private func isUnread(_ line: Line) -> Bool {
    if line.begins("diff --cc ") || line.begins("diff --combined ") { return true }
    if line.begins("***************") || line.isNormalCommand { return true }
    let words = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
    if line.begins("Only in "), words.count > 3, words[2].last == UInt8(ascii: ":") {
      return words.count == 4 || place != .words
    }
    // Below `diff --git` it is git's own, which git then refuses.
    return place != .head && words.last?.elementsEqual("differ".utf8) == true
      && (line.begins("Binary files ") || line.begins("Files "))
  }

  /// A signature, the next mail, the next part of one, or the next commit of a log.
  private func endsPatch(_ line: Line) -> Bool {
    if line.elementsEqual("-- ".utf8) || line.elementsEqual("--".utf8) {
      return next.map { !$0.begins("+") && !$0.begins("-") && !$0.begins(" ") } ?? true
    }
    if let boundary, line.begins("--"), line.dropFirst(2).starts(with: boundary) { return true }
    guard line.begins("From ") || line.begins("commit ") else { return false }
    let words = line.split(separator: UInt8(ascii: " "), maxSplits: 2)
    return words.count > 1 && words[1].count >= 7 && words[1].allSatisfy(\.isHexDigit)
  }

  // MARK: names

  /// The two names of `diff --git`, which have no mark between them: equal but for their prefixes.
  private static func names(_ text: Line) -> (String, String)? {
    if text.begins("\"") || text.last == UInt8(ascii: "\"") {
      let parts = text.split(separator: UInt8(ascii: "\"")).map {
        String(decoding: $0, as: UTF8.self)
      }
      .filter { $0 != " " }
      return parts.count == 2 ? (parts[0], parts[1]) : nil
    }
    let slash = UInt8(ascii: "/")
    let firstSlash = text.firstIndex(of: slash) ?? text.endIndex
    var nextSlash = firstSlash
    var blanks: [Int] = []
    func both(_ blank: Int) -> (String, String) {
      (
        String(decoding: text[..<blank], as: UTF8.self),
        String(decoding: text[(blank + 1)...], as: UTF8.self)
      )
    }
    // Only names of the same length are looked at, so that any number of blanks takes one pass.
    for blank in text.indices where text[blank] == UInt8(ascii: " ") {
      blanks.append(blank)
      if nextSlash <= blank {
        nextSlash = text[(blank + 1)...].firstIndex(of: slash) ?? text.endIndex
      }
      let (left, right) = (text[..<blank], text[(blank + 1)...])
      let leftName = firstSlash < blank ? text[(firstSlash + 1)..<blank] : left
      let rightName = nextSlash < text.endIndex ? text[(nextSlash + 1)...] : right
      if left == right || leftName == rightName { return both(blank) }
    }
    return blanks.count == 1 ? both(blanks[0]) : nil
  }

  private static func name(_ line: Line) -> String? {
    // Other tools write a date after a tab.
    let text = line.prefix { $0 != UInt8(ascii: "\t") }
    let quote = UInt8(ascii: "\"")
    let isQuoted = text.count > 1 && text.first == quote && text.last == quote
    let name = String(decoding: isQuoted ? text.dropFirst().dropLast() : text, as: UTF8.self)
    return name == "/dev/null" ? nil : name
  }
}

/// `@@ -START,COUNT +START,COUNT @@`; a count of 1 may be left out.
private struct HunkHead {
  /// Where it begins in the old file.
  let start: Int
  /// Its lines in the old and in the new file.
  let old: Int
  let new: Int

  init?(_ line: ArraySlice<UInt8>) {
    var rest = line
    guard rest.drop("@@ -"), let old = Self.range(&rest), rest.drop(" +"),
      let new = Self.range(&rest), rest.drop(" @@")
    else { return nil }
    (start, self.old, self.new) = (old.start, old.count, new.count)
  }

  private static func range(_ rest: inout ArraySlice<UInt8>) -> (start: Int, count: Int)? {
    guard let start = number(&rest) else { return nil }
    guard rest.drop(",") else { return (start, 1) }
    return number(&rest).map { (start, $0) }
  }

  private static func number(_ rest: inout ArraySlice<UInt8>) -> Int? {
    let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    rest = rest[digits.endIndex...]
    return Int(String(decoding: digits, as: UTF8.self))
  }
}

extension ArraySlice<UInt8> {
  fileprivate func begins(_ text: StaticString) -> Bool {
    text.withUTF8Buffer { starts(with: $0) }
  }

  /// - Returns: false when it does not begin so.
  fileprivate mutating func drop(_ text: StaticString) -> Bool {
    guard begins(text) else { return false }
    removeFirst(text.utf8CodeUnitCount)
    return true
  }

  /// Such as `12,13c12` of a diff without context.
  fileprivate var isNormalCommand: Bool {
    guard first.map({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) == true else {
      return false
    }
    let sides = split(omittingEmptySubsequences: false) { "acd".utf8.contains($0) }
    return sides.count == 2
      && sides.allSatisfy { side in
        let numbers = side.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        return numbers.count <= 2
          && numbers.allSatisfy { Int(String(decoding: $0, as: UTF8.self)) != nil }
      }
  }

  /// What stands in double quotes after a word.
  fileprivate func quoted(after word: StaticString) -> ArraySlice<UInt8>? {
    let quote = UInt8(ascii: "\"")
    guard let open = firstIndex(of: quote),
      word.withUTF8Buffer({ self[..<open].suffix($0.count).elementsEqual($0) }),
      let close = self[(open + 1)...].firstIndex(of: quote), close > open + 1
    else { return nil }
    return self[(open + 1)..<close]
  }
}

extension UInt8 {
  fileprivate var isHexDigit: Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self)
      || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(self)
  }
}

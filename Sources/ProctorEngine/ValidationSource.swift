import FoundationEssentials
import ProctorModel

/// One file to be judged, as it was read: what is judged cannot change any more.
struct ValidationSource: Sendable {
  /// As users see it: relative to the workspace; `-` for what came on standard input.
  let shown: String
  let syntax: CodeSyntax
  /// UTF-8; what was not is replaced.
  let text: Data
  /// The 1-based line of the first byte that was no UTF-8.
  let brokenLine: Int?

  /// Bytes of one file.
  static let sizeLimit = 2 << 20
  /// ast-grep obeys comments of the code it reads. Here nobody is to hide anything with one.
  private static let suppression = "ast-grep-ignore"
  private static let disarmed = "ast-grep.ignore"

  /// - Throws: why there is nothing to judge.
  init(
    _ data: Data, syntax: CodeSyntax, shown: String
  ) throws(ValidationAnswer.Unexamined) {
    guard data.count <= Self.sizeLimit else { throw .init(file: shown, reason: .tooLarge) }
    guard !data.contains(0) else { throw .init(file: shown, reason: .binary) }
    self.shown = shown
    self.syntax = syntax
    let (whole, brokenLine) = Self.valid(data)
    self.brokenLine = brokenLine
    text = Self.disarming(whole)
  }

  /// A piece of the text as its author wrote it.
  static func asWritten(_ text: String) -> String { text.replacing(disarmed, with: suppression) }

  /// Characters that are none become U+FFFD.
  private static func valid(_ data: Data) -> (text: Data, brokenLine: Int?) {
    if String(validating: data, as: UTF8.self) != nil { return (data, nil) }
    let repaired = Data(String(decoding: data, as: UTF8.self).utf8)
    let pairs = zip(data, repaired).prefix { $0 == $1 }
    return (repaired, pairs.count { $0.0 == UInt8(ascii: "\n") } + 1)
  }

  /// Of the same length, so that every place stays what it is.
  private static func disarming(_ data: Data) -> Data {
    var data = data
    var start = data.startIndex
    while let found = data[start...].firstRange(of: Data(suppression.utf8)) {
      data.replaceSubrange(found, with: Data(disarmed.utf8))
      start = found.upperBound
    }
    return data
  }
}

extension ValidationAnswer.Unexamined: Error {}

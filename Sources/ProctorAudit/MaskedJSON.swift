import Crypto
import FoundationEssentials
import ProctorModel

/// Makes a record of what a caller sent: secrets out, long texts cut with that said, code as its digest.
struct MaskedJSON: Sendable {
  /// Characters of one text.
  static let textKept = 2000
  /// Characters of code or of a patch that are shown.
  static let excerptKept = 600
  /// Bytes of all arguments of a call.
  fileprivate static let whole = 16 << 10
  /// Characters of a text that are looked at: what is kept, and as much again as a secret at its end may have.
  private static let looked = 8 << 10
  private static let code: Set<String> = ["code", "patch"]

  let mask: SecretMask

  /// - Parameter data: any bytes; what is no JSON is kept as a text.
  /// - Returns: JSON, an object when it was one.
  func masked(_ data: Data) -> Data {
    guard (try? JSONText(data)) != nil else {
      return Self.quoted(text(String(decoding: data, as: UTF8.self)))
    }
    var copy = Copy(bytes: Array(data), record: self)
    copy.value(named: nil)
    guard copy.isFull || copy.result.count > Self.whole else { return Data(copy.result) }
    let start = String(decoding: copy.result.prefix(Self.textKept), as: UTF8.self)
    return Data(
      #"{"sha256":"\#(Self.digest(data))","bytes":\#(data.count),"excerpt":"#.utf8)
      + Self.quoted(start) + Data("}".utf8)
  }

  /// Without secrets, its beginning when it is long.
  func text(_ text: String, keeping most: Int = textKept) -> String {
    let looked = text.unicodeScalars.prefix(Self.looked)
    let clean = mask.masked(String(looked)).unicodeScalars
    let isWhole = looked.count < Self.looked || looked.endIndex == text.unicodeScalars.endIndex
    if clean.count <= most, isWhole { return String(clean) }
    let bytes = text.utf8.count
    return "\(String(clean.prefix(most)))[... cut: \(bytes) bytes in all]"
  }

  /// What code was: enough to know it again.
  fileprivate func digest(of code: String) -> [UInt8] {
    let data = Data(code.utf8)
    let excerpt = text(code, keeping: Self.excerptKept)
    return Array(
      Data(#"{"sha256":"\#(Self.digest(data))","bytes":\#(data.count),"excerpt":"#.utf8)
        + Self.quoted(excerpt) + Data("}".utf8))
  }

  fileprivate static func isCode(_ name: String) -> Bool { code.contains(name) }

  private static func digest(_ data: Data) -> String {
    Data(SHA256.hash(data: data)).hexadecimal
  }

  static func quoted(_ text: String) -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    return (try? encoder.encode(text)) ?? Data(#""""#.utf8)
  }

  /// Goes through JSON that is known to be well-formed; numbers stay as they are written.
  private struct Copy {
    let bytes: [UInt8]
    let record: MaskedJSON
    var index = 0
    var depth = 0
    var isFull = false
    var result: [UInt8] = []

    /// - Parameter name: of the member that it is, or of the one that it is in.
    mutating func value(named name: String?) {
      skipBlanks()
      guard index < bytes.count else { return }
      switch bytes[index] {
      case UInt8(ascii: "{"): list(UInt8(ascii: "}"), named: name, isObject: true)
      case UInt8(ascii: "["): list(UInt8(ascii: "]"), named: name, isObject: false)
      case UInt8(ascii: "\""):
        let text = string()
        if depth == 1, let name, MaskedJSON.isCode(name) {
          result += record.digest(of: text)
        } else {
          result += MaskedJSON.quoted(record.text(text))
        }
      default:
        while index < bytes.count, !",]} \t\r\n".utf8.contains(bytes[index]) {
          result.append(bytes[index])
          index += 1
        }
      }
    }

    private mutating func list(_ end: UInt8, named name: String?, isObject: Bool) {
      result.append(bytes[index])
      index += 1
      depth += 1
      defer { depth -= 1 }
      while index < bytes.count {
        // Of what is too large only the beginning is kept; what is left is not looked at again.
        if result.count > MaskedJSON.whole { isFull = true }
        guard !isFull else { return }
        skipBlanks()
        guard index < bytes.count else { return }
        if bytes[index] == end || bytes[index] == UInt8(ascii: ",") {
          result.append(bytes[index])
          index += 1
          if bytes[index - 1] == end { return }
        } else if isObject {
          member()
        } else {
          value(named: name)
        }
      }
    }

    private mutating func member() {
      let name = string()
      result += MaskedJSON.quoted(record.text(name, keeping: 200)) + [UInt8(ascii: ":")]
      skipBlanks()
      index += 1
      guard SecretMask.isSecret(name: name) else { return value(named: name) }
      let start = result.count
      value(named: name)
      result.replaceSubrange(start..., with: MaskedJSON.quoted(SecretMask.sign))
    }

    /// The string that begins here, without its quotes and escapes.
    private mutating func string() -> String {
      let start = index
      index += 1
      while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
        index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
      }
      index = min(index + 1, bytes.count)
      let data = JSONText.repaired(Data(bytes[start..<index]))
      return (try? JSONDecoder().decode(String.self, from: data)) ?? ""
    }

    private mutating func skipBlanks() {
      while index < bytes.count, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[index]) { index += 1 }
    }
  }
}

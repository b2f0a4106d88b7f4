import FoundationEssentials
import ProctorModel

/// Writes JSON many times as fast as an encoder, for what there are tens of thousands of.
struct JSONBuffer {
  private(set) var bytes: [UInt8] = []

  mutating func append(_ text: StaticString) {
    text.withUTF8Buffer { bytes.append(contentsOf: $0) }
  }

  mutating func append(_ data: Data) { bytes.append(contentsOf: data) }

  /// - Parameter key: with its colon, and a comma before it where one is needed.
  mutating func append(_ key: StaticString, _ value: String?) {
    guard let value else { return }
    append(key)
    append(string: value)
  }

  mutating func append(_ key: StaticString, _ value: Int?) {
    guard let value else { return }
    append(key)
    bytes.append(contentsOf: String(value).utf8)
  }

  /// - Parameter value: finite.
  mutating func append(_ key: StaticString, _ value: Double?) {
    guard let value else { return }
    append(key)
    bytes.append(contentsOf: value.description.utf8)
  }

  mutating func append(string: String) {
    var string = string
    bytes.append(UInt8(ascii: "\""))
    string.withUTF8 { text in
      if text.contains(where: { $0 < 0x20 || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") })
      {
        for byte in text { append(escaped: byte) }
      } else {
        bytes.append(contentsOf: text)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }

  private mutating func append(escaped byte: UInt8) {
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"):
      bytes.append(UInt8(ascii: "\\"))
      bytes.append(byte)
    case 0..<0x20:
      let digits = String(byte, radix: 16)
      bytes.append(contentsOf: "\\u00\(digits.count == 1 ? "0" : "")\(digits)".utf8)
    default: bytes.append(byte)
    }
  }

  mutating func append<Item>(list: [Item], _ write: (inout JSONBuffer, Item) -> Void) {
    bytes.append(UInt8(ascii: "["))
    for (index, item) in list.enumerated() {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      write(&self, item)
    }
    bytes.append(UInt8(ascii: "]"))
  }
}

extension TestRow {
  /// The same as an encoder writes.
  func write(to buffer: inout JSONBuffer) {
    buffer.append(#"{"id":"#, id.text)
    buffer.append(#","name":"#, name)
    buffer.append(#","full_name":"#, full_name)
    buffer.append(#","adapter":"#, adapter.rawValue)
    buffer.append(#","suite":"#, suite)
    buffer.append(#","file":"#, file)
    buffer.append(#","definition_line":"#, definition_line)
    buffer.append(#","outcome":"#, outcome.rawValue)
    buffer.append(#","raw_status":"#, raw_status)
    buffer.append(#","duration_ms":"#, duration_ms)
    buffer.append(#","note":"#, note)
    buffer.append(#","attempts":"#, attempts)
    buffer.append(#","started_ms":"#, started_ms)
    buffer.append(#","worker":"#, worker)
    if let attempt_details {
      buffer.append(#","attempt_details":"#)
      buffer.append(ContractJSON.compact(attempt_details))
    }
    buffer.append("}")
  }
}

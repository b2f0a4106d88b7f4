import Glibc

/// The start of an element as the parser shows it; only to be looked at while it is shown.
struct XMLTag {
  /// Without a namespace's prefix; ends with a zero.
  private let name: UnsafePointer<UInt8>
  /// libxml2's five pointers for each: local name, prefix, URI, value, end of value.
  private let attributes: UnsafeMutablePointer<UnsafePointer<UInt8>?>?
  private let count: Int

  init(
    name: UnsafePointer<UInt8>, attributes: UnsafeMutablePointer<UnsafePointer<UInt8>?>?, count: Int
  ) {
    self.name = name
    self.attributes = attributes
    self.count = attributes == nil ? 0 : count
  }

  func isNamed(_ text: StaticString) -> Bool {
    strcmp(
      UnsafeRawPointer(name).assumingMemoryBound(to: CChar.self),
      UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)) == 0
  }

  /// The same, to keep.
  var element: XMLElement {
    var values: [String: String] = [:]
    each { name, value in
      values[String(decoding: name, as: UTF8.self)] = String(decoding: value, as: UTF8.self)
    }
    return XMLElement(name: String(cString: name), attributes: values)
  }

  func each(
    _ body: (_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) -> Void
  ) {
    guard let attributes else { return }
    for index in 0..<count {
      let parts = attributes + 5 * index
      guard let name = parts[0], let value = parts[3], let end = parts[4] else { continue }
      let length = strlen(UnsafeRawPointer(name).assumingMemoryBound(to: CChar.self))
      body(
        UnsafeBufferPointer(start: name, count: length),
        UnsafeBufferPointer(start: value, count: end - value))
    }
  }
}

/// The start of an element.
struct XMLElement {
  /// Without a namespace's prefix.
  let name: String
  let attributes: [String: String]

  /// nil for one that is absent or empty.
  subscript(_ name: String) -> String? {
    attributes[name].flatMap { $0.isEmpty ? nil : $0 }
  }
}

/// Attributes kept beyond the parser's own, in memory that is used again for the next element.
struct XMLAttributes {
  private struct Span {
    let name: Range<Int>
    let value: Range<Int>
  }

  private var bytes: [UInt8] = []
  private var spans: [Span] = []

  mutating func set(_ tag: XMLTag) {
    spans.removeAll(keepingCapacity: true)
    var end = 0
    tag.each { name, value in
      let middle = end + name.count
      spans.append(Span(name: end..<middle, value: middle..<middle + value.count))
      end = middle + value.count
    }
    if bytes.count < end { bytes += Array(repeating: 0, count: max(end, 1024) - bytes.count) }
    bytes.withUnsafeMutableBytes { kept in
      guard var target = kept.baseAddress else { return }
      tag.each { name, value in
        if let start = name.baseAddress { memcpy(target, start, name.count) }
        if let start = value.baseAddress { memcpy(target + name.count, start, value.count) }
        target += name.count + value.count
      }
    }
  }

  /// Those that hold something, as an element's.
  func element(named name: String) -> XMLElement {
    var values: [String: String] = [:]
    for span in spans where !span.value.isEmpty {
      values[String(decoding: bytes[span.name], as: UTF8.self)] =
        String(decoding: bytes[span.value], as: UTF8.self)
    }
    return XMLElement(name: name, attributes: values)
  }
}

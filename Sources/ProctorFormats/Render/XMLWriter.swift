import CLibXML2
import FoundationEssentials

/// Writes XML by libxml2's writer, which escapes; what XML cannot hold becomes U+FFFD. So the result is always well-formed.
final class XMLWriter {
  private let buffer: xmlBufferPtr
  private let writer: xmlTextWriterPtr

  init() throws(RenderError) {
    guard let buffer = xmlBufferCreate() else { throw RenderError("no memory for XML") }
    guard let writer = xmlNewTextWriterMemory(buffer, 0) else {
      xmlBufferFree(buffer)
      throw RenderError("no memory for XML")
    }
    self.buffer = buffer
    self.writer = writer
    xmlTextWriterSetIndent(writer, 1)
    xmlTextWriterStartDocument(writer, nil, "UTF-8", nil)
  }

  deinit {
    xmlFreeTextWriter(writer)
    xmlBufferFree(buffer)
  }

  /// - Parameters:
  ///   - name: of ours, never of a test.
  ///   - attributes: in order; nil ones are left out.
  func element(
    _ name: StaticString, _ attributes: KeyValuePairs<StaticString, String?> = [:],
    _ body: () -> Void = {}
  ) {
    xmlTextWriterStartElement(writer, Self.bytes(name))
    for case (let name, let value?) in attributes {
      xmlTextWriterWriteAttribute(writer, Self.bytes(name), value.scrubbedForXML)
    }
    body()
    xmlTextWriterEndElement(writer)
  }

  /// An element that holds text only.
  func element(
    _ name: StaticString, _ attributes: KeyValuePairs<StaticString, String?> = [:], text: String
  ) {
    element(name, attributes) { xmlTextWriterWriteString(writer, text.scrubbedForXML) }
  }

  /// What was written, ended. Nothing can be written after it.
  /// - Throws: `RenderError` when memory ran out on the way.
  func finish() throws(RenderError) -> Data {
    guard xmlTextWriterEndDocument(writer) >= 0, xmlTextWriterFlush(writer) >= 0,
      let content = xmlBufferContent(buffer)
    else { throw RenderError("no memory for XML") }
    return Data(UnsafeBufferPointer(start: content, count: Int(xmlBufferLength(buffer))))
  }

  private static func bytes(_ text: StaticString) -> UnsafePointer<UInt8> { text.utf8Start }
}

extension String {
  /// Characters that XML 1.0 has no way to write are replaced (section 2.2 of the recommendation).
  var scrubbedForXML: String {
    func isForbidden(_ scalar: Unicode.Scalar) -> Bool {
      switch scalar.value {
      case 0x9, 0xa, 0xd: false
      case 0..<0x20, 0xfffe, 0xffff: true
      default: false
      }
    }
    guard unicodeScalars.contains(where: isForbidden) else { return self }
    var result = String.UnicodeScalarView()
    for scalar in unicodeScalars { result.append(isForbidden(scalar) ? "\u{fffd}" : scalar) }
    return String(result)
  }
}

import CLibXML2

/// One step through an XML file.
enum XMLNode {
  struct Element {
    /// Without a namespace's prefix.
    let name: String
    let attributes: [String: String]
    /// Whether it is `<name/>`, which has no end.
    let isEmpty: Bool
  }

  case start(Element)
  case end
  /// Text or CDATA, bounded.
  case text(BoundedText)
}

/// libxml2's streaming reader over a source: no network, no external files, no entities.
final class XMLNodeReader {
  private static let initialized: Void = xmlInitParser()

  struct Problem {
    let message: String
    /// 1-based, of the UTF-8 text.
    let line: Int
  }

  private final class ErrorSink {
    var problem: Problem?
  }

  private let source: XMLByteSource
  private let errors = ErrorSink()
  private let reader: xmlTextReaderPtr?
  /// Why reading ended before the end of the file; nil when it did not.
  private(set) var problem: Problem?

  init(_ source: XMLByteSource) {
    _ = Self.initialized
    self.source = source
    // The limits that HUGE lifts are against entities, which the source was seen not to declare; with
    // them a test that printed more than 10 MB would end the report. IGNORE_ENC keeps the file's own
    // declaration from changing what the source has looked at.
    let options =
      XML_PARSE_NONET.rawValue | XML_PARSE_NOCDATA.rawValue | XML_PARSE_HUGE.rawValue
      | XML_PARSE_IGNORE_ENC.rawValue
    reader = xmlReaderForIO(
      { context, buffer, count in
        guard let context, let buffer, count > 0 else { return 0 }
        let source = Unmanaged<XMLByteSource>.fromOpaque(context).takeUnretainedValue()
        return Int32(
          source.read(into: UnsafeMutableRawBufferPointer(start: buffer, count: Int(count))))
      },
      nil, Unmanaged.passUnretained(source).toOpaque(), nil, source.encodingName, Int32(options))
    guard let reader else {
      problem = Problem(message: "the encoding \(source.encodingName) cannot be read here", line: 1)
      return
    }
    // Without a handler libxml2 prints to stderr. The first error is the cause, the rest follows.
    xmlTextReaderSetStructuredErrorHandler(
      reader,
      { context, error in
        guard let context, let error = error?.pointee, error.level == XML_ERR_FATAL else { return }
        let sink = Unmanaged<ErrorSink>.fromOpaque(context).takeUnretainedValue()
        guard sink.problem == nil else { return }
        let text = error.message.map { String(cString: $0) } ?? "error \(error.code)"
        sink.problem = Problem(
          message: text.split(separator: "\n").first.map(String.init) ?? text,
          line: Int(error.line))
      }, Unmanaged.passUnretained(errors).toOpaque())
  }

  deinit {
    if let reader { xmlFreeTextReader(reader) }
  }

  /// The next node; nil at the end or at a `problem`.
  func next() -> XMLNode? {
    guard let reader, problem == nil else { return nil }
    while true {
      switch xmlTextReaderRead(reader) {
      case 1:
        if let node = node(reader) { return node }
      case 0:
        problem = errors.problem
        return nil
      default:
        problem = errors.problem ?? Problem(message: "unreadable XML", line: 1)
        return nil
      }
    }
  }

  private func node(_ reader: xmlTextReaderPtr) -> XMLNode? {
    switch xmlReaderTypes(UInt32(bitPattern: xmlTextReaderNodeType(reader))) {
    case XML_READER_TYPE_ELEMENT: .start(element(reader))
    case XML_READER_TYPE_END_ELEMENT: .end
    case XML_READER_TYPE_TEXT, XML_READER_TYPE_CDATA, XML_READER_TYPE_SIGNIFICANT_WHITESPACE:
      xmlTextReaderConstValue(reader).map { .text(BoundedText(Self.bytes($0))) }
    default: nil
    }
  }

  private func element(_ reader: xmlTextReaderPtr) -> XMLNode.Element {
    let name = Self.text(xmlTextReaderConstLocalName(reader))
    let isEmpty = xmlTextReaderIsEmptyElement(reader) == 1
    var attributes: [String: String] = [:]
    while xmlTextReaderMoveToNextAttribute(reader) == 1 {
      attributes[Self.text(xmlTextReaderConstLocalName(reader))] =
        Self.text(xmlTextReaderConstValue(reader))
    }
    _ = xmlTextReaderMoveToElement(reader)
    return XMLNode.Element(name: name, attributes: attributes, isEmpty: isEmpty)
  }

  private static func text(_ pointer: UnsafePointer<xmlChar>?) -> String {
    pointer.map { String(decoding: bytes($0), as: UTF8.self) } ?? ""
  }

  private static func bytes(_ pointer: UnsafePointer<xmlChar>) -> UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(start: pointer, count: Int(xmlStrlen(pointer)))
  }
}

import CLibXML2

/// What is told of an XML file as it is read, in the order of the file.
protocol XMLHandler: AnyObject {
  func start(_ tag: XMLTag)
  func end()
  /// Text or CDATA, cut anywhere.
  func text(_ bytes: UnsafeBufferPointer<UInt8>)
}

/// libxml2's push parser over a source: no network, no external files, no entities, no tree.
///
/// Its handlers are called while the file goes by, so memory holds no more than the parser's own
/// buffer, and reading takes about half as long as with libxml2's own reader.
final class XMLEventReader {
  private static let initialized: Void = xmlInitParser()

  struct Problem {
    let message: String
    /// 1-based, of the UTF-8 text.
    let line: Int
    /// It is not the file that is wrong, but more than is read.
    var isLimit = false
  }

  /// Elements inside each other; no tool's reports have more than some ten.
  static let depthLimit = 512

  /// Bytes of one tag or comment, which the parser holds until it is whole, and looks through again with each block.
  static let pieceLimit = 16 << 20

  private var depth = 0
  private let source: XMLByteSource
  private let handler: any XMLHandler
  /// Why reading ended before the end of the file; nil when it did not.
  private(set) var problem: Problem?

  init(_ source: XMLByteSource, _ handler: any XMLHandler) {
    _ = Self.initialized
    self.source = source
    self.handler = handler
  }

  /// Reads all of it, or up to a problem.
  func run() {
    // The limits that HUGE lifts are against entities, which the source was seen not to declare; with
    // them a test that printed more than 10 MB would end the report. IGNORE_ENC keeps the file's own
    // declaration from changing what the source has looked at. NOENT has `&amp;` in attributes be `&`.
    let options =
      XML_PARSE_NONET.rawValue | XML_PARSE_HUGE.rawValue | XML_PARSE_IGNORE_ENC.rawValue
      | XML_PARSE_NOENT.rawValue
    proctor_silence_xml()
    var callbacks = Self.callbacks
    let own = Unmanaged.passUnretained(self).toOpaque()
    guard let parser = xmlCreatePushParserCtxt(&callbacks, own, nil, 0, nil) else {
      problem = Problem(message: "no memory for a parser", line: 1)
      return
    }
    defer { xmlFreeParserCtxt(parser) }
    xmlCtxtUseOptions(parser, Int32(options))
    guard xmlCtxtResetPush(parser, nil, 0, nil, source.encodingName) == 0, problem == nil else {
      problem = Problem(message: "the encoding \(source.encodingName) cannot be read here", line: 1)
      return
    }
    while problem == nil, let block = source.next() { push(block, to: parser) }
    if problem == nil { xmlParseChunk(parser, nil, 0, 1) }
    // Bytes that are none in the encoding can end it without a word.
    if problem == nil, parser.pointee.wellFormed == 0 || depth > 0 {
      let line = parser.pointee.input.map { Int($0.pointee.line) } ?? 1
      problem = Problem(message: "unreadable XML", line: max(1, line))
    }
  }

  private func push(_ block: ArraySlice<UInt8>, to parser: xmlParserCtxtPtr) {
    _ = block.withUnsafeBytes { bytes in
      xmlParseChunk(
        parser, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(bytes.count), 0)
    }
    guard problem == nil, let input = parser.pointee.input?.pointee,
      input.end - input.cur > Self.pieceLimit
    else { return }
    problem = Problem(
      message: "a tag or comment is longer than \(Self.pieceLimit >> 20) MiB",
      line: Int(input.line), isLimit: true)
  }

  fileprivate func take(_ error: xmlErrorPtr) {
    // The first error is the cause, the rest follows.
    guard error.pointee.level == XML_ERR_FATAL, problem == nil else { return }
    let text = error.pointee.message.map { String(cString: $0) } ?? "error \(error.pointee.code)"
    problem = Problem(
      message: text.split(separator: "\n").first.map(String.init) ?? text,
      line: Int(error.pointee.line))
  }

  private static var callbacks: xmlSAXHandler {
    var callbacks = xmlSAXHandler()
    callbacks.initialized = XML_SAX2_MAGIC
    callbacks.startElementNs = { context, name, _, _, _, _, count, _, attributes in
      guard let name else { return }
      reader(context)?._withUnsafeGuaranteedRef {
        $0.start(XMLTag(name: name, attributes: attributes, count: Int(count)))
      }
    }
    callbacks.endElementNs = { context, _, _, _ in
      reader(context)?._withUnsafeGuaranteedRef { $0.end() }
    }
    callbacks.characters = { context, text, count in tell(context, text, count) }
    callbacks.ignorableWhitespace = { context, text, count in tell(context, text, count) }
    callbacks.cdataBlock = { context, text, count in tell(context, text, count) }
    // Without a handler libxml2 prints to stderr.
    callbacks.serror = { context, error in
      guard let error else { return }
      reader(context)?._withUnsafeGuaranteedRef { $0.take(error) }
    }
    return callbacks
  }

  fileprivate func start(_ tag: XMLTag) {
    depth += 1
    if depth <= Self.depthLimit {
      handler.start(tag)
    } else if problem == nil {
      problem = Problem(
        message: "elements are nested deeper than \(Self.depthLimit)", line: 1, isLimit: true)
    }
  }

  fileprivate func end() {
    if depth <= Self.depthLimit, problem == nil { handler.end() }
    depth -= 1
  }

  fileprivate func take(_ text: UnsafePointer<xmlChar>, _ count: Int32) {
    if depth > Self.depthLimit { return }
    handler.text(UnsafeBufferPointer(start: text, count: max(0, Int(count))))
  }
}

private func reader(_ context: UnsafeMutableRawPointer?) -> Unmanaged<XMLEventReader>? {
  context.map { Unmanaged<XMLEventReader>.fromOpaque($0) }
}

private func tell(
  _ context: UnsafeMutableRawPointer?, _ text: UnsafePointer<xmlChar>?, _ count: Int32
) {
  guard let text else { return }
  reader(context)?._withUnsafeGuaranteedRef { $0.take(text, count) }
}

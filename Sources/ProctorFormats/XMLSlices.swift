import FoundationEssentials
import ProctorModel

/// A small part of an XML file: an element with all that is in it, texts bounded.
final class XMLSlice {
  let element: XMLElement
  private var content = BoundedText()
  private(set) var children: [XMLSlice] = []

  init(_ element: XMLElement) { self.element = element }

  fileprivate func append(_ bytes: UnsafeBufferPointer<UInt8>) { content.append(bytes) }
  fileprivate func append(_ child: XMLSlice) { children.append(child) }

  subscript(_ name: String) -> String? { element[name] }

  func child(_ name: String) -> XMLSlice? { children.first { $0.element.name == name } }

  /// The text of an element below it, by way of the names; nil when there is none.
  func text(_ path: String...) -> String? {
    var slice: XMLSlice? = self
    for name in path { slice = slice?.child(name) }
    return slice?.text
  }

  /// Its own text without the blanks around it; nil when nothing is left.
  var text: String? {
    let scalars = content.captured.text.unicodeScalars
    guard let start = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
      let end = scalars.lastIndex(where: { !$0.properties.isWhitespace })
    else { return nil }
    return String(scalars[start...end])
  }
}

/// Cuts an XML file into the elements that matter and tells of those around them.
final class XMLSlices: XMLHandler {
  /// Parts of one slice; a slice is one test.
  private static let partsLimit = 100_000

  private let wanted: Set<String>
  private let opened: (XMLElement) -> Void
  private let closed: (_ name: String) -> Void
  private let cut: (XMLSlice) -> Void
  private var around: [String] = []
  private var open: [XMLSlice] = []
  private var parts = 0
  private(set) var root: XMLElement?
  private(set) var isClosed = false

  /// - Parameters:
  ///   - wanted: names of elements to cut out.
  ///   - cut: gets each, once it has ended.
  ///   - opened: gets each other element at its start; `closed` its name at its end.
  init(
    _ wanted: Set<String>, cut: @escaping (XMLSlice) -> Void,
    opened: @escaping (XMLElement) -> Void = { _ in },
    closed: @escaping (_ name: String) -> Void = { _ in }
  ) {
    self.wanted = wanted
    self.cut = cut
    self.opened = opened
    self.closed = closed
  }

  func start(_ tag: XMLTag) {
    let element = tag.element
    if root == nil { root = element }
    if !open.isEmpty || wanted.contains(element.name) {
      parts = open.isEmpty ? 0 : parts + 1
      open.append(XMLSlice(element))
    } else {
      around.append(element.name)
      opened(element)
    }
  }

  func text(_ bytes: UnsafeBufferPointer<UInt8>) { open.last?.append(bytes) }

  func end() {
    if let ended = open.popLast() {
      if let parent = open.last {
        if parts < Self.partsLimit { parent.append(ended) }
      } else {
        cut(ended)
      }
    } else if let ended = around.popLast() {
      closed(ended)
    }
    if open.isEmpty, around.isEmpty { isClosed = true }
  }

  /// Reads a whole file, and notes what is wrong with it.
  func read(_ pieces: some Sequence<Data>, _ reading: SlicedReading) {
    let source = XMLByteSource(pieces)
    if let objection = source.objection {
      return reading.notes.breaks(objection.kind, objection.message)
    }
    let reader = XMLEventReader(source, self)
    reader.run()
    for note in source.notes { reading.notes.add(note.kind, note.message) }
    guard let problem = reader.problem else { return }
    source.drain()
    let tail = source.tail.reversed().drop { $0 == 0x20 || (0x09...0x0d).contains($0) }
    if problem.isLimit {
      reading.notes.breaks(.refused, problem.message)
    } else if isClosed || tail.starts(with: "\(source.rootName)>".utf8.reversed()) {
      reading.notes.breaks(.malformed, "line \(problem.line): \(problem.message)")
    } else {
      reading.notes.breaks(
        .truncated, "the file ends at line \(problem.line), before its root element does")
    }
  }
}

/// What decoders of sliced files fill while the file goes by.
final class SlicedReading {
  var notes = ReadingNotes()
  /// By the tool's own word.
  var words: [String: Int] = [:]
  var failed = 0

  func give(_ found: ReportedCase, _ word: String, to sink: some CaseSink) {
    words[word, default: 0] += 1
    if found.outcome.countsAsFailed { failed += 1 }
    notes.give(found, to: sink)
  }

  func count(_ names: [String]) -> Int { names.reduce(0) { $0 + (words[$1] ?? 0) } }
}

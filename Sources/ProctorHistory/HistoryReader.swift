import FoundationEssentials
import Glibc
import ProctorModel
import ProctorStorage

/// A line of an exported history that cannot be.
struct HistoryLineProblem: Error, Hashable {
  /// As it was named.
  let file: String
  /// 1-based; nil for the file as a whole.
  let line: Int?
  let message: String

  var text: String {
    [file, line.map(String.init), " \(message)"].compactMap(\.self).joined(separator: ":")
  }
}

/// Reads an exported history line by line, and sees that it is whole.
///
/// A run has its tests after it, in the order of their ids' bytes, so that none is there twice, and then its end with
/// their number; the file has its end with the number of its runs. Several files behind one another are one.
struct HistoryReader: ~Copyable {
  private static let chunk = 1 << 16
  /// Bytes of a line.
  private static let lineLimit = 1 << 20

  private enum Place {
    case outside
    case file(runs: Int)
    case run(key: String, tests: Int, last: String?, runs: Int)
  }

  let name: String
  private let descriptor: Int32
  private let decoder = JSONDecoder()
  private var buffer = Data()
  private var isAtEnd = false
  private var place = Place.outside
  private var files = 0
  /// Of the last line that was read.
  private(set) var line = 0

  init(_ name: String) throws(HistoryLineProblem) {
    self.name = name
    descriptor = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    var status = stat()
    guard descriptor >= 0, fstat(descriptor, &status) == 0 else {
      throw HistoryLineProblem(
        file: name, line: nil, message: "cannot be read: \(String(cString: strerror(errno)))")
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw HistoryLineProblem(file: name, line: nil, message: "is no regular file")
    }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Looks at the first bytes only.
  var isNamedByFirstLine: Bool {
    var bytes = [UInt8](repeating: 0, count: 200)
    let count = max(0, pread(descriptor, &bytes, bytes.count, 0))
    let line = bytes.prefix(count).prefix { $0 != UInt8(ascii: "\n") }
    return String(decoding: line, as: UTF8.self).hasPrefix("{\"proctor_history\":")
  }

  /// Starts again at the first line.
  mutating func rewind() {
    lseek(descriptor, 0, SEEK_SET)
    (buffer, isAtEnd, place, files, line) = (Data(), false, .outside, 0, 0)
  }

  /// - Returns: nil at the end.
  mutating func next() throws(HistoryLineProblem) -> HistoryLine? {
    guard let bytes = try nextLine() else {
      guard case .outside = place, files > 0 else {
        throw problem(
          files == 0 && line == 0 ? "is empty" : "the end is missing: the file is cut off")
      }
      return nil
    }
    line += 1
    let decoded: HistoryLine
    do {
      decoded = try decoder.decode(HistoryLine.self, from: bytes)
    } catch {
      throw problem(Self.words(error))
    }
    try advance(decoded)
    return decoded
  }

  private func problem(_ message: String) -> HistoryLineProblem {
    HistoryLineProblem(file: name, line: max(1, line), message: message)
  }

  private static func words(_ error: any Error) -> String {
    switch error as? DecodingError {
    case .keyNotFound(let key, _): "\(key.stringValue) is missing"
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      "\(context.codingPath.map(\.stringValue).joined(separator: ".")) is of the wrong kind"
    case .dataCorrupted(let context) where !context.codingPath.isEmpty:
      "\(context.codingPath.map(\.stringValue).joined(separator: ".")): \(context.debugDescription)"
    default: "is no line of an exported history"
    }
  }

  /// What may follow what.
  private mutating func advance(_ line: HistoryLine) throws(HistoryLineProblem) {
    switch (place, line) {
    case (.outside, .header(HistoryLine.version)):
      files += 1
      place = .file(runs: 0)
    case (.outside, .header(let version)) where version > HistoryLine.version:
      throw problem("was exported by a newer proctor (version \(version))")
    case (.file(let runs), .run(let run)):
      place = .run(key: run.key, tests: 0, last: nil, runs: runs)
    case (.run(let key, let tests, let last, let runs), .test(let test, _)):
      let id = test.id.text
      if let last, !last.utf8.lexicographicallyPrecedes(id.utf8) {
        throw problem("the test is there twice, or not in order: \(id.prefix(200))")
      }
      place = .run(key: key, tests: tests + 1, last: id, runs: runs)
    case (.run(let key, let tests, _, let runs), .end(let end, let count)):
      guard key == end, tests == count else {
        throw problem("the run does not end as it began: tests are missing")
      }
      place = .file(runs: runs + 1)
    case (.file(let runs), .eof(let count)):
      guard runs == count else { throw problem("runs are missing") }
      place = .outside
    case (.outside, _): throw problem("is no exported history: its first line is missing")
    default: throw problem("is not where such a line can be")
    }
  }

  /// - Returns: nil at the end; without the line end.
  private mutating func nextLine() throws(HistoryLineProblem) -> Data? {
    while true {
      if let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
        let bytes = Data(buffer[buffer.startIndex..<end])
        buffer = buffer[buffer.index(after: end)...]
        return bytes
      }
      guard !isAtEnd else {
        guard buffer.isEmpty else {
          line += 1
          throw problem("the line has no end: the file is cut off")
        }
        return nil
      }
      guard buffer.count <= Self.lineLimit else {
        line += 1
        throw problem("the line is longer than \(Self.lineLimit >> 20) MiB")
      }
      try fill()
    }
  }

  private mutating func fill() throws(HistoryLineProblem) {
    var bytes = [UInt8](repeating: 0, count: Self.chunk)
    let count = read(descriptor, &bytes, bytes.count)
    if count < 0, errno == EINTR { return }
    guard count >= 0 else {
      throw problem("cannot be read: \(String(cString: strerror(errno)))")
    }
    isAtEnd = count == 0
    // What was taken is given back.
    buffer = Data(buffer) + bytes.prefix(count)
  }
}

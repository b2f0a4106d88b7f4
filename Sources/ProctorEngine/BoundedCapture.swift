import FoundationEssentials
import ProctorModel

/// Collects a stream in bounded memory: the beginning and the end stay, the middle is counted.
struct BoundedCapture: Sendable {
  private let half: Int
  private var head = Data()
  private var tail = Data()
  private var total = 0

  init(limit: Int) { half = limit / 2 }

  mutating func append(_ bytes: Data) {
    total += bytes.count
    let room = half - head.count
    head.append(bytes.prefix(max(0, room)))
    tail.append(bytes.dropFirst(max(0, room)))
    if tail.count > 2 * half { tail = Data(tail.suffix(half)) }
  }

  /// Everything that was kept, without a mark where bytes are missing.
  var data: Data { head + tail.suffix(half) }

  var omittedBytes: Int { total - data.count }

  /// The last part as text, without the stacks that proctor's own code printed.
  var withoutStacks: String {
    var text = String(decoding: data.suffix(64 << 10), as: UTF8.self)
    while let start = text.firstRange(of: "\nproctor: stacks\n") {
      let end = text[start.upperBound...].firstRange(of: "proctor: end of stacks\n")
      text.removeSubrange(start.lowerBound..<(end?.upperBound ?? text.endIndex))
    }
    return text
  }

  /// What runtimes write when they end a process.
  private static let lastWords = [
    "Fatal error:", "Precondition failed", "Assertion failed", "Fatal Python error:",
    "panicked at ", "Assertion `", "terminate called",
    "stack overflow", "out of memory",
  ]

  /// The line that says why a process ended, or else the last lines; control characters removed.
  func lastLines(_ count: Int) -> String {
    let lines = withoutStacks.split(whereSeparator: \.isNewline)
    let telling = lines.last { line in Self.lastWords.contains { line.contains($0) } }
    return (telling.map { [$0] } ?? lines.suffix(count))
      .map { $0.filter { !$0.isASCII || ($0.asciiValue ?? 0) >= 32 } }
      .map { $0.trimmingPrefix(while: \.isWhitespace) }
      .filter { !$0.isEmpty }
      .joined(separator: " / ")
  }

  var text: CapturedText {
    omittedBytes == 0
      ? CapturedText(bytes: data, limit: data.count)
      : CapturedText(
        text: String(decoding: head, as: UTF8.self) + "\n[... \(omittedBytes) bytes cut ...]\n"
          + String(decoding: tail.suffix(half), as: UTF8.self), omittedBytes: omittedBytes)
  }
}

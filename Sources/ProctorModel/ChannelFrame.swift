public import FoundationEssentials

/// The frames in which proctor's guest code sends records over the report channel.
///
/// The channel is a named pipe; several processes may write to it, at most `maximumWriters`. A frame is one line of at most
/// 4096 bytes, so that the kernel writes it whole (PIPE_BUF):
///
///     P1 NONCE WRITER SEQUENCE FLAG PAYLOAD\n
///
/// `NONCE` is the invocation's. `WRITER` names the writing process (`[A-Za-z0-9.-]{1,32}`).
/// `SEQUENCE` counts that writer's frames from 0. `FLAG` is `+` when the record goes on in the
/// writer's next frame and `.` when it ends. The concatenated payloads are one JSON record, UTF-8
/// without line ends.
public enum ChannelFrame {
  public static let maximumLength = 4096
  /// Bytes of a whole record.
  public static let maximumRecord = 64 << 20
  /// Bytes of all records together that have begun and not ended.
  public static let maximumPartial = 2 * maximumRecord
  public static let maximumWriters = 50_000
}

/// Checks frames and puts records together again.
public struct ChannelReader: Sendable {
  private let nonce: String
  private let room: Int
  private var rest = Data()
  private var writers: [String: Writer] = [:]
  /// Bytes that wait for the end of their records.
  private var waiting = 0
  /// What was wrong with the channel, first of each kind: forged lines, gaps, a cut record.
  public private(set) var violations: [String] = []
  /// Whether the channel ended in the middle of a record; known once finished.
  public private(set) var isCut = false

  /// - Parameter room: bytes for records that have begun and not ended, of all writers together.
  public init(nonce: String, room: Int = ChannelFrame.maximumPartial) {
    self.nonce = nonce
    self.room = room
  }

  /// Takes bytes cut anywhere and returns the records that became complete.
  public mutating func receive(_ bytes: Data) -> [Data] {
    rest.append(bytes)
    var records: [Data] = []
    var start = rest.startIndex
    while let end = rest[start...].firstIndex(of: UInt8(ascii: "\n")) {
      if let record = frame(rest[start..<end]) { records.append(record) }
      start = rest.index(after: end)
    }
    rest = Data(rest[start...])
    if rest.count > ChannelFrame.maximumLength {
      note("a line on the report channel is longer than a frame")
      rest = Data()
    }
    return records
  }

  /// Nothing more will come.
  public mutating func finish() {
    isCut = !rest.isEmpty || writers.values.contains { !$0.partial.isEmpty }
  }

  private mutating func frame(_ line: Data) -> Data? {
    let parts = line.split(
      separator: UInt8(ascii: " "), maxSplits: 5, omittingEmptySubsequences: false)
    guard parts.count == 6, parts[0].elementsEqual("P1".utf8) else {
      note("something other than proctor wrote to the report channel")
      return nil
    }
    guard parts[1].elementsEqual(nonce.utf8) else {
      note("a record on the report channel does not carry this run's nonce")
      return nil
    }
    let writer = String(decoding: parts[2], as: UTF8.self)
    guard
      writers[writer] != nil
        || (writer.utf8.count <= 32 && writers.count < ChannelFrame.maximumWriters)
    else {
      note("more processes wrote to the report channel than there can be")
      return nil
    }
    guard let sequence = Int(String(decoding: parts[3], as: UTF8.self)),
      sequence == writers[writer]?.next ?? 0
    else {
      note("records of one writer on the report channel are missing or repeated")
      return nil
    }
    let ends = parts[4].elementsEqual(".".utf8)
    // In place: a copy of what there is for every frame would make large records slow.
    switch writers[writer, default: Writer()].take(
      parts[5], ends: ends, room: room - waiting)
    {
    case .more:
      waiting += parts[5].count
      return nil
    case .record(let record):
      waiting -= record.count - parts[5].count
      return record
    case .dropped(let waited, let isTooLong):
      waiting -= waited
      note(
        isTooLong
          ? "a record on the report channel is longer than \(ChannelFrame.maximumRecord) bytes"
          : "more records on the report channel were begun than can be kept")
      return nil
    }
  }

  private mutating func note(_ violation: String) {
    if !violations.contains(violation) { violations.append(violation) }
  }

  private struct Writer: Sendable {
    enum Taken {
      case more
      case record(Data)
      /// - Parameter waited: how many bytes of it had been kept.
      case dropped(waited: Int, isTooLong: Bool)
    }

    private(set) var next = 0
    private(set) var partial = Data()

    /// - Parameter room: bytes that may be kept until the record ends.
    mutating func take(_ payload: Data, ends: Bool, room: Int) -> Taken {
      next += 1
      let isTooLong = partial.count + payload.count > ChannelFrame.maximumRecord
      if isTooLong || (!ends && payload.count > room) {
        defer { partial = Data() }
        return .dropped(waited: partial.count, isTooLong: isTooLong)
      }
      partial.append(payload)
      guard ends else { return .more }
      defer { partial = Data() }
      return .record(partial)
    }
  }
}

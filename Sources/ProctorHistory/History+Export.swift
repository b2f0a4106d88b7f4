public import FoundationEssentials
import GRDB
import ProctorModel
public import ProctorStorage

/// What was exported.
public struct HistoryExport: Hashable, Sendable {
  public let runs: Int
  /// Outcomes of tests, in all runs.
  public let tests: Int
}

extension History {
  /// Bytes that are written at once.
  private static let chunk = 1 << 18

  /// Gives all runs, the oldest first, as lines of JSON; the tests of each in the order of their ids' bytes.
  /// - Parameters:
  ///   - filter: which runs.
  ///   - write: is given some lines at a time; what it throws ends it.
  /// - Throws: `StorageError`, or what `write` throws.
  public func export(
    _ filter: HistoryFilter = HistoryFilter(), to write: (Data) throws -> Void
  ) throws -> HistoryExport {
    var lines = LineBuffer(limit: Self.chunk)
    try lines.add(.header(version: HistoryLine.version), write)
    var (runs, tests) = (0, 0)
    // What the receiver throws is not the file's fault.
    var refusal: (any Error)?
    try reading { database in
      do {
        for (number, run) in try RunRow.all(filter, in: database).reversed() {
          try lines.add(.run(run), write)
          let count = try Self.export(number, database) { try lines.add($0, write) }
          try lines.add(.end(key: run.key, tests: count), write)
          (runs, tests) = (runs + 1, tests + count)
        }
      } catch let error as DatabaseError {
        throw error
      } catch {
        refusal = error
      }
    }
    if let refusal { throw refusal }
    try lines.add(.eof(runs: runs), write)
    try lines.flush(write)
    return HistoryExport(runs: runs, tests: tests)
  }

  /// - Returns: how many tests the run had.
  private static func export(
    _ run: Int64, _ database: Database, _ add: (HistoryLine) throws -> Void
  ) throws -> Int {
    let cursor = try Row.fetchCursor(
      database,
      sql: """
        SELECT \(AttemptRow.columns), test.value AS id, test.name AS name FROM attempt
        JOIN test ON test.id = attempt.test \(AttemptRow.joins)
        WHERE attempt.run = ? ORDER BY test.value, attempt.number
        """, arguments: [run])
    var count = 0
    var test: HistoryTest?
    var attempts: [HistoryAttempt] = []
    while let row = try cursor.next() {
      let id = TestID(text: row["id"])
      if let done = test, done.id != id {
        try add(.test(done, attempts))
        attempts = []
      }
      if test?.id != id {
        test = HistoryTest(id: id, name: row["name"])
        count += 1
      }
      attempts.append(AttemptRow.attempt(row))
    }
    if let test { try add(.test(test, attempts)) }
    return count
  }
}

/// Lines on their way out.
private struct LineBuffer {
  private let encoder = JSONEncoder()
  private let limit: Int
  private var bytes = Data()

  init(limit: Int) {
    self.limit = limit
    encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
  }

  mutating func add(_ line: HistoryLine, _ write: (Data) throws -> Void) throws {
    bytes += try encoder.encode(line)
    bytes.append(UInt8(ascii: "\n"))
    if bytes.count >= limit { try flush(write) }
  }

  mutating func flush(_ write: (Data) throws -> Void) throws {
    try write(bytes)
    bytes.removeAll(keepingCapacity: true)
  }
}

import FoundationEssentials
import GRDB
public import ProctorModel
public import ProctorStorage

/// What came of an import.
public struct HistoryImport: Hashable, Sendable {
  /// Runs that were added.
  public internal(set) var runs = 0
  /// Runs that were there already.
  public internal(set) var known = 0
  /// Outcomes of tests that were added.
  public internal(set) var tests = 0
}

/// Exported histories that cannot be imported: nothing of them is.
public struct HistoryImportError: Error, Hashable, Sendable {
  /// The first one of each file, with its line.
  public let problems: [String]
}

extension History {
  /// Runs after which it is looked whether there is too much.
  private static let runsBetweenPrunings = 32

  /// Sees that exported histories are whole; reads all of them, keeps nothing.
  public static func check(_ files: [String]) throws(HistoryImportError) {
    var problems: [HistoryLineProblem] = []
    for file in files { check(file, &problems) }
    guard problems.isEmpty else { throw HistoryImportError(problems: problems.map(\.text)) }
  }

  /// Whether the first line of a regular file is that of an exported history, whole or not.
  public static func isExport(_ file: String) -> Bool {
    guard let reader = try? HistoryReader(file) else { return false }
    return reader.isNamedByFirstLine
  }

  /// What each test is expected to take, as `durations()` says of the workspace that the history was exported from.
  /// - Throws: `HistoryImportError` for what is no whole export.
  public static func durations(
    inExport file: String
  ) throws(HistoryImportError) -> [TestID: Double] {
    do throws(HistoryLineProblem) {
      var reader = try HistoryReader(file)
      return try DurationSamples<TestID>(&reader).medians
    } catch {
      throw HistoryImportError(problems: [error.text])
    }
  }

  private static func check(_ file: String, _ problems: inout [HistoryLineProblem]) {
    do throws(HistoryLineProblem) {
      var reader = try HistoryReader(file)
      while try reader.next() != nil {}
    } catch {
      problems.append(error)
      return
    }
  }

  /// Adds the runs of exported histories that are not there yet.
  ///
  /// Each run is added whole or not at all, while other processes may record theirs.
  /// - Parameter files: which `check` has seen.
  /// - Throws: `StorageError`; the runs up to there are added, and doing it again goes on.
  public func add(_ files: [String]) throws(StorageError) -> HistoryImport {
    var result = HistoryImport()
    try usingMade { queue in
      result = HistoryImport()
      for file in files {
        do {
          var reader = try HistoryReader(file)
          while try addRun(&reader, queue, &result) {
            if result.runs % Self.runsBetweenPrunings == 0 { try pruneNow(queue) }
          }
        } catch let problem as HistoryLineProblem {
          throw StorageError(
            "\(problem.text): it was changed while it was read", resolution: "Import it again.")
        }
      }
      try pruneNow(queue)
    }
    return result
  }

  private func pruneNow(_ queue: DatabaseQueue) throws {
    try prune(queue, now: Date().timeIntervalSince1970)
  }

  /// - Returns: false when there is no further one.
  private func addRun(
    _ reader: inout HistoryReader, _ queue: DatabaseQueue, _ result: inout HistoryImport
  ) throws -> Bool {
    while let line = try reader.next() {
      guard case .run(let run) = line else { continue }
      var (isNew, tests) = (false, 0)
      // Borrowed by a closure that does not outlive the call.
      try queue.inDatabase { database in
        try database.inTransaction(.immediate) {
          let number = try RunRow.insert(run, database)
          isNew = number != nil
          var rows = number.map { AttemptRows(run: $0, database) }
          while case .test(let test, let attempts)? = try reader.next() {
            try rows?.insert(attempts, of: test)
            tests += 1
          }
          return .commit
        }
      }
      result.runs += isNew ? 1 : 0
      result.known += isNew ? 0 : 1
      result.tests += isNew ? tests : 0
      return true
    }
    return false
  }
}

import FoundationEssentials
import GRDB
import Glibc
public import ProctorModel
public import ProctorStorage

/// What became of each test of a workspace, run by run, in one SQLite file.
///
/// Any number of processes may use it at once. The file is opened for each call and closed after it; where there is none
/// yet, answers are empty. One that is corrupt is set aside, which is said, and a new one begun.
public struct History: Sendable {
  public static let fileName = "history.sqlite"

  private let folder: String
  let limits: HistoryLimits
  private let say: @Sendable (String) -> Void

  /// - Parameters:
  ///   - folder: of its own, which is made when it is missing, not those above it.
  ///   - say: tells the user what is wrong with the file; any thread.
  public init(
    folder: String, limits: HistoryLimits = HistoryLimits(),
    say: @escaping @Sendable (String) -> Void
  ) {
    self.folder = folder
    self.limits = limits
    self.say = say
  }

  public var path: String { "\(folder)/\(Self.fileName)" }

  private var file: DatabaseFile {
    DatabaseFile(path: path, migrator: HistorySchema.migrator, removal: .givenBack)
  }

  // MARK: adding

  /// Adds a run with every attempt of its tests, and removes what has become too old or too much.
  ///
  /// A run that is there already is not added again.
  /// - Throws: `StorageError` when it cannot be written; nothing of it is then.
  public func record(_ run: HistoryRun, _ tests: [TestResult]) throws(StorageError) {
    try makeFolder()
    try using { queue in
      try Self.write(queue) { database in
        guard let number = try RunRow.insert(run, database) else { return }
        var rows = AttemptRows(run: number, database)
        try rows.insert(tests)
      }
      try prune(queue, now: Date().timeIntervalSince1970)
    }
  }

  private func makeFolder() throws(StorageError) {
    guard mkdir(folder, 0o700) != 0, errno != EEXIST else { return }
    throw StorageError(
      "the folder \(folder) cannot be made: \(String(cString: strerror(errno)))",
      resolution: "Free some space or name another cache folder with PROCTOR_CACHE_DIR.")
  }

  // MARK: the file

  /// Gives `body` what the history holds at one moment.
  /// - Returns: nil when there is no history yet.
  func reading<Result>(_ body: (Database) throws -> Result) throws(StorageError) -> Result? {
    guard access(path, F_OK) == 0 else { return nil }
    return try using { queue in
      try queue.inDatabase { database in
        var result: Result?
        try database.inTransaction(.deferred) {
          result = try body(database)
          return .commit
        }
        return result
      }
    }
  }

  /// While no other process writes, all of it or nothing.
  static func write(_ queue: DatabaseQueue, _ body: (Database) throws -> Void) throws {
    try queue.inDatabase { database in
      try database.inTransaction(.immediate) {
        try body(database)
        return .commit
      }
    }
  }

  /// Does it with the file; with a new one when that turns out to be corrupt.
  func using<Result>(_ body: (DatabaseQueue) throws -> Result) throws(StorageError) -> Result {
    do {
      return try body(try open())
    } catch let error where DatabaseFile.isCorrupt(error) {
      return try usingNew(body)
    } catch {
      throw file.problem(error)
    }
  }

  private func usingNew<Result>(
    _ body: (DatabaseQueue) throws -> Result
  ) throws(StorageError) -> Result {
    do {
      return try body(try open(isSuspect: true))
    } catch {
      throw file.problem(error)
    }
  }

  private func open(isSuspect: Bool = false) throws(StorageError) -> DatabaseQueue {
    let opened = try file.open(isSuspect: isSuspect)
    if let name = opened.setAside {
      say(
        "the history of this workspace could not be read: it is \(name) now, and a new one was begun"
      )
    }
    return opened.queue
  }

  /// For import, which makes the file.
  func usingMade<Result>(_ body: (DatabaseQueue) throws -> Result) throws(StorageError) -> Result {
    try makeFolder()
    return try using(body)
  }
}

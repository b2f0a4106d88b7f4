import FoundationEssentials
import GRDB
import Glibc

/// A SQLite file of proctor's own that several processes use at once, and that may be anything when it is opened.
///
/// It is for its owner only, written ahead (WAL), waited for while another process writes. One that is no database or
/// is corrupt is set aside under another name, not removed and not fatal.
struct DatabaseFile: Sendable {
  /// Seconds to wait for another process.
  private static let patience = 10.0

  /// What a killed process has written stays with `NORMAL`; only what the machine itself forgets can be missing. What
  /// is not yet written back is read by each process that opens the file: it is kept short.
  private static let pragmas = """
    PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 128;
    PRAGMA secure_delete = ON;
    """

  let path: String
  let migrator: DatabaseMigrator

  struct Opened {
    let queue: DatabaseQueue
    /// The name that an unreadable file was given; nil when there was none.
    let setAside: String?
  }

  /// - Parameters:
  ///   - isSuspect: it was found corrupt while it was used, and is looked through whole.
  ///   - setsAside: whether an unreadable file may be given another name.
  /// - Throws: `AuditError` when it can be neither used nor replaced.
  func open(isSuspect: Bool = false, setsAside: Bool = true) throws(AuditError) -> Opened {
    if isSuspect { return try replace() }
    do {
      return Opened(queue: try connect(), setAside: nil)
    } catch let error where setsAside && Self.isCorrupt(error) {
      return try replace()
    } catch {
      throw problem(error)
    }
  }

  /// The file is no database, or one that cannot be trusted to be read.
  static func isCorrupt(_ error: any Error) -> Bool {
    guard let error = error as? DatabaseError else { return false }
    return [.SQLITE_CORRUPT, .SQLITE_NOTADB].contains(error.resultCode)
  }

  /// In words for the user.
  func problem(_ error: any Error) -> AuditError {
    if let error = error as? AuditError { return error }
    if Self.isCorrupt(error) {
      return AuditError(
        "\(path) is corrupt, or no database",
        resolution: "The next call sets it aside and begins a new one.")
    }
    let why: String
    if let error = error as? DatabaseError {
      why = error.message ?? "\(error.resultCode)"
    } else {
      why = "\(error)"
    }
    return AuditError(
      "\(path) cannot be used: \(why)",
      resolution:
        "Free some space, see that the folder and the file are yours and writable, or name another cache folder with PROCTOR_CACHE_DIR."
    )
  }

  private func connect() throws -> DatabaseQueue {
    // SQLite gives its other files the mode that this one has.
    let descriptor = Glibc.open(path, O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else {
      throw AuditError(
        "\(path) cannot be opened: \(String(cString: strerror(errno)))",
        resolution:
          "See that it is a file of yours, or name another cache folder with PROCTOR_CACHE_DIR.")
    }
    close(descriptor)
    var configuration = GRDB.Configuration()
    configuration.busyMode = .timeout(Self.patience)
    configuration.prepareDatabase { database in
      try database.execute(sql: Self.pragmas)
    }
    let queue = try DatabaseQueue(path: path, configuration: configuration)
    // What goes wrong here, while another process makes the tables, is looked at again when that is done.
    if (try? isReady(queue)) == true { return queue }
    try alone {
      guard try !queue.inDatabase(migrator.hasBeenSuperseded) else {
        throw AuditError(
          "\(path) was written by a newer proctor",
          resolution: "Use that one, or name another cache folder with PROCTOR_CACHE_DIR.")
      }
      try migrator.migrate(queue)
    }
    return queue
  }

  private func isReady(_ queue: DatabaseQueue) throws -> Bool {
    var isReady = false
    try queue.inDatabase { database in
      try database.inTransaction(.deferred) {
        isReady =
          try migrator.hasCompletedMigrations(database) && !migrator.hasBeenSuperseded(database)
        return .commit
      }
    }
    return isReady
  }

  /// While no other process does the same.
  private func alone<Result>(_ body: () throws -> Result) rethrows -> Result {
    let lock = Glibc.open("\(path).lock", O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0o600)
    defer { if lock >= 0 { close(lock) } }
    if lock >= 0 { flock(lock, LOCK_EX) }
    return try body()
  }

  /// Gives the unreadable file another name, unless another process did meanwhile.
  private func replace() throws(AuditError) -> Opened {
    do {
      let name = try alone { try setAside() }
      return Opened(queue: try connect(), setAside: name)
    } catch {
      throw problem(error)
    }
  }

  /// - Returns: nil when the file can be read by now.
  private func setAside() throws -> String? {
    do {
      let queue = try DatabaseQueue(path: path)
      let words = try queue.inDatabase { try String.fetchOne($0, sql: "PRAGMA integrity_check(1)") }
      guard words != "ok" else { return nil }
    } catch let error where !Self.isCorrupt(error) {
      throw error
    } catch {
      // So it is.
    }
    let name = freeName()
    guard rename(path, name) == 0 else {
      throw AuditError(
        "\(path) is corrupt and cannot be set aside: \(String(cString: strerror(errno)))",
        resolution: "Move it away.")
    }
    for suffix in ["-wal", "-shm"] { rename(path + suffix, name + suffix) }
    return name
  }

  private func freeName() -> String {
    var number = 1
    while access("\(path).corrupt-\(number)", F_OK) == 0 { number += 1 }
    return "\(path).corrupt-\(number)"
  }
}

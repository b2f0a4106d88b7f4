import FoundationEssentials
public import GRDB
import Glibc

/// A SQLite file of proctor's own that several processes use at once, and that may be anything when it is opened.
///
/// It is for its owner only, written ahead (WAL), waited for while another process writes. One that is no database or
/// is corrupt is set aside under another name, not removed and not fatal.
public struct DatabaseFile: Sendable {
  /// Seconds to wait for another process.
  private static let patience = 10.0

  /// What a killed process has written stays with `NORMAL`; only what the machine itself forgets can be missing. What
  /// is not yet written back is read by each process that opens the file: it is kept short.
  private static let pragmas = """
    PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 128;
    """

  /// What becomes of the room that removed rows leave.
  public enum Removal: Sendable {
    /// It is overwritten, and used again.
    case overwritten
    /// It can be given back to the disk, some pages at a time.
    case givenBack

    fileprivate var pragmas: String {
      switch self {
      case .overwritten: "PRAGMA secure_delete = ON;"
      // Of a new file, before anything is written to it.
      case .givenBack: "PRAGMA auto_vacuum = INCREMENTAL;"
      }
    }
  }

  public let path: String
  private let migrator: DatabaseMigrator
  private let removal: Removal

  /// - Parameters:
  ///   - path: in an existing folder.
  ///   - migrator: makes its tables.
  public init(path: String, migrator: DatabaseMigrator, removal: Removal) {
    self.path = path
    self.migrator = migrator
    self.removal = removal
  }

  public struct Opened {
    public let queue: DatabaseQueue
    /// The name that an unreadable file was given; nil when there was none.
    public let setAside: String?
  }

  /// - Parameters:
  ///   - isSuspect: it was found corrupt while it was used, and is looked through whole.
  ///   - setsAside: whether an unreadable file may be given another name.
  /// - Throws: `StorageError` when it can be neither used nor replaced.
  public func open(isSuspect: Bool = false, setsAside: Bool = true) throws(StorageError) -> Opened {
    if isSuspect { return try replace() }
    let end = ContinuousClock.now + .seconds(Self.patience)
    while true {
      do {
        return Opened(queue: try connect(), setAside: nil)
      } catch let error where setsAside && Self.isCorrupt(error) {
        return try replace()
      } catch let error where Self.isBusy(error) && ContinuousClock.now < end {
        usleep(10_000)
      } catch {
        throw problem(error)
      }
    }
  }

  /// SQLite does not wait where two processes that wait for each other would do so for ever, as may be when several make
  /// one file at once.
  private static func isBusy(_ error: any Error) -> Bool {
    (error as? DatabaseError)?.resultCode == .SQLITE_BUSY
  }

  /// The file is no database, or one that cannot be trusted to be read.
  public static func isCorrupt(_ error: any Error) -> Bool {
    guard let error = error as? DatabaseError else { return false }
    return [.SQLITE_CORRUPT, .SQLITE_NOTADB].contains(error.resultCode)
  }

  /// In words for the user.
  public func problem(_ error: any Error) -> StorageError {
    if let error = error as? StorageError { return error }
    if Self.isCorrupt(error) {
      return StorageError(
        "\(path) is corrupt, or no database",
        resolution: "The next call sets it aside and begins a new one.")
    }
    let why: String
    if let error = error as? DatabaseError {
      why = error.message ?? "\(error.resultCode)"
    } else {
      why = "\(error)"
    }
    return StorageError(
      "\(path) cannot be used: \(why)",
      resolution:
        "Free some space, see that the folder and the file are yours and writable, or name another cache folder with PROCTOR_CACHE_DIR."
    )
  }

  private func connect() throws -> DatabaseQueue {
    try makeFile()
    var configuration = GRDB.Configuration()
    configuration.busyMode = .timeout(Self.patience)
    let pragmas = "\(removal.pragmas) \(Self.pragmas)"
    configuration.prepareDatabase { database in
      try database.execute(sql: pragmas)
    }
    let queue = try DatabaseQueue(path: path, configuration: configuration)
    // What goes wrong here, while another process makes the tables, is looked at again when that is done.
    if (try? isReady(queue)) == true { return queue }
    try alone {
      guard try !queue.inDatabase(migrator.hasBeenSuperseded) else {
        throw StorageError(
          "\(path) was written by a newer proctor",
          resolution: "Use that one, or name another cache folder with PROCTOR_CACHE_DIR.")
      }
      try migrator.migrate(queue)
    }
    return queue
  }

  /// SQLite gives its other files the mode that this one has.
  ///
  /// Only a file that was not there before is opened: whoever closes any descriptor of a file gives up all locks that
  /// his process has on it, those of other connections too. Other processes take it for closed then, and remove what is
  /// written ahead.
  private func makeFile() throws(StorageError) {
    let descriptor = Glibc.open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0o600)
    if descriptor >= 0 {
      close(descriptor)
      return
    }
    var reason = errno
    if reason == EEXIST {
      var status = stat()
      if lstat(path, &status) != 0 {
        reason = errno
      } else if status.st_mode & S_IFMT == S_IFREG {
        guard access(path, R_OK | W_OK) != 0 else { return }
        reason = errno
      } else {
        reason = status.st_mode & S_IFMT == S_IFDIR ? EISDIR : ELOOP
      }
    }
    throw StorageError(
      "\(path) cannot be opened: \(String(cString: strerror(reason)))",
      resolution:
        "See that it is a file of yours, or name another cache folder with PROCTOR_CACHE_DIR.")
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
  private func replace() throws(StorageError) -> Opened {
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
      throw StorageError(
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

import FoundationEssentials
import GRDB
import Glibc
import ProctorStorage

/// The trail in its file: entries are added at its end, by several processes at once.
final class AuditLog: Sendable {
  static let fileName = "audit.sqlite"

  let queue: DatabaseQueue
  let head: AuditHead
  let record: MaskedJSON
  /// The name that an unreadable file was given; nil when there was none.
  let setAside: String?
  private let path: String
  private let identity: [UInt64]?

  /// Makes what is missing, and notes which calls were lost.
  /// - Parameters:
  ///   - folder: of its own, which is made when it is missing.
  ///   - mask: for all that is written.
  ///   - isSuspect: the file was found corrupt while it was used.
  ///   - setsAside: whether an unreadable file may be given another name.
  init(
    folder: String, mask: SecretMask, isSuspect: Bool = false, setsAside: Bool = true
  ) throws(AuditError) {
    let file = try Self.file(in: folder)
    record = MaskedJSON(mask: mask)
    let opened: DatabaseFile.Opened
    do {
      opened = try file.open(isSuspect: isSuspect, setsAside: setsAside)
    } catch {
      throw AuditError(error, in: file)
    }
    (queue, setAside) = (opened.queue, opened.setAside)
    path = file.path
    identity = Self.identity(of: file.path)
    head = AuditHead(path: "\(folder)/audit.head")
    do {
      if let name = setAside { rename(head.path, "\(name).head") }
      try found()
      try noteLost()
    } catch {
      throw AuditError(error, in: file)
    }
  }

  /// Whether what is written still goes where others look for it: the folder may have been removed.
  var isInPlace: Bool { identity != nil && identity == Self.identity(of: path) }

  private static func identity(of path: String) -> [UInt64]? {
    var status = stat()
    return stat(path, &status) == 0 ? [UInt64(status.st_dev), UInt64(status.st_ino)] : nil
  }

  static func file(in folder: String) throws(AuditError) -> DatabaseFile {
    if mkdir(folder, 0o700) != 0, errno != EEXIST {
      throw AuditError(
        "the folder \(folder) cannot be made: \(String(cString: strerror(errno)))",
        resolution: "Free some space or name another cache folder with PROCTOR_CACHE_DIR.")
    }
    return Self.file(at: folder)
  }

  /// - Parameter folder: an existing one.
  static func file(at folder: String) -> DatabaseFile {
    DatabaseFile(
      path: "\(folder)/\(fileName)", migrator: AuditSchema.migrator, removal: .overwritten)
  }

  // MARK: calls

  /// A call as it is written: what may take its time, done before others have to wait for it.
  struct Beginning: Sendable {
    fileprivate let call: AuditCall
    fileprivate let door: AuditDoorKind
    fileprivate let process = ProcessIdentity.own
    fileprivate let arguments: String?
    fileprivate let content: String

    init(_ call: AuditCall, door: AuditDoorKind, caller: String, _ record: MaskedJSON) throws {
      self.call = call
      self.door = door
      arguments = call.arguments.map { String(decoding: record.masked($0), as: UTF8.self) }
      content = try AuditLog.json(
        BegunRecord(
          caller: record.text(caller, keeping: 200), pid: process.pid,
          reason: call.reason.map { record.text($0) }, asked: call.policy))
    }
  }

  /// - Returns: the number of the call.
  func begin(_ beginning: Beginning) throws -> Int64 {
    try write { database in
      let last = try self.append(
        .begun, to: database, door: beginning.door.rawValue,
        operation: beginning.call.operation, workspace: beginning.call.workspace,
        arguments: beginning.arguments, content: beginning.content)
      try database.cachedStatement(sql: "INSERT INTO open_call (call, process) VALUES (?, ?)")
        .execute(arguments: [last.number, beginning.process.text])
      return last
    }.number
  }

  /// - Parameter wallMS: since it began.
  func end(
    _ call: Int64, _ outcome: AuditOutcome, exitCode: Int?, confirmation: AuditConfirmation?,
    wallMS: Double
  ) throws {
    let outcome = outcome.masked(by: record)
    var asked = confirmation
    asked?.question = confirmation?.question.map { record.text($0, keeping: 500) }
    let content = EndedRecord(
      verdict: outcome.verdict, exit_code: exitCode, confirmation: asked,
      sandbox: outcome.sandbox, resources: outcome.resources,
      wall_ms: (wallMS * 1000).rounded() / 1000)
    let json = try Self.json(content)
    _ = try write { database in
      let last = try self.append(
        .ended, to: database, call: call, status: outcome.verdict.status, content: json)
      try Self.close(call, database)
      return last
    }
  }

  /// Notes the calls whose processes are gone.
  func noteLost() throws {
    let gone = try queue.inDatabase { database in
      try Row.fetchAll(database, sql: "SELECT call, process FROM open_call")
    }.compactMap { row -> (call: Int64, process: ProcessIdentity)? in
      guard let process = ProcessIdentity(row["process"] as String? ?? ""), process.isGone
      else { return nil }
      return (row["call"], process)
    }
    for (call, process) in gone {
      let json = try Self.json(
        LostRecord(
          pid: process.pid, message: "the process that made the call ended without saying how"))
      _ = try write { database -> AuditHead.Position? in
        // Another process may have noted it.
        try Self.close(call, database)
        guard database.changesCount > 0 else { return nil }
        return try self.append(.lost, to: database, call: call, status: "lost", content: json)
      }
    }
  }

  private static func close(_ call: Int64, _ database: Database) throws {
    try database.cachedStatement(sql: "DELETE FROM open_call WHERE call = ?")
      .execute(arguments: [call])
  }

  /// A new trail says that it is one. Where a head is left it is none: then all entries were removed.
  private func found() throws {
    guard head.read() == nil else { return }
    let isNew = try queue.inDatabase { try Self.last($0).number == 0 }
    guard isNew else { return }
    let json = try Self.json(
      FoundedRecord(set_aside: setAside?.split(separator: "/").last.map(String.init)))
    _ = try write { database -> AuditHead.Position? in
      guard try Self.last(database).number == 0 else { return nil }
      return try self.append(.founded, to: database, content: json)
    }
  }

  // MARK: the chain

  /// Commits, then moves the head on.
  func write(
    _ body: (Database) throws -> AuditHead.Position?
  ) throws -> AuditHead.Position {
    var position: AuditHead.Position?
    try queue.inDatabase { database in
      try database.inTransaction(.immediate) {
        position = try body(database)
        return .commit
      }
    }
    if let position { head.move(to: position) }
    return position ?? AuditHead.Position(number: 0, hash: AuditEntry.nothing)
  }

  /// Adds an entry in a transaction of the caller's.
  /// - Parameter call: nil for the entry's own number when it begins one, else for none.
  func append(
    _ kind: AuditEntry.Kind, to database: Database, call: Int64? = nil, door: String? = nil,
    operation: String? = nil, workspace: String? = nil, status: String? = nil,
    arguments: String? = nil, content: String
  ) throws -> AuditHead.Position {
    let last = try Self.last(database)
    let number = last.number + 1
    let entry = AuditEntry(
      number: number, kind: kind.rawValue, call: kind == .begun ? number : call,
      at: AuditClock.now, door: door, operation: operation, workspace: workspace, status: status,
      arguments: arguments, content: content, previous: last.hash)
    let hash = entry.hash
    try database.cachedStatement(
      sql:
        "INSERT INTO entry (\(AuditEntry.columns), hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    ).execute(arguments: [
      entry.number, entry.kind, entry.call, entry.at, entry.door, entry.operation,
      entry.workspace, entry.status, entry.arguments, entry.content, entry.previous, hash,
    ])
    return AuditHead.Position(number: number, hash: hash)
  }

  /// The last entry; what was pruned when there is none.
  static func last(_ database: Database) throws -> AuditHead.Position {
    let row =
      try Row.fetchOne(
        try database.cachedStatement(
          sql: "SELECT number, hash FROM entry ORDER BY number DESC LIMIT 1"))
      ?? Row.fetchOne(try database.cachedStatement(sql: "SELECT number, hash FROM anchor"))
    guard let row, let number = Int64.fromDatabaseValue(row["number"]),
      let hash = Data.fromDatabaseValue(row["hash"])
    else {
      throw AuditError(
        "the audit trail has lost its anchor",
        resolution: "See proctor audit verify; move the file away to begin a new one.")
    }
    return AuditHead.Position(number: number, hash: hash)
  }

  static func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}

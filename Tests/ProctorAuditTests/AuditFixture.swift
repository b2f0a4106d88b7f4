import Foundation
import GRDB

@testable import ProctorAudit

/// A trail in a folder that is gone when the test is over.
final class AuditFixture {
  let folder: String
  var path: String { "\(folder)/audit.sqlite" }

  init() throws {
    folder = "\(NSTemporaryDirectory())/proctor-audit-\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  func log(_ environment: [String: String] = [:]) throws -> AuditLog {
    try AuditLog(folder: folder, mask: SecretMask(environment: environment))
  }

  /// A whole call.
  @discardableResult
  func call(
    _ log: AuditLog, _ operation: String = "run_test", arguments: String? = nil,
    status: String = "passed"
  ) throws -> Int64 {
    let number = try log.begin(
      AuditCall(
        operation, workspace: "/w", arguments: arguments.map { Data($0.utf8) }, reason: "why",
        policy: AuditPolicy(isolation: nil, timeoutSeconds: nil)),
      door: .mcp, caller: "client 1")
    try log.end(
      number, AuditOutcome(answer: nil, status: status), exitCode: nil, confirmation: nil,
      wallMS: 1)
    return number
  }

  /// Does what nobody should: past the triggers.
  func tamper(_ sql: String) throws {
    let queue = try DatabaseQueue(path: path)
    try queue.writeWithoutTransaction { database in
      for trigger in try String.fetchAll(
        database, sql: "SELECT name FROM sqlite_master WHERE type = 'trigger'")
      {
        try database.execute(sql: "DROP TRIGGER \(trigger)")
      }
      try database.execute(sql: sql)
    }
  }

  /// All that is on disk.
  func bytes() throws -> Data {
    try FileManager.default.contentsOfDirectory(atPath: folder).reduce(into: Data()) {
      $0 += try Data(contentsOf: URL(filePath: "\(folder)/\($1)"))
    }
  }
}

extension AuditLog {
  func begin(_ call: AuditCall, door: AuditDoorKind, caller: String) throws -> Int64 {
    try begin(Beginning(call, door: door, caller: caller, record))
  }
}

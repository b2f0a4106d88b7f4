import Crypto
import FoundationEssentials
import GRDB

/// One link of the chain: what is written once and never changed.
struct AuditEntry: Sendable, Hashable {
  enum Kind: String, Sendable {
    /// The trail itself began: a new file, perhaps after one that could not be read.
    case founded
    case begun
    case ended
    /// The process that began the call is gone, and did not say how it ended.
    case lost
    /// The oldest entries were removed.
    case pruned
  }

  /// What is in front of the first one.
  static let nothing = Data(count: SHA256.byteCount)

  let number: Int64
  let kind: String
  /// The number of the entry that began it; of a `begun` one its own. nil when it is about none.
  let call: Int64?
  let at: String
  let door: String?
  let operation: String?
  let workspace: String?
  /// How the call ended, in a word.
  let status: String?
  /// What the caller sent, a JSON object without secrets.
  let arguments: String?
  /// Everything else, a JSON object.
  let content: String
  /// The hash of the entry before.
  let previous: Data

  /// SHA-256 of all fields and, through `previous`, of all entries before.
  ///
  /// Each field is a letter for its type, its length as 8 bytes, and its bytes: no two entries have the same encoding.
  var hash: Data {
    var hasher = SHA256()
    hasher.update(data: Data("proctor audit 1\n".utf8))
    for field in fields {
      var head = Data([field == nil ? UInt8(ascii: "n") : UInt8(ascii: "f")])
      withUnsafeBytes(of: UInt64(field?.count ?? 0).bigEndian) { head.append(contentsOf: $0) }
      hasher.update(data: head)
      if let field { hasher.update(data: field) }
    }
    return Data(hasher.finalize())
  }

  private var fields: [Data?] {
    [
      Data("\(number)".utf8), Data(kind.utf8), call.map { Data("\($0)".utf8) }, Data(at.utf8),
      door.map { Data($0.utf8) }, operation.map { Data($0.utf8) },
      workspace.map { Data($0.utf8) }, status.map { Data($0.utf8) },
      arguments.map { Data($0.utf8) }, Data(content.utf8), previous,
    ]
  }
}

extension AuditEntry {
  static let columns =
    "number, kind, call, at, door, operation, workspace, status, arguments, content, previous"

  /// - Parameter row: of a table whose columns may have been written by anybody.
  init(_ row: Row) {
    // A text that is none, or a number that is a text, gives another hash: that is what it is for.
    func text(_ name: String) -> String? { String.fromDatabaseValue(row[name]) }
    number = Int64.fromDatabaseValue(row["number"]) ?? 0
    kind = text("kind") ?? ""
    call = Int64.fromDatabaseValue(row["call"])
    at = text("at") ?? ""
    door = text("door")
    operation = text("operation")
    workspace = text("workspace")
    status = text("status")
    arguments = text("arguments")
    content = text("content") ?? ""
    previous = Data.fromDatabaseValue(row["previous"]) ?? Data()
  }
}

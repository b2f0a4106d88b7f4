public import FoundationEssentials
import Glibc
import ProctorFormats
import ProctorStorage

/// Answers questions about the trail; any door may ask.
public struct AuditReader: Sendable {
  private let folder: String

  /// - Parameter folder: as the trail has it.
  public init(folder: String) { self.folder = folder }

  /// Calls, the newest first.
  public func calls(_ filter: AuditFilter) throws(AuditError) -> AuditList {
    guard let log = try log() else { return AuditList(calls: [], areMore: false) }
    return try reading(log) {
      let (list, areMore) = try log.calls(filter)
      return AuditList(calls: list.map(AuditCallAnswer.init), areMore: areMore)
    }
  }

  /// - Parameter number: of the call, or of any entry about it.
  /// - Returns: nil when there is none.
  public func call(_ number: Int64) throws(AuditError) -> AuditCallAnswer? {
    guard let log = try log() else { return nil }
    return try reading(log) { try log.call(number).map(AuditCallAnswer.init) }
  }

  /// Goes through the whole chain.
  public func verify() throws(AuditError) -> AuditVerification {
    guard let log = try log() else {
      throw AuditError(
        "there is no audit trail in \(folder)",
        resolution: "The first call makes one. PROCTOR_CACHE_DIR names another cache folder.")
    }
    return try reading(log) {
      do {
        return try log.verify()
      } catch let error where DatabaseFile.isCorrupt(error) {
        return AuditVerification(unreadable: "\(error)")
      }
    }
  }

  /// nil when there is no trail yet.
  private func log() throws(AuditError) -> AuditLog? {
    guard access("\(folder)/\(AuditLog.fileName)", F_OK) == 0 else { return nil }
    return try AuditLog(folder: folder, mask: SecretMask(), setsAside: false)
  }

  private func reading<Result>(
    _ log: AuditLog, _ body: () throws -> Result
  ) throws(AuditError) -> Result {
    do {
      return try body()
    } catch {
      throw AuditError(error, in: AuditLog.file(at: folder))
    }
  }
}

/// What `proctor audit` answers.
public struct AuditList: Sendable {
  public let calls: [AuditCallAnswer]
  /// Whether the limit left older ones out.
  public let areMore: Bool

  /// By `audit.schema.json`, a call a line.
  public var json: Data {
    var data = Data("{\"calls\": [".utf8)
    for (index, call) in calls.enumerated() {
      data += Data((index == 0 ? "\n  " : ",\n  ").utf8) + call.json
    }
    data += Data("\n], \"more\": \(areMore)".utf8)
    if areMore, let last = calls.last { data += Data(", \"next_before\": \(last.id)".utf8) }
    return data + Data("}\n".utf8)
  }

  public var text: String {
    guard !calls.isEmpty else { return "no calls\n" }
    let rows = calls.map(\.cells)
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    let lines = rows.map { row in
      zip(row, widths).map { cell, width in
        cell + String(repeating: " ", count: width - cell.count)
      }.joined(separator: "  ").trimmed
    }
    let more = areMore ? "older ones: --before \(calls.last?.id ?? 0)\n" : ""
    return lines.joined(separator: "\n") + "\n" + more
  }
}

extension String {
  fileprivate var trimmed: String {
    String(reversed().drop { $0 == " " }.reversed())
  }
}
